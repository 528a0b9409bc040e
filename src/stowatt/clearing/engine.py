"""§3: the choice between the two engines, which agree on every book and differ in speed only."""

from typing import Final

from stowatt.clearing.book import Book
from stowatt.clearing.readable import clear_readable
from stowatt.clearing.result import WindowResult
from stowatt.clearing.rules import Rules

FEW_BIDS: Final = 64
"""Up to here numpy's fixed cost outweighs its speed."""


def clear(book: Book, rules: Rules) -> WindowResult:
    """Clear one window with the engine that is quicker for its size."""
    return clear_readable(book, rules) if len(book.bids) <= FEW_BIDS else clear_fast(book, rules)


def clear_fast(book: Book, rules: Rules) -> WindowResult:
    """`fast.clear_fast`, without loading numpy before it is needed."""
    from stowatt.clearing import fast

    return fast.clear_fast(book, rules)
