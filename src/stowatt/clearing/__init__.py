"""§3 Clearing: a uniform-price double auction in integers, with a proof of every result.

    from stowatt.clearing import Book, PriceRule, Rationing, Rules, clear, require_proof
    from stowatt.curves import Curve, Side

    book = Book.of([                                     # in order of reveal
        ("alice", Curve.of(Side.SELL, [(3, 5)])),        # (tick, Wh) pairs
        ("bob", Curve.of(Side.BUY, [(7, 10)])),
    ])
    rules = Rules(PriceRule.LOWEST, Rationing.PRO_RATA, seed=0)
    result = clear(book, rules)                          # price 7, volume 5, gap 0
    require_proof(book, rules, result)

- `clear_readable(book, rules) -> WindowResult`: the specification as code. Use it wherever a result is judged.
- `clear_fast(book, rules) -> WindowResult`: its twin for large books, bit for bit the same.
- `fast.clear_columns(fast.Columns(ticks, widths, buys), rules)`: the same for arrays, without a Python object a bid.
- `sides.clear_sides(sides.Sides(ask_ticks, ask_widths, bid_ticks, bid_widths), rules)`: for asks and bids apart.
- `windows.clear_windows(windows.Windows(ticks, widths, buys, starts), rules)`: many windows of arrays in one call.
- `clear(book, rules) -> WindowResult`: whichever of the two is quicker for the book's size.
- `violations(book, rules, result) -> tuple[Violation, ...]`: what is wrong with any claimed result, from wherever.
- `require_proof(book, rules, result) -> None`: the same, as a CertificateError.
- `marginal_fill(rationing, offset, width, size, residual, seed) -> Wh`: one marginal segment, as a claim does it.

`WindowResult` has `price` (None without a trade), `lowest` and `highest` (λ_lo, λ_hi), `volume`, `supply` and `demand`
(each with `better`, `size` = T, `residual` = R), `offsets`, `fills`, `welfare`, `dual` and `gap`.
"""

from stowatt.clearing.book import Bid, Book
from stowatt.clearing.certificate import Violation, require_proof, violations
from stowatt.clearing.engine import clear, clear_fast
from stowatt.clearing.rationing import marginal_fill
from stowatt.clearing.readable import clear_readable
from stowatt.clearing.result import Cohort, Fill, WindowResult
from stowatt.clearing.rules import PriceRule, Rationing, Rules

__all__ = [
    "Bid",
    "Book",
    "Cohort",
    "Fill",
    "PriceRule",
    "Rationing",
    "Rules",
    "Violation",
    "WindowResult",
    "clear",
    "clear_fast",
    "clear_readable",
    "marginal_fill",
    "require_proof",
    "violations",
]
