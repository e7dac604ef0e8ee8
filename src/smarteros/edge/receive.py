"""``receive``: believe the webhook or refuse it, store the event once, enqueue the turn; in that order.

The caller answers 200 only after this has returned: what was accepted is in the database.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import DataError

from smarteros.channels.chatwoot.events import TAKEOVER_REASONS, InboundEvent, parse_event
from smarteros.channels.chatwoot.signatures import verify
from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.domain.errors import RejectedInputError, SmosError
from smarteros.domain.ids import turn_id
from smarteros.domain.limits import LimitName
from smarteros.domain.messages import HUMAN_REPLY, IncomingMessage
from smarteros.domain.model import Model
from smarteros.domain.tenants import TENANT_MOVED, TENANT_SUSPENDED, Tenant
from smarteros.domain.turns import Lane, TurnCause, TurnStart
from smarteros.edge.cards import cards_masked, without_cards, without_pieces
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.refusals import Refusal, Refusals
from smarteros.flow.engine import Engine
from smarteros.kit.clock import Clock
from smarteros.observability.metrics import WEBHOOKS
from smarteros.observability.steps import received
from smarteros.secrets.protocol import SecretStore
from smarteros.store.audit import append_event
from smarteros.store.database import Database
from smarteros.store.events import ReceivedEvent, edit_message, knew_it_before_a_person, store_event
from smarteros.store.kept import keep_webhook
from smarteros.store.turns import fail_reply, mute, muted_reason, unmute
from smarteros.tenants.directory import TenantDirectory

_TENANT_KEY = re.compile(r"^[A-Za-z0-9_-]{16,128}$")
# A text PostgreSQL cannot hold: NUL, and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Receipt(Model):
    """What became of a believed webhook. ``reason`` names why an event is not answered.

    ``turn_id`` is the work that follows from it; an event that is not answered may have some too.
    """

    status: Literal["accepted", "ignored", "duplicate"]
    reason: str | None = None
    event: str
    turn_id: str | None = None


class Receiver:
    """Takes webhooks in. Thread-safe."""

    def __init__(
        self,
        database: Database,
        tenants: TenantDirectory,
        secrets: SecretStore,
        engine: Engine,
        clock: Clock,
        rate: TenantRate | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        """``rate`` counts customers' messages; one beyond it is stored all the same, and its turn is a person's.

        With ``refusals`` a flood of refused webhooks is counted instead of written down one by one.
        """
        self._database = database
        self._tenants = tenants
        self._secrets = secrets
        self._engine = engine
        self._clock = clock
        self._rate = rate
        self._refusals = refusals

    def receive(self, raw: bytes, headers: Mapping[str, str], tenant_key: str | None) -> Receipt:
        """Take one webhook: on the tenant's own URL (``tenant_key``), or on the shared one (None).

        Raises RejectedInputError with the HTTP status; the refusal is audited, not under the claimed tenant.
        """
        started = time.perf_counter()
        try:
            tenant = self._believe(raw, headers, tenant_key)
            event = parse_event(_decode(raw), tenant)
            _require_own_account(event, tenant, shared_url=tenant_key is None)
            delivery_id = headers.get("x-chatwoot-delivery")
            receipt = self._store_or_keep(tenant, event, raw, delivery_id, started)
        except RejectedInputError as error:
            WEBHOOKS.labels("", error.code).inc()
            self.audit_refusal(error, {"tenant_url": tenant_key is not None, "bytes": len(raw)})
            raise
        WEBHOOKS.labels(tenant.tenant_id, receipt.reason or receipt.status).inc()
        if receipt.turn_id is not None:
            received(tenant.tenant_id, receipt.turn_id, time.perf_counter() - started)
        return receipt

    def _store_or_keep(
        self, tenant: Tenant, event: InboundEvent, raw: bytes, delivery_id: str | None, started: float
    ) -> Receipt:
        """Store it, or keep it for the installation the tenant moves to, even if that is news to this process."""
        if tenant.move is None:
            try:
                return self._store(tenant, event, raw, delivery_id, started, over=self._over(tenant, event))
            except RejectedInputError as error:
                if error.code != TENANT_MOVED:
                    raise
        return self._keep(tenant, event, raw, delivery_id)

    def take(self, tenant: Tenant, event: InboundEvent) -> Receipt:
        """Take the ``message_created`` of a message that was found by asking Chatwoot, because no webhook told of it.

        It is stored under the key its webhook would have had: one that comes late is a duplicate, and the reverse.
        """
        started = time.perf_counter()
        receipt = self._store(tenant, event, b"", None, started)
        if receipt.turn_id is not None:
            received(tenant.tenant_id, receipt.turn_id, time.perf_counter() - started)
        return receipt

    def audit_refusal(self, error: SmosError, details: dict[str, Any]) -> None:
        """Write down that a webhook was refused."""
        status = error.status if isinstance(error, RejectedInputError) else error.http_status
        refusal = Refusal("webhooks", error.code, status)
        if self._refusals is not None and not self._refusals.may_be_told_singly(refusal):
            return
        event = AuditEvent(
            event_id=f"refused:{uuid.uuid4().hex}",
            topic=SECURITY_TOPIC,
            kind="webhook_refused",
            tenant_id=None,
            timestamp=self._clock.now(),
            details={"code": error.code, "http_status": status, **details},
        )
        with self._database.unclaimed() as connection:
            append_event(connection, event)

    def _believe(self, raw: bytes, headers: Mapping[str, str], tenant_key: str | None) -> Tenant:
        """Return the tenant whose secret signed these bytes."""
        refusal: RejectedInputError | None = None
        for tenant in self._candidates(raw, tenant_key):
            try:
                self._verify(tenant, raw, headers)
            except RejectedInputError as error:
                refusal = error
                continue
            if not tenant.active and tenant.move is None:
                raise RejectedInputError(TENANT_SUSPENDED, "The tenant is suspended.", status=403)
            return tenant
        raise refusal or RejectedInputError("unknown_account", "No tenant has this Chatwoot account.", status=403)

    def _candidates(self, raw: bytes, tenant_key: str | None) -> tuple[Tenant, ...]:
        if tenant_key is not None:
            tenant = self._tenants.by_key(tenant_key) if _TENANT_KEY.match(tenant_key) else None
            if tenant is None:
                raise RejectedInputError("unknown_webhook_url", "There is no such webhook URL.", status=404)
            return (tenant,)
        # The body is not believed yet: its account only tells whose secrets to try.
        account_id = parse_event(_decode(raw)).account_id
        if account_id is None:
            raise RejectedInputError("account_missing", "The body names no Chatwoot account (account.id).")
        return self._tenants.by_account(account_id)

    def _verify(self, tenant: Tenant, raw: bytes, headers: Mapping[str, str]) -> None:
        try:
            self._verify_with_known(tenant, raw, headers)
        except RejectedInputError as error:
            # A secret that was rotated a moment ago may not be known here yet.
            if error.code != "invalid_signature" or not self._secrets.look_again(tenant.scope):
                raise
            self._verify_with_known(tenant, raw, headers)

    def _verify_with_known(self, tenant: Tenant, raw: bytes, headers: Mapping[str, str]) -> None:
        secret = self._secrets.accepted(tenant.scope, "chatwoot/hmac_secret")
        # Chatwoot chooses a secret of its own for the agent bot and for the account's webhook; a shop may use both.
        of_account = self._secrets.accepted(tenant.scope, "chatwoot/webhook_secret")
        legacy = self._secrets.accepted(tenant.scope, "chatwoot/legacy_hmac_secret")
        allows_legacy = tenant.signature_mode != "v1"
        scheme = verify(
            raw,
            headers,
            candidates=(*secret, *of_account),
            legacy_candidates=(*legacy, *secret),
            mode=tenant.signature_mode,
            now=self._clock.now(),
            v1_seen=allows_legacy and self._tenants.v1_signature_seen(tenant.tenant_id),
        )
        if scheme == "v1" and allows_legacy:
            self._tenants.mark_v1_signature_seen(tenant.tenant_id)

    def _over(self, tenant: Tenant, event: InboundEvent) -> LimitName | None:
        """Count a customer's message; what a reply of ours or a person's makes Chatwoot send costs nothing."""
        if self._rate is None or event.ignore_reason is not None or not self._rate.exceeded_s(tenant):
            return None
        return "requests_per_minute"

    def _keep(self, tenant: Tenant, event: InboundEvent, raw: bytes, delivery_id: str | None) -> Receipt:
        """Keep the webhook of a tenant that moves or has moved, to be passed on (``dedicated.passing_on``)."""
        said: object = json.loads(raw)
        masked = cards_masked(said)
        body = raw if masked == said else json.dumps(masked).encode()
        with self._database.tenant(tenant.scope) as connection:
            keep_webhook(connection, tenant.tenant_id, body, _delivery(delivery_id))
        return Receipt(status="accepted", reason="kept", event=event.name)

    def _store(
        self,
        tenant: Tenant,
        event: InboundEvent,
        raw: bytes,
        delivery_id: str | None,
        started: float,
        over: LimitName | None = None,
    ) -> Receipt:
        event = without_pieces(self._database, tenant.scope, without_cards(event))
        received = _received(tenant, event, raw, delivery_id)
        try:
            if received.message is not None and event.person_replied_at is None:
                start = self._turn_start(tenant, event, "message", started).model_copy(update={"over": over})
                if not self._engine.accept_message(self._database, received, start, _lane(received.message)):
                    return Receipt(status="duplicate", event=event.name)
                return Receipt(status="accepted", event=event.name, turn_id=start.turn_id)
            return self._store_and_note(tenant, event, received, started)
        except DataError as error:
            raise RejectedInputError("unstorable_event", "A value of the body is out of range.") from error

    def _store_and_note(self, tenant: Tenant, event: InboundEvent, received: ReceivedEvent, started: float) -> Receipt:
        """Store an event that means something for its conversation, or nothing."""
        start: TurnStart | None = None
        with self._database.tenant(tenant.scope) as connection:
            if store_event(connection, received) is None:
                return Receipt(status="duplicate", event=event.name)
            self._hear_person(connection, tenant, event, received)
            cause = "message" if received.message else self._take_note(connection, tenant.tenant_id, event)
            if cause is not None:
                start = self._turn_start(tenant, event, cause, started)
                self._engine.accept(connection, start)
        status = "ignored" if received.message is None else "accepted"
        own_turn = start.turn_id if start else None
        return Receipt(status=status, reason=event.ignore_reason, event=event.name, turn_id=own_turn)

    def _hear_person(
        self, connection: sa.Connection, tenant: Tenant, event: InboundEvent, received: ReceivedEvent
    ) -> None:
        """The message of a person who has replied may be from before our time, or its webhook is late or lost.

        Where conversations start pending, one that was a person's once is the bot's: there he counts if he came while
        we were looking.
        """
        replied_at, conversation_id = event.person_replied_at, event.conversation_id
        if replied_at is None or conversation_id is None:
            return
        if tenant.starts(event.inbox_id) == "open" or knew_it_before_a_person(connection, received):
            mute(connection, tenant.tenant_id, conversation_id, HUMAN_REPLY, replied_at)

    def _take_note(self, connection: sa.Connection, tenant_id: str, event: InboundEvent) -> TurnCause | None:
        """Write down what an event that is not answered means for its conversation; returns what must follow."""
        conversation_id, message_id = event.conversation_id, event.message_id
        if conversation_id is None:
            return None
        now = self._clock.now()
        if event.gives_back:
            unmute(connection, tenant_id, conversation_id, event.happened_at or now)
        if event.takeover:
            return self._step_aside(connection, tenant_id, conversation_id, event)
        if event.edited_text is not None and message_id is not None:
            edit_message(connection, tenant_id, conversation_id, message_id, event.edited_text)
        if event.external_error is None:
            return None
        ours = fail_reply(
            connection,
            tenant_id,
            conversation_id,
            reply_id=event.reply_id,
            message_id=message_id,
            reason=event.external_error,
            at=now,
        )
        return "delivery_failed" if ours else None

    def _step_aside(
        self, connection: sa.Connection, tenant_id: str, conversation_id: int, event: InboundEvent
    ) -> TurnCause | None:
        """Mute the bot. Only people whose conversation is open see it in their list: a pending one is opened."""
        known = muted_reason(connection, tenant_id, conversation_id) is not None
        seen = mute(connection, tenant_id, conversation_id, _lead_reason(event), event.happened_at or self._clock.now())
        # An assigned conversation says so again with every change of it; a reply is said once.
        news = seen and (event.message_id is not None or not known)
        return "human_reply" if news and event.status == "pending" else None

    def _turn_start(self, tenant: Tenant, event: InboundEvent, cause: TurnCause, started: float) -> TurnStart:
        conversation_id, message_id = event.conversation_id or 0, event.message_id or 0
        account_id = tenant.chatwoot_account_ids[0] if event.account_id is None else event.account_id
        own_id = turn_id(tenant.tenant_id, conversation_id, message_id)
        return TurnStart(
            # A turn that answers nobody has a name of its own: one event, one turn.
            turn_id=own_id if cause == "message" else f"{own_id}:{cause}:{uuid.uuid4().hex[:8]}",
            tenant_id=tenant.tenant_id,
            account_id=account_id,
            conversation_id=conversation_id,
            message_id=message_id,
            received_at=self._clock.now() - timedelta(seconds=time.perf_counter() - started),
            receive_ms=round((time.perf_counter() - started) * 1000, 2),
            cause=cause,
        )


def _delivery(delivery_id: str | None) -> str | None:
    return _UNSTORABLE.sub("", delivery_id)[:64] if delivery_id else None


def _lead_reason(event: InboundEvent) -> str:
    if event.led_by is not None:
        return event.led_by
    if event.ignore_reason in TAKEOVER_REASONS:
        return event.ignore_reason
    return f"conversation_{event.status}" if event.status in ("open", "snoozed") else "human_assigned"


def _lane(message: IncomingMessage) -> Lane:
    """A photo is read first, which takes longer than to answer a question."""
    return "slow" if message.attachments else "quick"


def _received(tenant: Tenant, event: InboundEvent, raw: bytes, delivery_id: str | None) -> ReceivedEvent:
    answered = event.ignore_reason is None
    message = event.message(tenant) if answered else None
    return ReceivedEvent(
        tenant_id=tenant.tenant_id,
        event_key=_event_key(event, raw),
        event=event.name,
        delivery_id=_delivery(delivery_id),
        conversation_id=event.conversation_id,
        message_id=event.message_id,
        message=message,
        ignore_reason=event.ignore_reason,
    )


def _event_key(event: InboundEvent, raw: bytes) -> str:
    """What makes two deliveries the same event. A message is created once; other events are the same if equal."""
    if event.name == "message_created" and event.message_id is not None:
        return f"{event.account_id}:message_created:{event.message_id}"
    return f"{event.account_id}:{event.name}:{hashlib.sha256(raw).hexdigest()}"


def _require_own_account(event: InboundEvent, tenant: Tenant, *, shared_url: bool) -> None:
    # Chatwoot before 4.14.2 left the account out of conversation events; the tenant's own URL names it then.
    if event.account_id is None and not shared_url:
        return
    if event.account_id not in tenant.chatwoot_account_ids:
        raise RejectedInputError("foreign_account", "The body's account is not the tenant's.", status=403)


def _decode(raw: bytes) -> object:
    try:
        return _storable(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise RejectedInputError("not_json", "The body is not JSON, or is nested too deeply.") from error


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("", key): _storable(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [_storable(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
