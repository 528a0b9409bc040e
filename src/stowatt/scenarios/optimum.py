"""The welfare optimum with perfect foresight: what a market for stored energy could at best achieve.

A linear programme over all windows, with the freedoms that the market has: each battery charges from its own home's
surplus, and discharges to its home or to neighbours; nobody shares PV at once, and nothing charges from the grid. With
N_t the community's deficit Σ (load − pv)⁺ and P_t its surplus Σ (pv − load)⁺ in window t, and for each battery i charge
c ≤ ĉ, discharge d ≤ cap, stored s ≤ usable, and o of d for the own home (only needed where there is a levy):

    min  Σ retail (N − Σ d) − feed_in (P − Σ c) + levy Σ (d − o) + Σ wear · d − Σ worth (s_T − s_0)
    (L1) s_{t+1} ≤ s_t + η c − d/η          what is stored may be less, never more
    (L2) c/ĉ + d/cap ≤ 1                    one window's time (F5), where the home has a surplus; ĉ = min(cap, surplus)
    (L3) Σ d ≤ N                            what is discharged meets a deficit, its own or a neighbour's
    (L4) o ≤ d,  o ≤ (load − pv)⁺

Homes without a battery need no variables: only N and P count.

Why it is a bound. Any integer flows that `Flows.check` lets pass with `own_surplus` cost at least the minimum:

 1. By (F1), Σ (import − export) = N − P + Σ c − Σ d, so the cost is feed_in times that, plus (retail − feed_in) Σ
    import, levy Σ taken, wear and worth; payments add up to 0. Let o_i = min(d_i − given_i, deficit_i) and G = Σ given
    = Σ taken. A home imports at least deficit − o − taken, hence Σ import ≥ N − O − G, and Σ import ≥ 0.
 2. Since o_i + given_i ≤ d_i there are d'_i ≤ d_i with d'_i ≥ o_i and Σ d' = min(N, O + G). With d' for d, (L3) and
    (L4) hold, and import and levy are no dearer in the programme, as retail ≥ feed_in and levy ≥ 0. What was too much,
    e = d − d', had earned feed_in at the most, and now stays in the battery as e/η.
 3. Carry that on. Either it is still there at the end, worth ⌈feed_in/η⌉ · e/η ≥ feed_in · e; or the battery would be
    over-full, and charges less instead, which saves feed_in · e/η² ≥ feed_in · e. So this is no dearer either.
 4. (F3) rounds down, so integer stores satisfy (L1) as they are; (F4), (F5) are the other bounds. So the result is
    feasible here, and costs no more than the flows did.

So it bounds *every* such scheme, with any foresight, any payments and any rounding; and by (D) of `staircase` the bound
does not rest on the solver. It is the optimum itself but for roundings: `Optimum.relaxed` is what the solution costs,
and `schedule` turns it into integer flows that pass `Flows.check`.

One freedom it has and the market has not: a battery may charge and sell in one window, one after the other. On a year
of SimBench's rural3 that is worth at most 7 % of the gain: a schedule that never does so reaches 93 % of the bound.
"""

from dataclasses import dataclass
from math import floor

from stowatt.data.homes import WINDOW_S
from stowatt.scenarios.accounts import Accounts, keep_accounts
from stowatt.scenarios.community import Community, Prices
from stowatt.scenarios.flows import Flows
from stowatt.scenarios.highs import load_highs
from stowatt.scenarios.programme import Programme
from stowatt.scenarios.schedule import schedule
from stowatt.scenarios.staircase import Progress

DAY = 24 * 3600 // WINDOW_S
"""Windows of a day."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The bound, and a schedule that nearly attains it. Costs are base units · Wh."""

    flows: Flows
    """An integer schedule; paid at the prices that support it (the multipliers of L3)."""
    accounts: Accounts
    bound: int
    """No scheme with these freedoms costs less. Rounded down, the rounding of floats allowed for."""
    relaxed: int
    """Cost of the programme's own solution, without the roundings of integers, to the nearest."""

    @property
    def gap(self) -> int:
        """What the schedule costs more than the bound: at most so far is it from the best of all integer schedules."""
        return self.accounts.total - self.bound


def run_optimum(community: Community, prices: Prices, progress: Progress | None = None) -> Optimum:
    """The optimum and its schedule, solved in pieces of `Programme.days` that look `Programme.further`."""
    load_highs()
    programme = Programme.of(community, prices)
    answer = programme.staircase.solve(programme.days * DAY, programme.further * DAY, progress)
    flows = schedule(community, programme.plan(answer))
    flows.check(community)
    accounts = keep_accounts(community, prices, flows)
    unit = programme.unit
    bound = programme.constant + floor((answer.bound - answer.slack) * unit)
    return Optimum(flows, accounts, bound, programme.constant + round(answer.value * unit))
