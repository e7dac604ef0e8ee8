"""Mistakes that only show when the contracts of an installation are looked at together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smarteros.contracts.findings import Finding
from smarteros.contracts.models import Contract, Expectation
from smarteros.contracts.source import Source
from smarteros.domain.decisions import Intent

Pair = tuple[Source, Contract]


def check_between(pairs: Sequence[Pair]) -> list[Finding]:
    """Run every check that compares contracts."""
    checks = (_flow_ids, _owners, _other_flows, _expectations)
    return [finding for check in checks for finding in check(pairs)]


def _flow_ids(pairs: Sequence[Pair]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for source, contract in pairs:
        if contract.flow_id in first:
            message = f"flow_id {contract.flow_id!r} is already taken by {first[contract.flow_id]}"
            yield source.finding("duplicate_flow", message, "flow_id")
        first.setdefault(contract.flow_id, source.file)


def _owners(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """What starts a flow may start one only: an intent, an attachment of a kind."""
    owner: dict[tuple[str, str], str] = {}
    for source, contract in pairs:
        entry = contract.entry
        for part, said, starts in (
            ("intents", "intent {!r} already belongs to {!r}", entry.intents),
            ("attachments", "attachments of kind {!r} already start {!r}", entry.attachments),
        ):
            for index, start in enumerate(starts):
                if (part, start) in owner:
                    message = said.format(start, owner[part, start])
                    yield source.finding("intent_owned_twice", message, "entry", part, index)
                owner.setdefault((part, start), contract.flow_id)


def _other_flows(pairs: Sequence[Pair]) -> Iterator[Finding]:
    flows = {contract.flow_id: contract for _, contract in pairs}
    targets = {(contract.flow_id, other.intent): other.flow for _, contract in pairs for other in contract.other_flows}
    for source, contract in pairs:
        for index, other in enumerate(contract.other_flows):
            path = ("other_flows", index, "flow")
            if other.flow not in flows:
                yield source.finding("unknown_flow", f"there is no flow {other.flow!r}", *path)
            elif _comes_back(targets, contract.flow_id, other.intent):
                message = f"intent {other.intent!r} goes around in a circle and is never answered"
                yield source.finding("flow_cycle", message, *path)
            elif other.intent not in flows[other.flow].entry.intents:
                message = f"{other.flow!r} does not answer intent {other.intent!r}"
                yield source.finding("bad_other_flow", message, *path)


def _comes_back(targets: dict[tuple[str, str], str], start: str, intent: Intent) -> bool:
    visited = {start}
    flow = targets.get((start, intent))
    while flow is not None and flow not in visited:
        visited.add(flow)
        flow = targets.get((flow, intent))
    return flow == start


def _expectations(pairs: Sequence[Pair]) -> Iterator[Finding]:
    flows = {contract.flow_id: contract for _, contract in pairs}
    for source, contract in pairs:
        for scenario_index, scenario in enumerate(contract.scenarios):
            for turn_index, turn in enumerate(scenario.turns):
                path = ("scenarios", scenario_index, "turns", turn_index, "expect")
                yield from _expectation(source, contract, turn.expect, flows, path)


def _expectation(
    source: Source, own: Contract, expect: Expectation, flows: dict[str, Contract], path: tuple[str | int, ...]
) -> Iterator[Finding]:
    if expect.flow is not None and expect.flow not in flows:
        yield source.finding("impossible_expectation", f"there is no flow {expect.flow!r}", *path, "flow")
        return
    answering = flows.get(expect.flow or "", own)
    owned = {intent for contract in flows.values() for intent in contract.entry.intents}
    if expect.intent is not None and expect.intent not in owned:
        message = f"no flow answers intent {expect.intent!r}"
        yield source.finding("impossible_expectation", message, *path, "intent")
    routes = {rule.route for rule in answering.reply}
    if expect.route is not None and expect.route not in routes:
        message = f"flow {answering.flow_id!r} has no rule for route {expect.route!r}"
        yield source.finding("impossible_expectation", message, *path, "route")
