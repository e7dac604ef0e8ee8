"""What the signals of a contract's alerts are worth, from a shop's last turns. Pure arithmetic.

The generated Prometheus rules (``contracts.exporters.prometheus``) ask the same of the metrics: same window, same
smallest number of turns, same meaning of a turn that failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smarteros.contracts.models import AlertRule, Contract
from smarteros.contracts.objectives import FEWEST_TURNS, LATENCY_SHARE
from smarteros.domain.model import Model
from smarteros.domain.turns import TRUSTED_CONFIDENCE
from smarteros.observability.slo import verdict
from smarteros.store.turn_facts import TurnFacts

# Latencies and rates are those of the turns of so long, and of ``MOST_TURNS`` at most.
WINDOW = timedelta(minutes=30)
MOST_TURNS = 1000


class Measured(Model):
    """A signal's value. ``holds`` tells whether the alert is on; None when there are too few turns to judge by.

    ``subject`` is the tool it is about.
    """

    value: float
    holds: bool | None
    subject: str | None = None


@dataclass(frozen=True)
class _Asked:
    """A rule, and the turns of its flow, oldest first; ``recent`` are those of the window."""

    rule: AlertRule
    contract: Contract
    turns: Sequence[TurnFacts]
    recent: Sequence[TurnFacts]


def measure(rule: AlertRule, contract: Contract, turns: Sequence[TurnFacts], now: datetime) -> tuple[Measured, ...]:
    """Measure a rule over a shop's turns of any flow, oldest first; one value, or one for each system asked."""
    if rule.signal not in _MEASURES:
        return ()
    own = [turn for turn in turns if turn.flow_id == contract.flow_id]
    return _MEASURES[rule.signal](_Asked(rule, contract, own, [turn for turn in own if turn.at > now - WINDOW]))


def _latency(asked: _Asked) -> tuple[Measured, ...]:
    known = sorted(turn.latency_ms for turn in asked.recent if turn.latency_ms is not None)
    # The smallest value that 95 of 100 do not exceed.
    value = known[math.ceil(len(known) * LATENCY_SHARE) - 1] if known else 0.0
    return (_judged(value, len(known), asked.rule.threshold),)


def _error_rate(asked: _Asked) -> tuple[Measured, ...]:
    slo = asked.contract.slo
    # A turn without a latency said nothing to anybody: how it ended judges it.
    judged = [verdict(turn.outcome, "message", turn.latency_ms or 0.0, slo) for turn in asked.recent]
    counted = [each == "broken" for each in judged if each is not None]
    return (_judged(_share(counted), len(counted), asked.rule.threshold),)


def _not_found(asked: _Asked) -> tuple[Measured, ...]:
    missing = [not turn.invoice_found for turn in asked.recent if turn.invoice_found is not None]
    return (_judged(_share(missing), len(missing), asked.rule.threshold),)


def _low_confidence(asked: _Asked) -> tuple[Measured, ...]:
    wanted = asked.contract.agent.thresholds.answer
    return (_in_a_row(asked.rule, [turn.confidence < wanted for turn in asked.turns if turn.confidence is not None]),)


def _low_ocr(asked: _Asked) -> tuple[Measured, ...]:
    read = [turn.ocr_confidence for turn in asked.turns if turn.ocr_confidence is not None]
    return (_in_a_row(asked.rule, [confidence < TRUSTED_CONFIDENCE for confidence in read]),)


def _timeouts(asked: _Asked) -> tuple[Measured, ...]:
    """A tool is named after the system it asks; all tools of a system are in one row."""
    found: list[Measured] = []
    for service in sorted({tool.partition("_")[0] for tool in asked.contract.tools}):
        calls = [{tool for tool in turn.called if tool.partition("_")[0] == service} for turn in asked.turns]
        failed = [bool(tools & turn.timed_out) for tools, turn in zip(calls, asked.turns, strict=True) if tools]
        found.append(_in_a_row(asked.rule, failed).model_copy(update={"subject": service}))
    return tuple(found)


_MEASURES: dict[str, Callable[[_Asked], tuple[Measured, ...]]] = {
    "latency_p95_ms": _latency,
    "error_rate": _error_rate,
    "invoice_not_found_rate": _not_found,
    "consecutive_low_confidence": _low_confidence,
    "consecutive_low_ocr_confidence": _low_ocr,
    "consecutive_tool_timeouts": _timeouts,
}


def _judged(value: float, counted: int, threshold: float) -> Measured:
    """A rate of few turns is no rate: what was on stays on, until there are none at all."""
    holds = value > threshold if counted >= FEWEST_TURNS else None if counted else False
    return Measured(value=value, holds=holds)


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0


def _in_a_row(rule: AlertRule, hits: Sequence[bool]) -> Measured:
    row = next((number for number, hit in enumerate(reversed(hits)) if not hit), len(hits))
    return Measured(value=row, holds=row >= rule.threshold)
