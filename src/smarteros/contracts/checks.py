"""Mistakes one contract can hold although its types are right. Every check yields findings with a path."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator

from smarteros.contracts.findings import Finding
from smarteros.contracts.models import AlertRule, Contract, ReplyRule, Slo
from smarteros.contracts.names import expression_problems, names_in, text_problems
from smarteros.contracts.source import Source
from smarteros.domain.decisions import ROUTE_OF_INTENT, Route
from smarteros.domain.secret_paths import SECRET_PATHS
from smarteros.domain.turns import BUILT_IN_RULES

# The route on which a tool's facts are told: that is where its failure must be told too.
ROUTE_OF_TOOL: dict[str, Route] = {
    "shopify_search_products": "shopify_sales",
    "shopify_get_product": "shopify_sales",
    "shopify_recommend_products": "shopify_sales",
    "shopify_check_stock": "shopify_sales",
    "shopify_create_cart": "shopify_sales",
    "shopify_order_status": "shopify_sales",
    "odoo_find_invoice": "odoo_invoice_lookup",
    "odoo_customer_history": "odoo_invoice_lookup",
    "odoo_list_invoices_by_contact": "odoo_invoice_lookup",
    "odoo_create_ticket": "odoo_invoice_lookup",
}
RATE_SIGNALS = frozenset({"error_rate", "invoice_not_found_rate"})


def check_contract(source: Source, contract: Contract) -> list[Finding]:
    """Run every check that needs no other file."""
    checks = (_tools, _secrets, _expressions, _rules_order, _routes, _alerts, _examples, _unique_names, _hand_over)
    return [finding for check in checks for finding in check(source, contract)]


def rules_by_route(contract: Contract) -> dict[Route, list[tuple[int, ReplyRule]]]:
    """Group the reply rules, with their position, by route."""
    grouped: dict[Route, list[tuple[int, ReplyRule]]] = defaultdict(list)
    for index, rule in enumerate(contract.reply):
        grouped[rule.route].append((index, rule))
    return grouped


def _tools(source: Source, contract: Contract) -> Iterator[Finding]:
    grouped = rules_by_route(contract)
    for name, tool in contract.tools.items():
        if name not in ROUTE_OF_TOOL:
            known = ", ".join(ROUTE_OF_TOOL)
            yield source.finding("unknown_tool", f"there is no tool {name!r}; known: {known}", "tools", name)
            continue
        for parameter, expression in tool.params.items():
            for problem in expression_problems(expression):
                yield source.finding("bad_expression", problem, "tools", name, "params", parameter)
        rules = grouped.get(ROUTE_OF_TOOL[name], [])
        if not any(rule.when is not None and "tool_failed" in names_in(rule.when) for _, rule in rules):
            message = f"no rule of route {ROUTE_OF_TOOL[name]!r} says what happens when {name} fails (tool_failed)"
            yield source.finding("missing_fallback", message, "tools", name)


def _secrets(source: Source, contract: Contract) -> Iterator[Finding]:
    for index, path in enumerate(contract.secrets):
        if path not in SECRET_PATHS:
            yield source.finding("unknown_secret", f"no tenant has a secret {path!r}", "secrets", index)
    for name, tool in contract.tools.items():
        for index, path in enumerate(tool.secrets):
            if path not in contract.secrets:
                message = f"tool {name} reads {path!r}, which the contract's secrets do not declare"
                yield source.finding("undeclared_secret", message, "tools", name, "secrets", index)


def _expressions(source: Source, contract: Contract) -> Iterator[Finding]:
    for index, rule in enumerate(contract.reply):
        yield from _condition_and_text(source, rule.when, rule.text.es, rule.text.en, "reply", index)
    for index, notice in enumerate(contract.notices):
        yield from _condition_and_text(source, notice.when, notice.text.es, notice.text.en, "notices", index)
    for index, escalation in enumerate(contract.escalation):
        text = escalation.text
        yield from _condition_and_text(source, escalation.when, text.es, text.en, "escalation", index)


def _condition_and_text(source: Source, when: str | None, es: str, en: str, *path: str | int) -> Iterator[Finding]:
    for problem in expression_problems(when) if when is not None else ():
        yield source.finding("bad_expression", problem, *path, "when")
    for language, text in (("es", es), ("en", en)):
        for problem in text_problems(text):
            yield source.finding("bad_expression", problem, *path, "text", language)


def _rules_order(source: Source, contract: Contract) -> Iterator[Finding]:
    for route, rules in rules_by_route(contract).items():
        last_index, last = rules[-1]
        if last.when is not None:
            message = f"the last rule of route {route!r} has a condition: some turns would get no text"
            yield source.finding("missing_fallback", message, "reply", last_index, "when")
        open_rule: str | None = None
        for index, rule in rules:
            if open_rule is not None:
                message = f"rule {rule.outcome!r} is never used: {open_rule!r} above it has no condition"
                yield source.finding("unreachable_rule", message, "reply", index)
            elif rule.when is None:
                open_rule = rule.outcome


def _routes(source: Source, contract: Contract) -> Iterator[Finding]:
    grouped = rules_by_route(contract)
    reachable = {ROUTE_OF_INTENT[intent] for intent in contract.entry.intents}
    for index, intent in enumerate(contract.entry.intents):
        route = ROUTE_OF_INTENT[intent]
        if route not in grouped:
            message = f"intent {intent!r} leads to route {route!r}, which has no reply rule"
            yield source.finding("missing_fallback", message, "entry", "intents", index)
    for route, rules in grouped.items():
        if route not in reachable:
            message = f"no intent of the entry leads to route {route!r}"
            yield source.finding("unreachable_route", message, "reply", rules[0][0], "route")


def _alerts(source: Source, contract: Contract) -> Iterator[Finding]:
    watched = {alert.signal for alert in contract.alerts}
    for key, signal in (("latency_p95_ms", "latency_p95_ms"), ("success_rate", "error_rate")):
        if signal not in watched:
            message = f"nothing alerts when {key} is missed: add an alert on {signal}"
            yield source.finding("slo_without_alert", message, "slo", key)
    for index, alert in enumerate(contract.alerts):
        problem = _impossible(alert, contract.slo)
        if problem is not None:
            yield source.finding("alert_impossible", problem, "alerts", index, "threshold")


def _impossible(alert: AlertRule, slo: Slo) -> str | None:
    """Say why an alert can never fire, or fires although the promise is kept."""
    value = alert.threshold
    if not math.isfinite(value) or value < 0:
        return "the threshold is not a number that can be reached"
    if alert.signal in RATE_SIGNALS and value >= 1:
        return f"{alert.signal} is a share: it never exceeds {value:g}; write 5 % as 0.05"
    if alert.signal == "error_rate" and value / (1 - slo.success_rate) < 1 - 1e-9:
        return f"an error rate of {value:g} is still inside the promised success rate of {slo.success_rate:g}"
    if alert.signal == "latency_p95_ms" and value < slo.latency_p95_ms:
        return f"{value:g} ms is still inside the promised {slo.latency_p95_ms} ms"
    if alert.signal.startswith("consecutive_") and (value < 1 or value != int(value)):
        return f"{alert.signal} is counted in whole numbers from 1"
    return None


def _examples(source: Source, contract: Contract) -> Iterator[Finding]:
    for section, intents in (
        (("agent", "examples"), contract.agent.examples),
        (("agent", "thresholds", "per_intent"), contract.agent.thresholds.per_intent),
    ):
        for intent in intents:
            if intent not in contract.entry.intents:
                message = f"intent {intent!r} is not one of the entry"
                yield source.finding("foreign_intent", message, *section, intent)
    for index, other in enumerate(contract.other_flows):
        if other.intent in contract.entry.intents:
            message = f"intent {other.intent!r} is the flow's own and cannot be another's"
            yield source.finding("bad_other_flow", message, "other_flows", index, "intent")


def _hand_over(source: Source, contract: Contract) -> Iterator[Finding]:
    own = {rule.outcome for rule in contract.reply if rule.escalate} | {rule.name for rule in contract.escalation}
    for rule in contract.hand_over.by_rule:
        if rule not in own | BUILT_IN_RULES:
            message = f"nothing is handed over by a rule {rule!r}; built in are {', '.join(sorted(BUILT_IN_RULES))}"
            yield source.finding("unknown_rule", message, "hand_over", "by_rule", rule)


def _unique_names(source: Source, contract: Contract) -> Iterator[Finding]:
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("reply", (f"{rule.route}/{rule.outcome}" for rule in contract.reply)),
        ("escalation", (rule.name for rule in contract.escalation)),
        ("notices", (notice.name for notice in contract.notices)),
        ("alerts", (alert.name for alert in contract.alerts)),
        ("scenarios", (scenario.name for scenario in contract.scenarios)),
        ("other_flows", (other.intent for other in contract.other_flows)),
    )
    for section, names in lists:
        seen: set[str] = set()
        for index, name in enumerate(names):
            if name in seen:
                yield source.finding("duplicate_name", f"{section} has {name!r} twice", section, index)
            seen.add(name)
