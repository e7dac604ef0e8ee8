"""The whole story of a turn or a conversation, put together from the records of every table, in the order of time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import TENANT_ID
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import TurnRecord
from smarteros.kit.redaction import Redactor
from smarteros.store.database import Database
from smarteros.store.statements import run
from smarteros.store.turn_inputs import AS_NAMED

_ID = re.compile(
    rf"(?P<tenant>{TENANT_ID.pattern.strip('^$')}):(?P<conversation>[0-9]{{1,18}})(?P<turn>:[0-9a-z_:]{{1,60}})?"
)
_OF = "tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s"
_ONE = f"{_OF} AND (%(turn_id)s::text IS NULL OR turn_id = %(turn_id)s)"
_EVENTS = (
    f"SELECT received_at, event, message_id, message, ignore_reason, turn_id FROM smos.received_events WHERE {_ONE}"  # noqa: S608
)
_WAITING = f"SELECT turn_id, enqueued_at, worker, claims, lane FROM smos.waiting_turns WHERE {_ONE}"  # noqa: S608
_TURNS = f"SELECT record FROM smos.turns WHERE {_ONE}"  # noqa: S608
_REPLIES = f"""
SELECT turn_id, intended_at, posted_at, failed_at, failed_reason, channel_message_id, text
  FROM smos.replies WHERE {_ONE}
"""  # noqa: S608
_CALLS = f"SELECT called_at, message_id, call FROM smos.llm_calls WHERE {_OF}"  # noqa: S608
_AUDIT = f"""
SELECT recorded_at, position, event ->> 'event_id' AS event_id, event ->> 'kind' AS kind FROM smos.audit_events
 WHERE {_OF} AND (%(turn_id)s::text IS NULL OR strpos(event ->> 'event_id', %(turn_id)s) > 0)
"""  # noqa: S608


class Happening(Model):
    """One thing that happened: ``at`` is ours, aware UTC; ``lasted_ms`` where it took time."""

    at: datetime
    what: str
    turn_id: str | None = None
    lasted_ms: float | None = None
    details: dict[str, Any]


@dataclass(frozen=True)
class Tracer:
    """Reads stories. Personal data in texts is replaced unless ``personal``."""

    database: Database
    tenant_of: Callable[[str], Tenant | None]
    personal: bool = False

    def story(self, name: str) -> tuple[Happening, ...]:
        """Return what happened in a turn (``TENANT:conversation:message``) or a conversation (``TENANT:conversation``).

        RejectedInputError(code ``trace_unknown``) when nothing is known of it.
        """
        named = _ID.fullmatch(name)
        tenant = None if named is None else self.tenant_of(named["tenant"])
        happened: list[Happening] = []
        if named is not None and tenant is not None:
            values = {
                "tenant_id": tenant.tenant_id,
                "conversation_id": int(named["conversation"]),
                "turn_id": name if named["turn"] else None,
            }
            with self.database.tenant(tenant.scope) as connection:
                happened = list(self._all(connection, values))
        if not happened:
            raise RejectedInputError("trace_unknown", f"Nothing is known of {name!r}; {AS_NAMED}", status=404)
        return tuple(sorted(happened, key=lambda each: each.at))

    def _all(self, connection: sa.Connection, values: dict[str, Any]) -> Iterator[Happening]:
        hide: Callable[[str], str] = str if self.personal else Redactor().hide
        messages: set[int] = set()
        for row in run(connection, _EVENTS, values):
            messages |= {row.message_id}
            message: dict[str, Any] = row.message or {}
            text = hide(message.get("text", ""))
            details: dict[str, Any] = {
                "event": row.event,
                "message_id": row.message_id,
                "ignored": row.ignore_reason,
                "text": text,
            }
            yield _happened(row.received_at, "received", row.turn_id, details)
        for row in run(connection, _WAITING, values):
            details = {"lane": row.lane, "claims": row.claims, "running": row.worker is not None}
            yield _happened(row.enqueued_at, "waiting", row.turn_id, details)
        for row in run(connection, _TURNS, values):
            yield from _steps(TurnRecord.model_validate(row.record))
        for row in run(connection, _REPLIES, values):
            yield _happened(row.intended_at, "reply written down", row.turn_id, {"text": hide(row.text)})
            if row.posted_at is not None:
                yield _happened(row.posted_at, "reply posted", row.turn_id, {"message_id": row.channel_message_id})
            if row.failed_at is not None:
                yield _happened(row.failed_at, "reply not delivered", row.turn_id, {"reason": row.failed_reason})
        for row in run(connection, _CALLS, values):
            if values["turn_id"] is None or row.message_id in messages:
                call: dict[str, Any] = row.call
                told = {name: call[name] for name in ("provider", "model", "outcome", "micro_usd")}
                asked = "botpress" if call["provider"] == "botpress" else "language model"
                yield _happened(row.called_at, asked, None, told, call["duration_ms"])
        for row in run(connection, _AUDIT, values):
            details = {"position": row.position, "kind": row.kind, "event_id": row.event_id}
            yield _happened(row.recorded_at, "audited", None, details)


def _steps(record: TurnRecord) -> Iterator[Happening]:
    """A turn's steps, each at the instant it began: durations are recorded, and the turn's end."""
    end = record.finished_at or record.received_at
    rest = [step for step in record.steps if step.step not in ("receive", "audit")]
    at = end - timedelta(milliseconds=sum(step.duration_ms for step in rest))
    for step in record.steps:
        begun = record.received_at if step.step == "receive" else end if step.step == "audit" else at
        yield _happened(begun, f"step {step.step}", record.turn_id, _of_step(record, step.step), step.duration_ms)
        if step in rest:
            at += timedelta(milliseconds=step.duration_ms)


def _of_step(record: TurnRecord, step: str) -> dict[str, Any]:
    decision = record.decision
    if step == "resolve":
        return {"waited_ms": record.waited_ms, "document": None if record.reading is None else record.reading.kind}
    if step == "decide" and decision is not None:
        return {"intent": decision.intent, "confidence": decision.confidence, "route": decision.route}
    if step == "call_tools":
        return {
            result.tool: f"{result.outcome} {result.error_code or ''}".strip() + f", {result.duration_ms:.0f} ms"
            for result in record.tool_results
        }
    if step == "reply":
        return {"outcome": record.outcome, "reason": record.reason, "rule": record.rule}
    return {}


def _happened(
    at: datetime, what: str, turn_id: str | None, details: dict[str, Any], lasted_ms: float | None = None
) -> Happening:
    known = {name: value for name, value in details.items() if value not in (None, "")}
    return Happening(at=at, what=what, turn_id=turn_id, lasted_ms=lasted_ms, details=known)
