"""What a scenario's figures assume, in sentences with its own values: for the report and for run.json."""

from collections.abc import Iterator

from stowatt.data.decimals import DecimalUnit
from stowatt.scenarios.community import Community
from stowatt.scenarios.scenario import Scenario
from stowatt.scenarios.settings import Shares
from stowatt.units import PPM

_CENT = DecimalUnit(1, -4)
_EURO = DecimalUnit(1, -6)
_PER_CENT = DecimalUnit(1, -4)


def assumptions_of(scenario: Scenario, community: Community) -> list[str]:
    """All of them, those of schemes that are not compared left out."""
    return [*_prices(scenario, community), *_physics(scenario), *_schemes(scenario), *_limits()]


def _prices(scenario: Scenario, community: Community) -> Iterator[str]:
    tariff, costs = scenario.tariff, scenario.battery
    yield (
        f"A kWh from the grid costs {_CENT.text(tariff.evening)} ct from {tariff.evening_from}:00 to "
        f"{tariff.evening_to}:00 and {_CENT.text(tariff.day)} ct at other times, on every day; a kWh fed in earns "
        f"{_CENT.text(tariff.feed_in)} ct; a kWh from a neighbour or from the community's battery bears "
        f"{_CENT.text(tariff.levy)} ct of network charges and taxes."
    )
    wear = sorted({int(cost) for cost in community.storage.wear[community.storage.usable_wh > 0]})
    each = " or ".join(_CENT.text(cost) for cost in wear[:3]) or "nothing"
    yield (
        f"A new battery costs {_EURO.text(costs.replacement)} EUR for each usable kWh and lasts {costs.cycle_life} "
        f"full cycles: wear of {each} ct for each delivered kWh. What is left in a battery at the end is worth the "
        "feed-in that charging it would forgo."
    )
    yield (
        "Not counted, because no scheme changes it: standing charges, the price of PV and batteries, ageing by time, "
        "taxes on income."
    )


def _physics(scenario: Scenario) -> Iterator[str]:
    if set(scenario.schemes) & {"none", "market", "optimum"}:
        yield (
            "Home batteries charge from their own home's surplus only, never from the grid or from a neighbour; PV "
            "is never curtailed, and PV surplus is not traded: only stored energy is shared."
        )
    yield (
        "The community's wires lose nothing and are never too thin; batteries lose energy when they charge and when "
        "they discharge, and nothing in between."
    )


def _schemes(scenario: Scenario) -> Iterator[str]:
    settings = scenario.settings
    yield "No sharing: each battery takes in its own home's surplus and gives out what its home lacks, at once."
    if "market" in scenario.schemes:
        yield (
            f"Market: every quarter of an hour that begins from {settings.first}:00 to before {settings.last}:00, "
            "sealed bids close one window ahead; cleared by the rules of the paper (§3) without the chain, price "
            f"rule {settings.price_rule.name.lower()}, rationing {settings.rationing.name.lower().replace('_', ' ')}, "
            f"ticks of {_CENT.text(settings.grid.tick_size)} ct."
        )
        yield (
            f"Sellers: {_shares(settings.sellers)}; buyers: {_shares(settings.buyers)}; they know "
            + (
                "their own load and PV of the coming day (perfect)."
                if settings.forecast == "perfect"
                else "yesterday's load and PV at the same time (persistence), and prudent buyers how often the last "
                "seven days needed what they bid for."
            )
            + " Nobody learns, colludes or misreports otherwise."
        )
        if settings.outages_ppm:
            yield (
                f"A battery is down in {_PER_CENT.text(settings.outages_ppm)} % of windows; what it sold is settled "
                "by the rules of §6: its deposit compensates the buyers, who import instead."
            )
    if set(scenario.schemes) & {"shared-battery", "shared-storage"}:
        yield (
            "Community battery: one battery with all the energy and power of the homes' batteries, which it "
            "replaces. Each home has a fixed share of every window's pooled surplus and of the battery, by its load "
            "over the whole time. Who uses a share pays its producer the feed-in price. Who owns the battery and "
            "what it cost is left out, so homes that give up their own battery can lose. It has freedoms that the "
            "market lacks: PV surplus is shared at once, and the battery charges from everybody's surplus."
        )
    if "shared-storage" in scenario.schemes:
        yield (
            "Community battery, stored only: the same battery, but PV surplus that it does not store is not shared, as "
            "in the market. It still charges from everybody's surplus."
        )
    if "optimum" in scenario.schemes:
        yield (
            "Perfect foresight: one plan for all batteries that knows every load and every PV yield in advance (a "
            "linear program), with the same freedoms as the market: no market with these batteries can gain more. A "
            "second bound is what no sharing of any kind could beat: PV shared at once, and all batteries as one."
        )


def _limits() -> Iterator[str]:
    yield (
        "One year, one draw of owners and strategies by the seed: sweep over seed to see how much of a figure is "
        "chance. Homes do not change what they use because of prices."
    )


def _shares(shares: Shares) -> str:
    if len(shares) == 1:
        return shares[0][0]
    return ", ".join(f"{name} {100 * share / PPM:g} %" for name, share in shares)
