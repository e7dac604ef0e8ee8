"""One conversation of one shop: a real database, and a channel that keeps what is done to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from tests.support import MemorySecrets, claim_messages
from tests.unit.store.queued import TurnQueue, a_start

from smarteros.contracts.loader import load_contracts
from smarteros.domain.ids import reply_id
from smarteros.domain.messages import (
    Attachment,
    Contact,
    ConversationState,
    Desk,
    IncomingMessage,
    OutgoingReply,
    PostedReply,
)
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStart, TurnStory
from smarteros.flow.fence import Fence
from smarteros.flow.lanes import PLACES
from smarteros.flow.parts import Parts
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.settings import default_contracts_dir
from smarteros.store.database import Database
from smarteros.store.events import ReceivedEvent, burst, edit_message, store_event
from smarteros.store.queue import accept_message, end_turn
from smarteros.store.turns import confirm_reply, mute, unmute

TENANT = Tenant(
    tenant_id="FLOW_SHOP",
    name="Tienda Flujo",
    rut="76123456-0",
    tenant_key="f" * 24,
    chatwoot_url="https://chat.example",
    chatwoot_account_ids=(31,),
)
LOADED = load_contracts(default_contracts_dir())
_numbers = itertools.count(1)


class RecordingChannel:
    """A channel with one conversation. ``on_post`` runs between the decision to post and the post itself."""

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.markers: dict[str, int] = {}
        self.notes: list[str] = []
        self.desks: list[Desk] = []
        self.state = ConversationState(conversation_id=1, status="pending", assigned_to_human=False, can_reply=True)
        self.back = False
        self.on_post: Callable[[], None] = lambda: None

    def conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> ConversationState:
        return self.state

    def given_back(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> bool:
        return self.back

    def download(self, tenant: Tenant, attachment: object) -> bytes:
        return b"a photo"

    def post(
        self,
        tenant: Tenant,
        reply: OutgoingReply,
        *,
        maybe_sent: bool = False,
        before_post: Callable[[], None] | None = None,
    ) -> PostedReply:
        if maybe_sent and reply.reply_id in self.markers:
            return PostedReply(message_id=self.markers[reply.reply_id], already_there=True)
        disturbance, self.on_post = self.on_post, lambda: None
        disturbance()
        if before_post is not None:
            before_post()
        self.posted.append(reply.text)
        self.markers[reply.reply_id] = 900 + len(self.posted)
        return PostedReply(message_id=self.markers[reply.reply_id])

    def hand_over(
        self,
        tenant: Tenant,
        conversation_id: int,
        note: str,
        *,
        account_id: int | None = None,
        desk: Desk | None = None,
    ) -> None:
        self.notes.append(note)
        if desk is not None:
            self.desks.append(desk)
        self.open_conversation(tenant, conversation_id)

    def open_conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> None:
        self.state = self.state.model_copy(update={"status": "open"})


class OneTenant:
    def get(self, tenant_id: str) -> Tenant:
        return TENANT


@dataclass
class Bench:
    """A conversation no other test uses, and its turns in the queue."""

    database: Database
    queue: TurnQueue
    channel: RecordingChannel = field(default_factory=RecordingChannel)
    conversation_id: int = field(default_factory=lambda: next(_numbers))
    contact_keys: KeyWrapping = field(default_factory=lambda: KeyWrapping(MemorySecrets({})))
    pauses: list[float] = field(default_factory=list[float])

    @property
    def parts(self) -> Parts:
        unused = cast("Any", None)

        def pause(seconds: float) -> None:
            self.pauses.append(seconds)

        return Parts(
            database=self.database,
            tenants=cast("Any", OneTenant()),
            channel=cast("Any", self.channel),
            agent=unused,
            knowledge=unused,
            tools=unused,
            reader=unused,
            contracts=LOADED,
            contact_keys=self.contact_keys,
            pause=pause,
        )

    def receive(
        self,
        message_id: int,
        text: str = "¿Tienen zapatillas?",
        *,
        ago_s: float = 0.0,
        attachments: tuple[Attachment, ...] = (),
        after_person: bool = False,
    ) -> None:
        """The customer writes: the message is stored and its turn waits in the queue."""
        event = self._event("message_created", message_id, text, attachments, after_person=after_person)
        with self.database.statement() as connection:
            assert accept_message(connection, event, self.start(message_id), PLACES["quick"])
        self.age(ago_s, message_id)

    def age(self, by_s: float, *message_ids: int) -> None:
        """Let messages have been received longer ago."""
        self.queue.ask(
            "UPDATE smos.received_events SET received_at = received_at - make_interval(secs => %s)"
            " WHERE tenant_id = %s AND conversation_id = %s AND message_id = ANY(%s)",
            by_s,
            TENANT.tenant_id,
            self.conversation_id,
            list(message_ids),
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

    def person_writes(self, message_id: int) -> None:
        """The webhook of a person's message arrives, and no sign that he keeps the conversation."""
        said = self._event("message_created", message_id, None).model_copy(update={"ignore_reason": "human_reply"})
        with self.database.tenant(TENANT.scope) as connection:
            store_event(connection, said)

    def given_back(self) -> None:
        """The webhook arrives that gives the bot the conversation."""
        with self.database.tenant(TENANT.scope) as connection:
            unmute(connection, TENANT.tenant_id, self.conversation_id, datetime.now(UTC))

    def start(self, message_id: int, **changes: Any) -> TurnStart:
        return a_start(TENANT.tenant_id, self.conversation_id, message_id, **changes)

    def claim(self, message_id: int, worker: str = "worker") -> ClaimedTurn:
        """A worker takes the turn of a message, which must be the one whose turn it is."""
        turn = self.queue.claim_one(worker)
        assert turn.start.turn_id == self.start(message_id).turn_id
        return turn

    def take_over(self, message_id: int) -> ClaimedTurn:
        """The worker is taken for dead, and another one takes its turn."""
        assert self.queue.give_back("worker") == 1
        return self.claim(message_id)

    def begin(self, message_id: int, **changes: Any) -> Attempt:
        """A worker takes a turn and its messages, and prepares its reply."""
        return self.attempt(self.claim(message_id), **changes)

    def attempt(self, turn: ClaimedTurn, **changes: Any) -> Attempt:
        """The turn has taken its messages and is preparing its reply."""
        return Attempt(self, turn, ResolvedTurn(messages=self.held(turn.start.message_id), **changes))

    def held(self, message_id: int) -> tuple[IncomingMessage, ...]:
        """The messages the turn takes, or has taken."""
        with self.database.tenant(TENANT.scope) as connection:
            turn = self.start(message_id).turn_id
            return claim_messages(connection, TENANT.tenant_id, self.conversation_id, turn)

    def waiting(self) -> list[int]:
        """The messages no turn holds."""
        with self.database.tenant(TENANT.scope) as connection:
            found = burst(connection, TENANT.tenant_id, self.conversation_id, "another")
        return [entry.message.id for entry in found]

    def answer(self, message_id: int, text: str) -> None:
        """A whole turn that goes well."""
        attempt = self.begin(message_id)
        attempt.send(text)
        attempt.confirm()
        self.end(attempt.turn)

    def end(self, turn: ClaimedTurn) -> None:
        """The turn leaves the queue, however it has ended."""
        with self.database.tenant(TENANT.scope) as connection:
            assert end_turn(connection, turn)

    def _event(
        self,
        event: str,
        message_id: int,
        text: str | None,
        attachments: tuple[Attachment, ...] = (),
        *,
        after_person: bool = False,
    ) -> ReceivedEvent:
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
                attachments=attachments,
                created_at=datetime.now(UTC),
                after_person=after_person,
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


@dataclass(frozen=True)
class Attempt:
    """One worker's attempt at one turn, up to its draft."""

    bench: Bench
    turn: ClaimedTurn
    resolved: ResolvedTurn

    def send(self, text: str) -> str:
        """Bring a reply through the fence; returns what the customer reads."""
        ending = Replied(outcome="answered", rule="test", text=text, state=self.resolved.state)
        draft = TurnStory(resolved=self.resolved, decided=None, called=ToolsCalled(), replied=ending, summary="resumen")
        said, _ = Fence(self.bench.parts, TENANT, self.turn).send(draft)
        return said

    def confirm(self) -> None:
        """Write down, as the end of a turn does, that the channel has the reply."""
        with self.bench.database.tenant(TENANT.scope) as connection:
            own_reply, message_id = reply_id(self.turn.start.turn_id), 900 + len(self.bench.channel.posted)
            confirm_reply(connection, own_reply, message_id, self.bench.parts.clock.now())
