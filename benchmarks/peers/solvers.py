"""The peers, each as one would write it with its library. A new one is a function and a row of SOLVERS.

A solver gets a book's columns (tick, width, whether it buys) and returns the call that is timed. What the library wants
as its input (a table of bids) is made before; building a model belongs to the call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Fills = Array | tuple[Array, Array]
"""For each row, or for each ask and for each bid."""
Answer = tuple[float | None, float | None, Fills | None]
"""Price, volume, fills; None for what the library does not say."""


@dataclass(frozen=True, slots=True)
class Solver:
    """One way to clear a book with a library."""

    label: str
    gives: str
    """What it yields."""
    prepare: Callable[[Array, Array, Array], Callable[[], Answer]]
    packages: tuple[str, ...]
    """The distributions that must be installed for it."""

    def versions(self) -> dict[str, str] | None:
        """What is installed of them; None unless all are."""
        try:
            return {name: version(name) for name in self.packages}
        except PackageNotFoundError:
            return None


def highs(ticks: Array, widths: Array, buys: Array) -> Callable[[], Answer]:
    """The welfare problem passed to HiGHS as arrays; the price is the balance's dual."""
    import highspy

    def clear() -> Answer:
        signs, rows = np.where(buys, -1.0, 1.0), len(ticks)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = rows, 1
        model.col_cost_, model.col_lower_, model.col_upper_ = signs * ticks, np.zeros(rows), widths.astype(float)
        model.row_lower_ = model.row_upper_ = np.zeros(1)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_, model.a_matrix_.index_ = np.array([0, rows]), np.arange(rows)
        model.a_matrix_.value_ = signs
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.passModel(model)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError(f"HiGHS ended with {solver.getModelStatus()}")
        solution = solver.getSolution()
        fills = np.array(solution.col_value)
        return float(solution.row_dual[0]), float(fills[~buys].sum()), fills

    return clear


def clarabel(ticks: Array, widths: Array, buys: Array) -> Callable[[], Answer]:
    """The welfare problem written in cvxpy and solved by CLARABEL, an interior point method, as set by default."""
    import cvxpy

    def clear() -> Answer:
        signs = np.where(buys, -1.0, 1.0)
        fills = cvxpy.Variable(len(ticks))
        balance = signs @ fills == 0
        problem = cvxpy.Problem(cvxpy.Minimize((signs * ticks) @ fills), [balance, fills >= 0, fills <= widths])
        problem.solve(solver=cvxpy.CLARABEL)
        if problem.status != cvxpy.OPTIMAL:
            raise ArithmeticError(f"CLARABEL ended with {problem.status}")
        return -float(balance.dual_value), float(fills.value[~buys].sum()), np.array(fills.value)

    return clear


def pymarket_crossing(ticks: Array, widths: Array, buys: Array) -> Callable[[], Answer]:
    """Where pymarket's curves cross, bids at one price merged first, as its auction does: without that it is slower.

    Where it sees no crossing, there is no trade.
    """
    from pymarket.bids.demand_curves import demand_curve_from_bids, intersect_stepwise, supply_curve_from_bids
    from pymarket.bids.processing import merge_same_price

    bids = _bids(ticks, widths, buys)

    def clear() -> Answer:
        merged, _ = merge_same_price(bids)
        (demand, _), (supply, _) = demand_curve_from_bids(merged), supply_curve_from_bids(merged)
        volume, _, _, price = intersect_stepwise(demand, supply)
        return (None, 0.0, None) if volume is None else (float(price), float(volume), None)

    return clear


def pymarket_huang(ticks: Array, widths: Array, buys: Array) -> Callable[[], Answer]:
    """pymarket's Huang auction. It has a price for sellers and one for buyers: no price unless they are the same."""
    from pymarket.mechanisms import HuangAuction

    bids = _bids(ticks, widths, buys)

    def clear() -> Answer:
        transactions, extra = HuangAuction(bids).run()
        trades = transactions.get_df()
        fills = np.zeros(len(ticks))
        np.add.at(fills, trades["bid"].to_numpy(dtype=np.int64), trades["quantity"].to_numpy(dtype=float))
        same = extra.get("price_sell") is not None and extra["price_sell"] == extra["price_buy"]
        return float(extra["price_sell"]) if same else None, float(fills[~buys].sum()), fills

    return clear


def _bids(ticks: Array, widths: Array, buys: Array) -> Any:
    """pymarket's table of bids, every segment a bidder of its own."""
    import pandas

    rows = np.arange(len(ticks))
    columns = {"quantity": widths, "price": ticks, "user": rows, "buying": buys, "time": 0, "divisible": True}
    return pandas.DataFrame(columns)


def plain(ticks: Array, widths: Array, buys: Array) -> Callable[[], Answer]:
    """No library: sums by tick with np.bincount, to try the runner with. Not among the peers."""

    def clear() -> Answer:
        grid = int(ticks.max()) + 1
        supply = np.cumsum(np.bincount(ticks[~buys], widths[~buys], grid).astype(np.int64))
        demand = np.bincount(ticks[buys], widths[buys], grid).astype(np.int64)
        demand_above = demand.sum() - np.cumsum(demand)
        price = int(np.searchsorted(supply >= demand_above, True))
        volume = int(min(supply[price], demand_above[price] + demand[price]))
        fills = np.where(np.where(buys, ticks > price, ticks < price), widths, 0)
        for side in buys, ~buys:
            rows = np.flatnonzero(side & (ticks == price))
            if len(rows):
                ends = np.cumsum(widths[rows])
                fills[rows] = np.diff(ends * (volume - int(fills[side].sum())) // ends[-1], prepend=0)
        return price, volume, fills

    return clear


SOLVERS: dict[str, Solver] = {
    "highspy": Solver("highspy (HiGHS, direct)", "price, volume, fills", highs, ("highspy",)),
    "clarabel": Solver("cvxpy + CLARABEL", "price, volume, fills", clarabel, ("cvxpy", "clarabel")),
    "pymarket": Solver("pymarket, its curves' crossing", "price, volume", pymarket_crossing, ("pymarket", "pandas")),
    "huang": Solver("pymarket, Huang's auction", "two prices, fills", pymarket_huang, ("pymarket", "pandas")),
}
TRIAL = {"plain": Solver("plain numpy", "price, volume, fills", plain, ("numpy",))}
"""For tests of the runner."""
