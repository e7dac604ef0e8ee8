"""``resolve``: the messages of the burst, what is remembered of the conversation, and what the photos say."""

from __future__ import annotations

import time

from smarteros.domain.decisions import DialogueState
from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.messages import Attachment, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DocumentReading, ResolvedTurn, TurnStart
from smarteros.flow.parts import Parts
from smarteros.flow.turn_taking import patience_s
from smarteros.observability.steps import watched
from smarteros.store.events import claim_messages, message_deleted, waiting_messages
from smarteros.store.turns import leadership, load_dialogue, unmute

_LOOK_EVERY_S = 0.1
# Mutes whose end can be read from the conversation itself: its status and its assignee.
_SEEN_IN_STATE = ("conversation_", "human_assigned")
_READABLE = ("image", "file")


class ResolveStep:
    """Gathers what the turn needs. A turn whose message an earlier turn has answered stops here (``merged``)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, start: TurnStart, round_number: int = 1) -> ResolvedTurn:
        """Resolve the turn; ``round_number`` counts from 1 how often it was begun."""
        tenant = self._parts.tenants.get(start.tenant_id)
        with watched("resolve", start.tenant_id, start.turn_id) as watch:
            waited_s = self._wait_for_the_rest(tenant, start)
            with self._parts.database.tenant(tenant.scope) as connection:
                claimed = claim_messages(connection, start.tenant_id, start.conversation_id, start.turn_id)
                state, history = load_dialogue(connection, start.tenant_id, start.conversation_id)
                deleted = message_deleted(connection, start.tenant_id, start.conversation_id, start.message_id)
                led = leadership(connection, start.tenant_id, start.conversation_id).muted_reason
            muted_reason = self._confirmed(tenant, start, led) if claimed and led else None
            if not claimed:
                reason = "message_deleted" if deleted else None
                resolved = ResolvedTurn(stop="merged", reason=reason, state=state, history=history)
            elif muted_reason is not None:
                resolved = ResolvedTurn(
                    messages=claimed, stop="muted", reason=muted_reason, state=state, history=history
                )
            else:
                resolved = self._gather(tenant, claimed, state, history)
        times = {"round": round_number, "waited_ms": round(waited_s * 1000), "duration_ms": watch.duration_ms}
        return resolved.model_copy(update=times)

    def _wait_for_the_rest(self, tenant: Tenant, start: TurnStart) -> float:
        """Give the customer time to finish; returns the seconds it took.

        The next message is noticed within ``_LOOK_EVERY_S``. The wait holds a worker's thread: it ends after
        ``MOST_BURST_S`` at the latest, and only a bounded number of turns wait at a time.
        """
        began = time.monotonic()
        if self._patience_s(tenant, start) == 0.0 or not self._parts.waiting_room.acquire(blocking=False):
            return 0.0
        try:
            while (left := self._patience_s(tenant, start)) > 0.0:
                self._parts.pause(min(left, _LOOK_EVERY_S))
        finally:
            self._parts.waiting_room.release()
        return time.monotonic() - began

    def _patience_s(self, tenant: Tenant, start: TurnStart) -> float:
        with self._parts.database.tenant(tenant.scope) as connection:
            waiting = waiting_messages(connection, start.tenant_id, start.conversation_id, start.turn_id)
            state, _ = load_dialogue(connection, start.tenant_id, start.conversation_id)
        return patience_s([entry.message for entry in waiting], [entry.age_s for entry in waiting], state)

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
            unmute(connection, start.tenant_id, start.conversation_id, None)
        return None

    def _gather(
        self,
        tenant: Tenant,
        claimed: tuple[IncomingMessage, ...],
        state: DialogueState,
        history: tuple[str, ...],
    ) -> ResolvedTurn:
        documents = _documents(claimed)
        return ResolvedTurn(
            messages=claimed,
            state=state,
            history=history,
            reading=self._read(tenant, documents) if documents else None,
            photo=bool(documents),
        )

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
