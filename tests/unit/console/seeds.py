"""Conversations as the flow leaves them in the store."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from tests.support import heard, whatsapp_message

from smarteros.contracts.loader import ContractSet
from smarteros.domain.alerts import Alert, Sink, Told
from smarteros.domain.audit import AuditEvent
from smarteros.domain.decisions import Citation, Decision, DialogueState, Entities
from smarteros.domain.ids import reply_id, turn_id
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolResult
from smarteros.domain.turns import (
    STEP_NAMES,
    DecidedTurn,
    Outcome,
    Replied,
    ResolvedTurn,
    StepTiming,
    ToolsCalled,
    TurnRecord,
    TurnStart,
    TurnStory,
    Verdict,
)
from smarteros.store.alerts import raise_alert
from smarteros.store.audit import append_event
from smarteros.store.database import Database
from smarteros.store.events import store_event
from smarteros.store.turn_inputs import save_inputs
from smarteros.store.turns import confirm_reply, intend_reply, save_dialogue, save_turn

QUESTION = "¿Tienen zapatillas talla 42?"
ANSWER = "Sí: Zapatilla Running Azul, talla 42, $39.990."
_MS = (2.1, 12.0, 48.0, 310.0, 95.0, 6.0)
_numbers = itertools.count(1000)


def seed_turn(
    database: Database,
    tenant: Tenant,
    contracts: ContractSet,
    at: datetime,
    *,
    text: str = QUESTION,
    answer: str | None = ANSWER,
    outcome: Outcome = "answered",
    conversation_id: int | None = None,
) -> TurnRecord:
    """A customer's message and its turn, in a conversation of its own unless told otherwise."""
    number = next(_numbers)
    conversation = conversation_id or number
    message = whatsapp_message(tenant.tenant_id, conversation, number, text)
    start = TurnStart(
        turn_id=turn_id(tenant.tenant_id, conversation, number),
        tenant_id=tenant.tenant_id,
        account_id=1,
        conversation_id=conversation,
        message_id=number,
        received_at=at,
    )
    decision = _decision(text)
    results = (ToolResult(tool="shopify_search_products", outcome="ok", data={"products": [], "total": 1}),)
    record = TurnRecord(
        **start.model_dump(include={"turn_id", "tenant_id", "conversation_id", "message_id", "received_at"}),
        flow_id="e2e_shopify_sales",
        finished_at=at + timedelta(seconds=1),
        outcome=outcome,
        decision=decision,
        tool_results=results,
        reply_text=answer,
        rule="products_found",
        steps=tuple(StepTiming(step=step, duration_ms=ms) for step, ms in zip(STEP_NAMES, _MS, strict=True)),
    )
    story = TurnStory(
        resolved=ResolvedTurn(messages=(message,)),
        decided=DecidedTurn(flow_id=record.flow_id, decision=decision),
        called=ToolsCalled(results=results),
        replied=Replied(outcome=outcome, text=answer, rule=record.rule),
    )
    with database.tenant(tenant.scope) as connection:
        store_event(connection, heard(message))
        _answered(connection, record)
        save_dialogue(connection, tenant.tenant_id, conversation, DialogueState(), (text,))
        save_turn(connection, record)
        save_inputs(connection, tenant, start, story, contracts.by_id)
        _set_times(connection, conversation, record, at)
    return record


def seed_many(database: Database, tenant: Tenant, count: int, at: datetime) -> None:
    """Conversations of which nothing is known but that they are; number 1 is the oldest."""
    statement = sa.text(
        "INSERT INTO smos.conversations (tenant_id, conversation_id, state, history, updated_at)"
        " SELECT :tenant, n, '{}', jsonb_build_array('mensaje ' || n),"
        " CAST(:at AS timestamptz) - (:count - n) * interval '1 s'"
        " FROM generate_series(1, :count) AS n"
    )
    with database.tenant(tenant.scope) as connection:
        connection.execute(statement, {"tenant": tenant.tenant_id, "at": at, "count": count})


def seed_promises(
    database: Database, tenant: Tenant, flow_id: str, day: datetime, *, kept: int = 0, late: int = 0, broken: int = 0
) -> None:
    """Turns that ended on a day, with how long the customer waited for each; late ones took six seconds."""
    ended: tuple[tuple[Verdict, Outcome, int | None, int], ...] = (
        ("kept", "answered", 900, kept), ("late", "answered", 6000, late), ("broken", "failed", None, broken)
    )  # fmt: skip
    with database.tenant(tenant.scope) as connection:
        for judged, outcome, waited_ms, count in ended:
            for _ in range(count):
                number = next(_numbers)
                record = TurnRecord(
                    turn_id=turn_id(tenant.tenant_id, number, number),
                    tenant_id=tenant.tenant_id,
                    conversation_id=number,
                    message_id=number,
                    received_at=day,
                    flow_id=flow_id,
                    finished_at=day,
                    outcome=outcome,
                    verdict=judged,
                )
                save_turn(connection, record)
                event = AuditEvent(event_id=f"turn:{record.turn_id}", topic="seeds", kind="turn", flow_id=flow_id,
                                   tenant_id=tenant.tenant_id, latency_ms=waited_ms, timestamp=day)  # fmt: skip
                append_event(connection, event)
                connection.execute(
                    sa.text("UPDATE smos.turns SET finished_at = :at WHERE turn_id = :turn"),
                    {"at": day, "turn": record.turn_id},
                )


def seed_alert(database: Database, tenant_id: str, name: str, at: datetime, **more: Any) -> None:
    """An alert as a round raises it, told to Slack and, because PagerDuty did not take it, by e-mail."""
    told: dict[Sink, Told] = {
        "slack": Told(kind="firing", at=at, by="slack"),
        "pagerduty": Told(kind="firing", at=at, by="email"),
    }
    values: dict[str, Any] = {"key": name, "signal": "latency_p95_ms", "severity": "ticket", "value": 8200.0,
                              "threshold": 7000.0, "flow_id": "e2e_shopify_sales", **more}  # fmt: skip
    alert = Alert(tenant_id=tenant_id, name=name, notify=tuple(told), started_at=at, told=told, **values)
    with database.scoped(tenant_id) as connection:
        raise_alert(connection, alert)


def _decision(text: str) -> Decision:
    passage = Citation(document="tallas.md", title="Tallas", text="Tenemos de la 35 a la 45.", score=0.71)
    return Decision(
        intent="product_query",
        confidence=0.93,
        route="shopify_sales",
        entities=Entities(category="zapatillas", size="42"),
        rag_context=(passage,),
    )


def _answered(connection: sa.Connection, record: TurnRecord) -> None:
    values: dict[str, Any] = {"tenant": record.tenant_id, "turn": record.turn_id, "message": record.message_id}
    connection.execute(
        sa.text("UPDATE smos.received_events SET turn_id = :turn WHERE tenant_id = :tenant AND message_id = :message"),
        values,
    )
    if record.reply_text is not None:
        marker = reply_id(record.turn_id)
        reply = OutgoingReply(
            reply_id=marker, conversation_id=record.conversation_id, account_id=1, text=record.reply_text
        )
        intend_reply(connection, record.tenant_id, record.turn_id, reply)
        confirm_reply(connection, marker, record.message_id + 1, record.received_at + timedelta(seconds=1))


def _set_times(connection: sa.Connection, conversation_id: int, record: TurnRecord, at: datetime) -> None:
    """The store stamps with its own clock; the console's stands at noon."""
    values: dict[str, Any] = {"at": at, "id": conversation_id, "turn": record.turn_id, "tenant": record.tenant_id}
    for statement in (
        "UPDATE smos.conversations SET updated_at = :at WHERE tenant_id = :tenant AND conversation_id = :id",
        "UPDATE smos.received_events SET received_at = :at WHERE tenant_id = :tenant AND turn_id = :turn",
        "UPDATE smos.turns SET finished_at = :at WHERE turn_id = :turn",
    ):
        connection.execute(sa.text(statement), values)
