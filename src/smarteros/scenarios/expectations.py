"""Compares what was seen with what the contract expects. Pure: every mismatch is a sentence."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from smarteros.contracts.models import Expectation
from smarteros.domain.audit import AuditEvent
from smarteros.domain.turns import TurnRecord

_COMPARISON = re.compile(r"^(<=|>=|==|<|>) ?(\d+(?:\.\d+)?)(?: ?(ms|s))?$")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of a turn. A refused webhook has an HTTP status and no record."""

    reply: str | None = None
    latency_ms: int | None = None
    record: TurnRecord | None = None
    audit: Sequence[AuditEvent] = ()
    http_status: int | None = None
    http_body: str = ""


def failures_of(expect: Expectation, seen: Seen) -> tuple[str, ...]:
    """Say everything that is not as expected."""
    return (
        *_http(expect, seen),
        *_labels(expect, seen),
        *_numbers(expect, seen),
        *_text(expect, seen),
        *_audit(expect, seen),
    )


def compare(comparison: str, value: float) -> bool:
    """Tell whether a value satisfies ``> 0.90`` or ``< 5s``; times are compared in milliseconds."""
    match = _COMPARISON.match(comparison)
    if match is None:
        raise ValueError(f"not a comparison: {comparison!r}")
    sign, number, unit = match.groups()
    return _OPERATORS[sign](value, float(number) * (1000 if unit == "s" else 1))


def _http(expect: Expectation, seen: Seen) -> Iterator[str]:
    if expect.http_status is not None and seen.http_status != expect.http_status:
        yield f"HTTP status is {seen.http_status}, expected {expect.http_status}"
    if expect.error is not None and expect.error not in seen.http_body:
        yield f"the error is {seen.http_body[:200]!r}, expected {expect.error!r}"


def _labels(expect: Expectation, seen: Seen) -> Iterator[str]:
    record = seen.record
    decision = record.decision if record else None
    pairs: tuple[tuple[str, str | None, str | None], ...] = (
        ("intent", expect.intent, decision.intent if decision else None),
        ("route", expect.route, decision.route if decision else None),
        ("flow", expect.flow, record.flow_id if record else None),
        ("outcome", expect.outcome, record.outcome if record else None),
        ("rule", expect.rule, record.rule if record else None),
    )
    for name, expected, actual in pairs:
        # A message to a person needs no turn: silence without a record is "muted" too.
        silent = name == "outcome" and expected == "muted" and record is None and seen.reply is None
        if expected is not None and actual != expected and not silent:
            yield f"{name} is {actual!r}, expected {expected!r}"


def _numbers(expect: Expectation, seen: Seen) -> Iterator[str]:
    record = seen.record
    decision = record.decision if record else None
    reading = record.reading if record else None
    pairs: tuple[tuple[str, str | None, float | None], ...] = (
        ("confidence", expect.confidence, decision.confidence if decision else None),
        ("products", expect.products, _products(record)),
        ("ocr_confidence", expect.ocr_confidence, reading.confidence if reading else None),
        ("latency (ms)", expect.latency, seen.latency_ms),
    )
    for name, comparison, value in pairs:
        if comparison is None:
            continue
        if value is None:
            yield f"{name} is unknown, expected {comparison}"
        elif not compare(comparison, value):
            yield f"{name} is {value:g}, expected {comparison}"


def _products(record: TurnRecord | None) -> int | None:
    for result in record.tool_results if record else ():
        if result.tool == "shopify_search_products" and result.data is not None:
            return len(result.data.get("products", ()))
    return None


def _text(expect: Expectation, seen: Seen) -> Iterator[str]:
    reply = seen.reply or ""
    for part in expect.contains:
        if part not in reply:
            yield f"the reply does not contain {part!r}: {reply[:300]!r}"
    for part in expect.not_contains:
        if part in reply:
            yield f"the reply contains {part!r}, which it must not"


def _audit(expect: Expectation, seen: Seen) -> Iterator[str]:
    if not expect.audit:
        return
    events = [event.model_dump(exclude={"details"}) | event.details for event in seen.audit]
    if any(all(event.get(key) == value for key, value in expect.audit.items()) for event in events):
        return
    shown: list[dict[str, Any]] = [{key: event.get(key) for key in expect.audit} for event in events[-3:]]
    yield f"no audit event has {expect.audit}; there is {shown}"
