"""``audit``: remember the conversation, write the turn's record and its audit event in one transaction; count."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from smarteros.domain.audit import AUDIT_TOPIC_OF_FLOW, AuditEvent
from smarteros.domain.ids import reply_id
from smarteros.domain.tenants import TenantScope
from smarteros.domain.tools import Invoice, InvoiceLookup, ProductList
from smarteros.domain.turns import ClaimedTurn, ResolvedTurn, StepTiming, TurnRecord, TurnStart, TurnStory
from smarteros.flow.alarm import ONCE_WITHIN, moment_of
from smarteros.flow.gaps import gap_of
from smarteros.flow.given_back import OvertakenError
from smarteros.flow.over_limit import counted_turn
from smarteros.flow.parts import Parts
from smarteros.observability.bounded import Counter
from smarteros.observability.metrics import REGISTRY, SLO_TURNS
from smarteros.observability.slo import verdict
from smarteros.observability.steps import watched
from smarteros.observability.turns import count_turn
from smarteros.privacy.opt_out import opts_out
from smarteros.privacy.sealing import FIELD as PERSONAL
from smarteros.privacy.sealing import sealed_contact
from smarteros.store.alerts import raise_alert
from smarteros.store.audit import append_event
from smarteros.store.gaps import note_gap
from smarteros.store.queue import end_turn
from smarteros.store.turn_inputs import save_inputs
from smarteros.store.turns import confirm_reply, save_dialogue, save_turn

_log = structlog.get_logger()

# A message stamped further away than this from its arrival was not written then (an import, a demo in another year).
_STAMP_BELIEVED = timedelta(hours=24)

TURN_ENDS = Counter(
    "smos_turn_ends_total", "How turns ended, and why", ["tenant", "outcome", "reason"], registry=REGISTRY
)


class AuditStep:
    """Ends a turn: record, audit event and memory are written and the turn leaves the queue in one transaction."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, turn: ClaimedTurn, story: TurnStory) -> None:
        """Write everything down; OvertakenError, and nothing is written, when the turn is in other hands."""
        start, replied = turn.start, story.replied
        with watched("audit", start.tenant_id, start.turn_id) as watch:
            record = self._record(start, story)
            event = self._event(start, story.resolved, record)
            tenant = self._parts.tenants.get(start.tenant_id)
            self._parts.contact_keys.look_up(tenant.scope)
            with self._parts.database.tenant(tenant.scope) as connection:
                self._remember(connection, start, story)
                # Late, so that the record can tell how long this step itself took.
                audited = StepTiming(step="audit", duration_ms=watch.duration_ms)
                save_turn(connection, record.model_copy(update={"steps": (*record.steps, audited)}))
                save_inputs(connection, tenant, start, story, self._parts.contracts.by_id)
                if not end_turn(connection, turn):
                    raise OvertakenError(start.turn_id)
                self._alert(connection, record)
                event = self._with_person(connection, event, story)
                append_event(connection, event)  # last: the tenant's chain is locked from here on
        count_turn(record, event, self._parts.contracts.by_id[record.flow_id])
        TURN_ENDS.labels(start.tenant_id, replied.outcome, _bounded(replied.reason)).inc()

    def give_up(self, turn: ClaimedTurn) -> None:
        """Take a turn out of the queue whose record cannot be written, so that those behind it have their turn."""
        tenant = self._parts.tenants.get(turn.start.tenant_id)
        with self._parts.database.tenant(tenant.scope) as connection:
            end_turn(connection, turn)
        _log.critical("turn_given_up", turn=turn.start.turn_id)
        TURN_ENDS.labels(tenant.tenant_id, "failed", "turn_given_up").inc()
        SLO_TURNS.labels(tenant.tenant_id, self._parts.contracts.default_flow.flow_id, "broken").inc()

    def _remember(self, connection: sa.Connection, start: TurnStart, story: TurnStory) -> None:
        """Keep what the next turn must know. The rows are locked in the same order everywhere."""
        resolved, replied = story.resolved, story.replied
        if replied.outcome != "merged" and resolved.messages:
            history = (*resolved.history, resolved.text) if resolved.text else resolved.history
            counted = counted_turn(story, self._parts.clock.now())
            save_dialogue(connection, start.tenant_id, start.conversation_id, replied.state, history, counted)
            if story.decided is not None:
                gap = gap_of(self._parts.contracts.by_id[story.decided.flow_id], story)
                if gap is not None:
                    note_gap(connection, start.tenant_id, gap, self._parts.clock.now())
        if replied.message_id is not None and replied.replied_at is not None:
            confirm_reply(connection, reply_id(start.turn_id), replied.message_id, replied.replied_at)

    def _alert(self, connection: sa.Connection, record: TurnRecord) -> None:
        """Leave word for those whom the contract wants told of this hand-over; the alert loop tells them."""
        alert = moment_of(self._parts.contracts.by_id[record.flow_id], record)
        if alert is not None:
            raise_alert(connection, alert, once_within=ONCE_WITHIN)

    def _with_person(self, connection: sa.Connection, event: AuditEvent, story: TurnStory) -> AuditEvent:
        """Add who wrote, sealed with his own key; whoever said that he wants to be left alone is, from here on."""
        resolved = story.resolved
        if event.tenant_id is None or not resolved.messages or story.replied.outcome == "merged":
            return event
        wish = opts_out(resolved.text)
        scope, wrapping = TenantScope(tenant_id=event.tenant_id), self._parts.contact_keys
        person = sealed_contact(connection, scope, resolved.messages[-1], wrapping, opted_out=wish)
        if person is None:
            return event
        return event.model_copy(update={"details": event.details | {PERSONAL: person}})

    def _record(self, start: TurnStart, story: TurnStory) -> TurnRecord:
        resolved, decided, called, replied = story.resolved, story.decided, story.called, story.replied
        steps = (
            StepTiming(step="receive", duration_ms=start.receive_ms),
            StepTiming(step="resolve", duration_ms=resolved.duration_ms),
            StepTiming(step="decide", duration_ms=decided.duration_ms if decided else 0.0),
            StepTiming(step="call_tools", duration_ms=called.duration_ms),
            StepTiming(step="reply", duration_ms=replied.duration_ms),
        )
        contracts, finished_at = self._parts.contracts, self._parts.clock.now()
        contract = contracts.by_id[decided.flow_id] if decided else contracts.default_flow
        waited_ms = _waited_ms(start, resolved, finished_at)
        return TurnRecord(
            turn_id=start.turn_id,
            tenant_id=start.tenant_id,
            flow_id=contract.flow_id,
            conversation_id=start.conversation_id,
            message_id=start.message_id,
            received_at=start.received_at,
            finished_at=finished_at,
            outcome=replied.outcome,
            reason=replied.reason,
            decision=decided.decision if decided else None,
            reading=resolved.reading,
            tool_results=called.results,
            reply_text=replied.text,
            rule=replied.rule,
            withheld_facts=replied.withheld_facts,
            state=replied.state,
            waited_ms=resolved.waited_ms,
            verdict=verdict(replied.outcome, start.cause, waited_ms, contract.slo),
            steps=steps,
        )

    def _event(self, start: TurnStart, resolved: ResolvedTurn, record: TurnRecord) -> AuditEvent:
        decision = record.decision
        return AuditEvent(
            event_id=f"turn:{start.turn_id}",
            topic=AUDIT_TOPIC_OF_FLOW.get(record.flow_id, f"smarteros.audit.{record.flow_id}"),
            kind="turn",
            tenant_id=start.tenant_id,
            flow_id=record.flow_id,
            conversation_id=start.conversation_id,
            intent=decision.intent if decision else None,
            confidence=decision.confidence if decision else None,
            latency_ms=_latency_ms(start, resolved, record),
            timestamp=record.finished_at or self._parts.clock.now(),
            details=_details(record),
        )


def _bounded(reason: str | None) -> str:
    """Reasons are codes of ours; of two errors the first one counts."""
    code = (reason or "none").partition(";")[0]
    return code if code.isidentifier() and len(code) < 40 else "other"


def _latency_ms(start: TurnStart, resolved: ResolvedTurn, record: TurnRecord) -> int | None:
    """Milliseconds from the customer's last message to the reply; None when nothing was replied."""
    if record.reply_text is None or record.finished_at is None:
        return None
    return _waited_ms(start, resolved, record.finished_at)


def _waited_ms(start: TurnStart, resolved: ResolvedTurn, until: datetime) -> int:
    """Milliseconds from the customer's last message."""
    asked_at = resolved.messages[-1].created_at if resolved.messages else start.received_at
    if abs(asked_at - start.received_at) > _STAMP_BELIEVED:
        asked_at = start.received_at
    return max(0, round((until - asked_at).total_seconds() * 1000))


def _details(record: TurnRecord) -> dict[str, Any]:
    """Facts of the turn that are no personal data (who wrote is added sealed): what each flow must report."""
    details: dict[str, Any] = {"outcome": record.outcome, "reason": record.reason, "rule": record.rule}
    if record.decision is not None:
        details["route"] = record.decision.route
    if record.withheld_facts:
        details["withheld_facts"] = list(record.withheld_facts)
    if record.reading is not None:
        details["ocr_confidence"] = record.reading.confidence
    for result in record.tool_results:
        details[f"{result.tool}_outcome"] = result.outcome
        if result.tool == "shopify_search_products" and result.data is not None:
            details["products_returned"] = len(ProductList.model_validate(result.data).products)
        if result.tool == "odoo_find_invoice" and result.data is not None:
            details |= _invoice_details(InvoiceLookup.model_validate(result.data).invoice)
    return details


def _invoice_details(invoice: Invoice | None) -> dict[str, Any]:
    if invoice is None:
        return {"invoice_found": False, "warranty_status": None, "return_eligible": None}
    return {
        "invoice_found": True,
        "warranty_status": invoice.warranty_status,
        "return_eligible": invoice.return_eligible,
    }
