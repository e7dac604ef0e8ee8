"""One conversation of one shop: a real database, and a channel that keeps what is done to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from smarteros.domain.messages import Contact, ConversationState, IncomingMessage, OutgoingReply, PostedReply
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ResolvedTurn, TurnStart
from smarteros.flow.fence import Fence
from smarteros.flow.parts import Parts
from smarteros.store.database import Database
from smarteros.store.events import ReceivedEvent, claim_messages, edit_message, store_event
from smarteros.store.turns import mute

TENANT = Tenant(
    tenant_id="FLOW_SHOP",
    name="Tienda Flujo",
    rut="76123456-0",
    tenant_key="f" * 24,
    chatwoot_url="https://chat.example",
    chatwoot_account_ids=(31,),
)
_numbers = itertools.count(1)


class RecordingChannel:
    """A channel with one conversation. ``on_post`` runs between the decision to post and the post itself."""

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.notes: list[str] = []
        self.state = ConversationState(conversation_id=1, status="pending", assigned_to_human=False, can_reply=True)
        self.on_post: Callable[[], None] = lambda: None

    def conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> ConversationState:
        return self.state

    def download(self, tenant: Tenant, attachment: object) -> bytes:
        raise AssertionError("no test attaches anything")

    def post(
        self,
        tenant: Tenant,
        reply: OutgoingReply,
        *,
        maybe_sent: bool = False,
        before_post: Callable[[], None] | None = None,
    ) -> PostedReply:
        if maybe_sent and reply.text in self.posted:
            return PostedReply(message_id=900, already_there=True)
        disturbance, self.on_post = self.on_post, lambda: None
        disturbance()
        if before_post is not None:
            before_post()
        self.posted.append(reply.text)
        return PostedReply(message_id=900 + len(self.posted))

    def hand_over(self, tenant: Tenant, conversation_id: int, note: str, *, account_id: int | None = None) -> None:
        self.notes.append(note)
        self.open_conversation(tenant, conversation_id)

    def open_conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> None:
        self.state = self.state.model_copy(update={"status": "open"})


class OneTenant:
    def get(self, tenant_id: str) -> Tenant:
        return TENANT


@dataclass
class Bench:
    """A conversation no other test uses."""

    database: Database
    channel: RecordingChannel = field(default_factory=RecordingChannel)
    conversation_id: int = field(default_factory=lambda: next(_numbers))
    pauses: list[float] = field(default_factory=list)
    on_pause: Callable[[], None] = lambda: None

    @property
    def parts(self) -> Parts:
        unused = cast("Any", None)

        def pause(seconds: float) -> None:
            self.pauses.append(seconds)
            self.on_pause()

        return Parts(
            database=self.database,
            tenants=cast("Any", OneTenant()),
            channel=cast("Any", self.channel),
            agent=unused,
            knowledge=unused,
            tools=unused,
            reader=unused,
            contracts=unused,
            pause=pause,
        )

    def receive(self, message_id: int, text: str = "¿Tienen zapatillas?", *, ago_s: float = 0.0) -> None:
        with self.database.tenant(TENANT.scope) as connection:
            stored = store_event(connection, self._event("message_created", message_id, text))
            connection.exec_driver_sql(
                "UPDATE smos.received_events SET received_at = received_at - make_interval(secs => %s)"
                " WHERE event_id = %s",
                (ago_s, stored),
            )

    def delete(self, message_id: int) -> None:
        with self.database.tenant(TENANT.scope) as connection:
            store_event(connection, self._event("message_updated", message_id, None))

    def edit(self, message_id: int, text: str) -> None:
        with self.database.tenant(TENANT.scope) as connection:
            edit_message(connection, TENANT.tenant_id, self.conversation_id, message_id, text)

    def person_replies(self, reason: str = "human_reply") -> None:
        with self.database.tenant(TENANT.scope) as connection:
            mute(connection, TENANT.tenant_id, self.conversation_id, reason, datetime.now(UTC))

    def start(self, message_id: int, **changes: Any) -> TurnStart:
        fields: dict[str, Any] = {
            "turn_id": f"FLOW_SHOP:{self.conversation_id}:{message_id}",
            "tenant_id": TENANT.tenant_id,
            "account_id": 31,
            "conversation_id": self.conversation_id,
            "message_id": message_id,
            "received_at": datetime.now(UTC),
        }
        return TurnStart(**(fields | changes))

    def drafted(self, message_id: int, **changes: Any) -> ResolvedTurn:
        """The turn has taken its messages and is preparing its reply."""
        with self.database.tenant(TENANT.scope) as connection:
            turn = self.start(message_id).turn_id
            held = claim_messages(connection, TENANT.tenant_id, self.conversation_id, turn)
        return ResolvedTurn(messages=held, **changes)

    def fence(self, message_id: int, resolved: ResolvedTurn) -> Fence:
        fence = Fence(self.parts, TENANT, self.start(message_id), resolved)
        fence.take()
        return fence

    def _event(self, event: str, message_id: int, text: str | None) -> ReceivedEvent:
        message = None
        if text is not None:
            message = IncomingMessage(
                id=message_id,
                tenant_id=TENANT.tenant_id,
                account_id=31,
                conversation_id=self.conversation_id,
                inbox_id=52,
                channel="whatsapp",
                contact=Contact(id=5, name="Ana"),
                text=text,
                created_at=datetime.now(UTC),
            )
        return ReceivedEvent(
            tenant_id=TENANT.tenant_id,
            event_key=f"31:{event}:{self.conversation_id}-{message_id}",
            event=event,
            delivery_id=None,
            conversation_id=self.conversation_id,
            message_id=message_id,
            message=message,
            ignore_reason=None if message else "deleted",
        )
