"""A contract as a Markdown page for the shop's people: what the bot promises, says, and does when things fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from smarteros.contracts.models import AlertRule, Contract
from smarteros.domain.decisions import ROUTE_OF_INTENT
from smarteros.domain.messages import Desk


def markdown(contract: Contract) -> str:
    """Write the page."""
    sections = (_head, _promises, _entry, _tools, _replies, _people, _desks, _scenarios)
    return "\n".join(line for section in sections for line in section(contract)).rstrip() + "\n"


def _head(contract: Contract) -> Iterator[str]:
    yield f"# {contract.flow_id} {contract.version}"
    yield ""
    yield contract.description.en
    yield ""
    yield contract.description.es
    yield ""
    yield f"Priority {contract.priority}, owned by {contract.owner}."
    yield ""


def _promises(contract: Contract) -> Iterator[str]:
    slo = contract.slo
    yield "## Promises"
    yield ""
    yield f"- p95 latency: {slo.latency_p95_ms / 1000:g} s"
    yield f"- success: {slo.success_rate:.0%} over {slo.window}"
    yield ""
    rows = [(alert.name, _condition(alert), alert.severity, ", ".join(alert.notify)) for alert in contract.alerts]
    yield from _table(("alert", "fires when", "severity", "told"), rows)


def _condition(alert: AlertRule) -> str:
    counted = alert.signal.startswith("consecutive_") or alert.signal == "service_down"
    return f"{alert.signal} {'≥' if counted else '>'} {alert.threshold:g}"


def _entry(contract: Contract) -> Iterator[str]:
    yield "## Answers"
    yield ""
    yield f"Channels: {', '.join(contract.entry.channels)}."
    if contract.entry.attachments:
        yield f"Started by attachments too: {', '.join(contract.entry.attachments)}."
    yield ""
    rows = [
        (intent, ROUTE_OF_INTENT[intent], f"{contract.agent.thresholds.of(intent):.2f}", _first(contract, index))
        for index, intent in enumerate(contract.entry.intents)
    ]
    yield from _table(("intent", "route", "believed from", "for example"), rows)
    if contract.other_flows:
        rows = [(other.intent, other.flow) for other in contract.other_flows]
        yield from _table(("answered by another flow", "flow"), rows)


def _first(contract: Contract, index: int) -> str:
    return next(iter(contract.agent.examples.get(contract.entry.intents[index], ())), "")


def _tools(contract: Contract) -> Iterator[str]:
    if not contract.tools:
        return
    yield "## Looks up"
    yield ""
    rows = [
        (name, f"{tool.timeout_ms} ms", str(tool.retries), tool.fallback, ", ".join(tool.secrets))
        for name, tool in contract.tools.items()
    ]
    yield from _table(("tool", "time-out", "retries", "when it fails", "secrets"), rows)


def _replies(contract: Contract) -> Iterator[str]:
    yield "## Says"
    yield ""
    for rule in contract.reply:
        yield f"### {rule.route}: {rule.outcome}"
        yield ""
        yield f"When `{' '.join(rule.when.split())}`." if rule.when else "In all other cases."
        if rule.escalate:
            yield "A person takes over afterwards."
        yield ""
        yield "```text"
        yield rule.text.es.rstrip()
        yield "---"
        yield rule.text.en.rstrip()
        yield "```"
        yield ""


def _people(contract: Contract) -> Iterator[str]:
    if not contract.escalation:
        return
    yield "## A person at once"
    yield ""
    rows = [(rule.name, f"`{rule.when}`", ", ".join(rule.notify)) for rule in contract.escalation]
    yield from _table(("rule", "when", "told"), rows)


def _desks(contract: Contract) -> Iterator[str]:
    hand_over = contract.hand_over
    desks = {"every other": hand_over.of(None)} | {rule: hand_over.of(rule) for rule in hand_over.by_rule}
    if desks == {"every other": Desk()}:
        return
    yield "## Where people find what was handed over"
    yield ""
    rows = [(rule, ", ".join(desk.labels), desk.team or "", desk.priority or "") for rule, desk in desks.items()]
    yield from _table(("rule", "labels", "team", "priority"), rows)


def _scenarios(contract: Contract) -> Iterator[str]:
    yield "## Scenarios"
    yield ""
    for scenario in contract.scenarios:
        said = " → ".join(turn.say or "[photo]" for turn in scenario.turns)
        yield f"- {scenario.name} ({scenario.tenant}): {said}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from (_row(row) for row in rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
