"""``resolve``: the messages of the burst, what is remembered of the conversation, and what the photos say."""

from __future__ import annotations

from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.messages import Attachment, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DocumentReading, ResolvedTurn, TurnStart
from smarteros.flow.parts import Parts
from smarteros.observability.steps import watched
from smarteros.store.events import claim_messages
from smarteros.store.turns import load_dialogue

_READABLE = ("image", "file")


class ResolveStep:
    """Gathers what the turn needs. A turn whose message an earlier turn has answered stops here (``merged``)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, start: TurnStart) -> ResolvedTurn:
        """Resolve the turn."""
        tenant = self._parts.tenants.get(start.tenant_id)
        with watched("resolve", start.tenant_id, start.turn_id) as watch:
            with self._parts.database.tenant(tenant.scope) as connection:
                claimed = claim_messages(connection, start.tenant_id, start.conversation_id, start.turn_id)
                state, history = load_dialogue(connection, start.tenant_id, start.conversation_id)
            if not claimed:
                resolved = ResolvedTurn(stop="merged")
            else:
                documents = _documents(claimed)
                resolved = ResolvedTurn(
                    messages=claimed,
                    state=state,
                    history=history,
                    reading=self._read(tenant, documents) if documents else None,
                    photo=bool(documents),
                )
        return resolved.model_copy(update={"duration_ms": watch.duration_ms})

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
