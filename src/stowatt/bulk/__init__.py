"""Books larger than memory (§3): the clearing of `clearing/`, in passes over Parquet files, in bounded memory.

1. `summing`: every part is read, checked and added up by window, side and tick; a few bytes of each row are `kept`.
2. `crossings`: the sums give each window's price, volume and cohorts.
3. `apart`: bids whose rows do not follow one another are found by hashes, checked, and put in their place (`places`).
4. `filling`: from what was kept come the fills, which prove the result (`outcome`).
5. `whole`: the book's own bytes and the fills become one file.

A part is a range of row groups. Any way to cut the book, and any number of workers, gives the same bytes.
"""

from stowatt.bulk.outcome import Outcome
from stowatt.bulk.run import clear_large

__all__ = ["Outcome", "clear_large"]
