"""``resolve``: the messages of the burst, what is remembered of the conversation, and what the photos say."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from smarteros.domain.decisions import DialogueState
from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.messages import Attachment, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DocumentReading, ResolvedTurn, TurnStart
from smarteros.flow.parts import Parts
from smarteros.flow.turn_taking import patience_s
from smarteros.observability.steps import watched
from smarteros.store.events import claim_messages, message_deleted, waiting_messages
from smarteros.store.turns import leadership, lift_mute, load_dialogue

_LOOK_EVERY_S = 0.1
# Mutes whose end can be read from the conversation itself: its status and its assignee.
_SEEN_IN_STATE = ("conversation_", "human_assigned")
_READABLE = ("image", "file")


@dataclass(frozen=True)
class _Burst:
    """What the customer has said since the last answer, and what is known of the conversation."""

    messages: tuple[IncomingMessage, ...]
    state: DialogueState
    history: tuple[str, ...]
    led: str | None
    deleted: bool
    waited_s: float = 0.0


class ResolveStep:
    """Gathers what the turn needs. A turn whose message an earlier turn has answered stops here (``merged``)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, start: TurnStart, round_number: int = 1) -> ResolvedTurn:
        """Resolve the turn; ``round_number`` counts from 1 how often it was begun."""
        tenant = self._parts.tenants.get(start.tenant_id)
        with watched("resolve", start.tenant_id, start.turn_id) as watch:
            burst = self._burst(tenant, start)
            muted_reason = self._confirmed(tenant, start, burst.led) if burst.messages and burst.led else None
            if not burst.messages:
                resolved = ResolvedTurn(stop="merged", reason="message_deleted" if burst.deleted else None)
            elif muted_reason is not None:
                resolved = ResolvedTurn(messages=burst.messages, stop="muted", reason=muted_reason)
            else:
                resolved = self._gather(tenant, burst.messages)
        return resolved.model_copy(
            update={
                "state": burst.state,
                "history": burst.history,
                "round": round_number,
                "waited_ms": round(burst.waited_s * 1000),
                "duration_ms": watch.duration_ms,
            }
        )

    def _burst(self, tenant: Tenant, start: TurnStart) -> _Burst:
        """Give the customer time to finish, then take his messages.

        The next message is noticed within ``_LOOK_EVERY_S``. The wait holds a worker's thread: it ends after
        ``MOST_BURST_S`` at the latest, and only a bounded number of turns wait at a time.
        """
        burst = self._take(tenant, start, patient=True)
        if isinstance(burst, _Burst):
            return burst
        began = time.monotonic()
        waits = self._parts.waiting_room.acquire(blocking=False)
        try:
            while not isinstance(burst, _Burst):
                if waits:
                    self._parts.pause(min(burst, _LOOK_EVERY_S))
                burst = self._take(tenant, start, patient=waits)
        finally:
            if waits:
                self._parts.waiting_room.release()
        return replace(burst, waited_s=time.monotonic() - began if waits else 0.0)

    def _take(self, tenant: Tenant, start: TurnStart, *, patient: bool) -> _Burst | float:
        """Take the messages that wait, or say for how many seconds to be patient."""
        tenant_id, conversation_id = start.tenant_id, start.conversation_id
        with self._parts.database.tenant(tenant.scope) as connection:
            state, history = load_dialogue(connection, tenant_id, conversation_id)
            if patient:
                waiting = waiting_messages(connection, tenant_id, conversation_id, start.turn_id)
                left_s = patience_s([entry.message for entry in waiting], [entry.age_s for entry in waiting], state)
                if left_s > 0.0:
                    return left_s
            claimed = claim_messages(connection, tenant_id, conversation_id, start.turn_id)
            return _Burst(
                messages=claimed,
                state=state,
                history=history,
                led=leadership(connection, tenant_id, conversation_id).muted_reason,
                deleted=not claimed and message_deleted(connection, tenant_id, conversation_id, start.message_id),
            )

    def _confirmed(self, tenant: Tenant, start: TurnStart, reason: str) -> str | None:
        """Ask the channel whether a person still leads: the webhook that gave the bot its turn may be lost.

        A person's reply itself is not to be seen in the conversation's state, so it holds until the state changes.
        """
        now = self._parts.patiently(
            lambda: self._parts.channel.conversation(tenant, start.conversation_id, account_id=start.account_id)
        )
        if now.status != "pending" or now.assigned_to_human or not reason.startswith(_SEEN_IN_STATE):
            return reason
        with self._parts.database.tenant(tenant.scope) as connection:
            lifted = lift_mute(connection, start.tenant_id, start.conversation_id, reason)
        return None if lifted else reason

    def _gather(self, tenant: Tenant, claimed: tuple[IncomingMessage, ...]) -> ResolvedTurn:
        documents = _documents(claimed)
        reading = self._read(tenant, documents) if documents else None
        return ResolvedTurn(messages=claimed, reading=reading, photo=bool(documents))

    def _read(self, tenant: Tenant, documents: list[Attachment]) -> DocumentReading:
        """Read every document of the burst and keep the one that was read best."""
        readings = [self._read_one(tenant, document) for document in documents]
        return max(readings, key=lambda reading: (reading.invoice_detected, reading.confidence))

    def _read_one(self, tenant: Tenant, document: Attachment) -> DocumentReading:
        try:
            data = self._parts.channel.download(tenant, document)
        except (RejectedInputError, TransientError, PermanentError):
            # Too large, from a foreign host, or not readable in time (``download`` waits for it): for the customer it
            # is a photo we could not read.
            return DocumentReading()
        return self._parts.reader.read(tenant, data)


def _documents(messages: tuple[IncomingMessage, ...]) -> list[Attachment]:
    return [a for message in messages for a in message.attachments if a.kind in _READABLE]
