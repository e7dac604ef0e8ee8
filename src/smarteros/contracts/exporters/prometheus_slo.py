"""The rules of a flow's SLO: recorded ratios (named as Sloth names them) and how fast the budget burns.

Every ratio is recorded for each shop, and for all together under ``tenant="all"``: a fault that fails five turns each
of a hundred shops is found though no shop has turns enough for a ratio of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smarteros.contracts.exporters.prometheus_rules import ALL, BOTH, SHOP, TESTED_HOURS, Alert, Record, selector
from smarteros.contracts.models import Contract
from smarteros.contracts.objectives import BURNS, FEWEST_TURNS, Burn, Objective, burns_of, objectives, window_of

TURNS = "smos_slo_turns_total"
LATENCY = "smos_turn_latency_seconds"
# Where the contracts' own thresholds look: long enough for a shop to have some turns.
WINDOW = "30m"
WINDOWS = tuple(dict.fromkeys(window for burn in BURNS for window in (burn.short, burn.long)))
COUNTED = "smos:slo_turns:increase"
P95 = f"smos:turn_latency_ms:p95_{WINDOW}"
RATIO = "slo:sli_error:ratio_rate"
_SINKS = {"page": ("pagerduty", "whatsapp_founder"), "ticket": ("slack", "email")}
_HOURS = {"m": 1 / 60, "h": 1.0, "d": 24.0}


def records(contract: Contract) -> Iterator[Record]:
    """Record a flow's ratios, counts and latency."""
    flow = contract.flow_id
    for window in WINDOWS:
        counted = f'increase({TURNS}{{flow="{flow}"}}[{window}])'
        for scope, labels, shown in _scopes({"flow": flow}):
            fed = turns_of(flow, kept=3, broken=1)
            seen = min(_hours(window), TESTED_HOURS) * 60 * 4  # four turns a minute, no longer than the test lasts
            yield Record(f"{COUNTED}{window}", f"{scope} ({counted})", labels, fed, seen, shown)
    for objective in objectives(contract.slo):
        yield from _ratios(contract, objective)
        yield from _budget(contract, objective)
    buckets = f'rate({LATENCY}_bucket{{flow="{flow}"}}[{WINDOW}])'
    for scope, labels, shown in _scopes({"flow": flow}, "le"):
        expr = f"histogram_quantile(0.95, {scope} ({buckets})) * 1000"
        yield Record(P95, expr, labels, latencies_of(flow, under_s=1), 950, shown)


def burn_alerts(contract: Contract) -> Iterator[Alert]:
    """Alert while the budget burns, early when it burns fast."""
    for objective in objectives(contract.slo):
        for burn in burns_of(objective):
            yield _burn_alert(contract, objective, burn)


def enough(flow: str, window: str) -> str:
    """Return the condition that a shop had turns enough for a ratio."""
    return f' and on (tenant) {COUNTED}{window}{{flow="{flow}"}} >= {FEWEST_TURNS}'


def ratio(contract: Contract, objective: Objective, window: str) -> str:
    """Name the recorded ratio of bad turns, with no labels but the shop's."""
    return f"max by (tenant) ({selector(f'{RATIO}{window}', {'sloth_id': _sloth(contract, objective)['sloth_id']})})"


def turns_of(flow: str, *, kept: int, broken: int) -> dict[str, str]:
    """Return series of so many turns a minute."""
    rates = {"kept": kept, "late": 0, "broken": broken}
    return {
        selector(TURNS, {"flow": flow, "tenant": SHOP, "verdict": verdict}): f"0+{rate}x120"
        for verdict, rate in rates.items()
    }


def latencies_of(flow: str, *, under_s: float) -> dict[str, str]:
    """Return series of a turn a minute, all of them answered within a time, and none much quicker."""
    own = {"flow": flow, "tenant": SHOP}
    return {
        selector(f"{LATENCY}_bucket", {**own, "le": str(under_s)}): "0+1x120",
        selector(f"{LATENCY}_bucket", {**own, "le": "+Inf"}): "0+1x120",
    }


def _ratios(contract: Contract, objective: Objective) -> Iterator[Record]:
    bad = f'{TURNS}{{flow="{contract.flow_id}",verdict=~"{"|".join(objective.bad)}"}}'
    every = f'{TURNS}{{flow="{contract.flow_id}"}}'
    series = turns_of(contract.flow_id, kept=3, broken=1)
    for window in dict.fromkeys((*WINDOWS, contract.slo.window)):
        for scope, labels, shown in _scopes({**_sloth(contract, objective), "sloth_window": window}):
            expr = f"{scope} (rate({bad}[{window}])) / {scope} (rate({every}[{window}]))"
            yield Record(f"{RATIO}{window}", expr, labels, series, 0.25, shown)


def _budget(contract: Contract, objective: Objective) -> Iterator[Record]:
    """What is left of the budget, by the same arithmetic as ``smos slo``."""
    own, series = _sloth(contract, objective), turns_of(contract.flow_id, kept=3, broken=1)
    days = window_of(contract.slo).total_seconds() / 86_400
    budget, spent = round(objective.budget, 6), 0.25 / objective.budget
    for name, value in (
        ("objective:ratio", objective.ratio),
        ("error_budget:ratio", budget),
        ("time_period:days", days),
    ):
        yield Record(f"slo:{name}", f"vector({value:g})", own, {}, round(value, 4))
    sloth = f'sloth_id="{own["sloth_id"]}"'
    window, shown = contract.slo.window, {"tenant": SHOP}
    for name, expr, value in (
        ("current_burn_rate:ratio", f"{_per_shop(f'{RATIO}5m', sloth)} / {budget:g}", spent),
        ("period_burn_rate:ratio", f"{_per_shop(f'{RATIO}{window}', sloth)} / {budget:g}", spent),
        ("period_error_budget_remaining:ratio", f"1 - {_per_shop(f'{RATIO}{window}', sloth)} / {budget:g}", 1 - spent),
    ):
        yield Record(f"slo:{name}", expr, own, series, round(value, 4), shown)


def _burn_alert(contract: Contract, objective: Objective, burn: Burn) -> Alert:
    limit, flow = objective.burning(burn), contract.flow_id
    expr = (
        f"{ratio(contract, objective, burn.long)} > {limit:g}"
        f" and on (tenant) {ratio(contract, objective, burn.short)} > {limit:g}{enough(flow, burn.long)}"
    )
    return Alert(
        name=f"{flow}_{objective.name}_budget_burns_{burn.name}",
        expr=expr,
        severity=burn.severity,
        notify=_SINKS[burn.severity],
        summary=f"{flow}: more than {limit:.0%} of the turns of {{{{ $labels.tenant }}}} missed the promised"
        f" {objective.name} over {burn.long}",
        runbook="slo_budget_burns",
        labels={"flow": flow, "signal": "slo_budget_burns"},
        shown=BOTH,
        # Everything fails: whatever was promised, that is more than the limit.
        bad=turns_of(flow, kept=0, broken=1),
        good=turns_of(flow, kept=1, broken=0),
    )


def _sloth(contract: Contract, objective: Objective) -> dict[str, str]:
    name = f"{contract.flow_id}-{objective.name}"
    return {"sloth_id": f"smarteros-{name}", "sloth_service": "smarteros", "sloth_slo": name, "flow": contract.flow_id}


def _scopes(labels: Mapping[str, str], *kept: str) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Yield the aggregation by shop and over all shops, with the labels of the rule and of the shop that tests it."""
    yield f"sum by ({', '.join(('tenant', *kept))})", dict(labels), {"tenant": SHOP}
    yield f"sum by ({', '.join(kept)})" if kept else "sum", {**labels, "tenant": ALL}, {}


def _per_shop(name: str, chosen: str) -> str:
    return f"max by (tenant) ({name}{{{chosen}}})"


def _hours(window: str) -> float:
    return int(window[:-1]) * _HOURS[window[-1]]
