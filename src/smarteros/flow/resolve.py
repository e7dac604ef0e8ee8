"""``resolve``: the messages of the burst, what is remembered of the conversation, and what the photos say."""

from __future__ import annotations

import time
from dataclasses import dataclass

from smarteros.domain.decisions import OtherPhoto, PhotoShows
from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.limits import LimitName
from smarteros.domain.messages import CONTACT_BLOCKED, HUMAN_REPLY, Attachment, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, DocumentReading, ResolvedTurn
from smarteros.flow.given_back import OvertakenError, PutOffError
from smarteros.flow.lanes import PLACES
from smarteros.flow.leadership import still_muted
from smarteros.flow.over_limit import LimitGate
from smarteros.flow.parts import Parts
from smarteros.flow.turn_taking import only_greets, patience_s
from smarteros.kit.redaction import mask_cards
from smarteros.observability.steps import watched
from smarteros.observability.tracing import traced
from smarteros.store.claims import claim_document
from smarteros.store.events import burst, claim_burst, later_one_taken, message_deleted
from smarteros.store.queue import is_ours
from smarteros.store.turns import Remembered, remembered

_READABLE = ("image", "file")
# The code of ``documents.timbre.verify.SENTENCES`` for a timbre that another customer has shown.
CLAIMED = "claimed_by_another"
# A burst may hold any number of files; the customer waits, and so do the turns behind him.
_MOST_DOCUMENTS = 4
_READING_S = 20.0


@dataclass(frozen=True)
class _Burst:
    """What the customer has said since the last answer, and what is known of the conversation."""

    messages: tuple[IncomingMessage, ...]
    known: Remembered
    deleted: bool
    waited_s: float
    over: LimitName | None = None
    told: bool = False
    blocked: bool = False
    late_greeting: bool = False
    answered: bool = False


class ResolveStep:
    """Gathers what the turn needs. A turn whose message an earlier turn has answered stops here (``merged``)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._limits = LimitGate(parts.clock)

    def __call__(self, turn: ClaimedTurn, round_number: int = 1) -> ResolvedTurn:
        """Resolve the turn; ``round_number`` counts from 1 how often it was begun.

        PutOffError when the customer is to be given time to finish: the next message brings the turn back at once.
        """
        start = turn.start
        tenant = self._parts.tenants.get(start.tenant_id)
        with watched("resolve", start.tenant_id, start.turn_id) as watch:
            taken = self._take(tenant, turn)
            led = taken.known.muted_reason
            asks = bool(taken.messages) and not taken.answered
            muted_reason = still_muted(self._parts, tenant, start, led) if asks and led else None
            if not taken.messages:
                resolved = ResolvedTurn(stop="merged", reason="message_deleted" if taken.deleted else None)
            elif taken.answered:
                resolved = ResolvedTurn(messages=taken.messages, stop="muted", reason=HUMAN_REPLY)
            elif taken.late_greeting:
                resolved = ResolvedTurn(messages=taken.messages, stop="merged", reason="late_greeting")
            elif muted_reason is not None:
                resolved = ResolvedTurn(messages=taken.messages, stop="muted", reason=muted_reason)
            elif taken.blocked:
                resolved = ResolvedTurn(messages=taken.messages, stop="muted", reason=CONTACT_BLOCKED)
            elif taken.over is not None:  # nothing is read or asked that costs time or money
                resolved = ResolvedTurn(messages=taken.messages, over=taken.over, told=taken.told)
            else:
                resolved = self._gather(tenant, turn, taken.messages)
        return resolved.model_copy(
            update={
                "state": taken.known.state,
                "history": taken.known.history,
                "round": round_number,
                "waited_ms": round(taken.waited_s * 1000),
                "duration_ms": watch.duration_ms,
            }
        )

    def words(self, turn: ClaimedTurn) -> ResolvedTurn:
        """Take what the customer said and do nothing with it: whatever reads it may have killed the turn's workers."""
        start = turn.start
        with self._parts.database.tenant(self._parts.tenants.get(start.tenant_id).scope) as connection:
            known = remembered(connection, start.tenant_id, start.conversation_id)
            found = burst(connection, start.tenant_id, start.conversation_id, start.turn_id)
            claim_burst(connection, start.tenant_id, start.turn_id, found)
        messages = tuple(entry.message for entry in found if not entry.answered)
        stop = None if messages else "merged"  # an earlier turn, or a person, has answered everything
        return ResolvedTurn(messages=messages, stop=stop, state=known.state, history=known.history)

    def _take(self, tenant: Tenant, turn: ClaimedTurn) -> _Burst:
        """Take the messages that wait, unless the customer seems to go on."""
        start = turn.start
        tenant_id, conversation_id = start.tenant_id, start.conversation_id
        with self._parts.database.tenant(tenant.scope) as connection:
            known = remembered(connection, tenant_id, conversation_id)
            found = burst(connection, tenant_id, conversation_id, start.turn_id)
            open_ones = [entry for entry in found if not entry.answered]
            ages_s = [entry.age_s for entry in open_ones]
            held = any(entry.held for entry in found)
            if not held:
                left_s = patience_s([entry.message for entry in open_ones], ages_s, known.state)
                if left_s > 0.0:
                    raise PutOffError(left_s)
            claimed = claim_burst(connection, tenant_id, start.turn_id, found)
            answered = bool(found) and not open_ones
            if open_ones:  # the others are taken all the same: nobody else needs to look at them
                claimed = tuple(entry.message for entry in open_ones)
            # A worker that was taken for dead must not give messages to a turn that another one has ended: nobody
            # would answer them.
            if not all(entry.held for entry in found) and not is_ours(connection, turn):
                raise OvertakenError(start.turn_id)
            blocked = any(entry.blocked for entry in found)
            deleted = not claimed and message_deleted(connection, tenant_id, conversation_id, start.message_id)
            late = bool(claimed) and all(map(only_greets, claimed))
            late = late and later_one_taken(connection, claimed[-1], start.turn_id)
            over, told = self._limits.over(connection, tenant, start) if open_ones else (None, False)
        was_waited_for = bool(open_ones) and not held and turn.claims > turn.tries
        waited_s = ages_s[-1] if was_waited_for else 0.0
        return _Burst(claimed, known, deleted, waited_s, over, told, blocked, late, answered)

    def _gather(self, tenant: Tenant, turn: ClaimedTurn, claimed: tuple[IncomingMessage, ...]) -> ResolvedTurn:
        documents = _documents(claimed)
        if not documents:
            return ResolvedTurn(messages=claimed)
        self._parts.slow_lane.take(turn, due_within_s=PLACES["slow"].due_within_s)
        reading, others = self._read(tenant, documents)
        return ResolvedTurn(
            messages=claimed, reading=self._own(tenant, claimed[-1], reading), photo=True, other_photos=others
        )

    def _own(self, tenant: Tenant, message: IncomingMessage, reading: DocumentReading) -> DocumentReading:
        """A timbre is as genuine on a copy: one that another customer has shown before is for a person to look at."""
        if reading.document_key is None or reading.timbre != "verificado":
            return reading
        with self._parts.database.tenant(tenant.scope) as connection:
            if claim_document(connection, message, reading.document_key):
                return reading
        copied = {"timbre": "no_verificable", "timbre_reason": CLAIMED, "fraud": reading.fraud or CLAIMED}
        return reading.model_copy(update=copied)

    def _read(
        self, tenant: Tenant, documents: list[tuple[int, Attachment]]
    ) -> tuple[DocumentReading, tuple[OtherPhoto, ...]]:
        """Read the documents of the burst: the best invoice counts, the others are kept for a person."""
        give_up_at = time.monotonic() + _READING_S
        seen: list[tuple[int, DocumentReading]] = []
        for message_id, document in documents[:_MOST_DOCUMENTS]:
            if seen and time.monotonic() >= give_up_at:
                break
            seen.append((message_id, self._read_one(tenant, document)))
        not_read = [OtherPhoto(message_id=message_id, shows="not_read") for message_id, _ in documents[len(seen) :]]
        best = max(range(len(seen)), key=lambda at: _worth(seen[at][1]))
        reading = seen[best][1]
        others = [
            OtherPhoto(message_id=message_id, shows=_shows(other))
            for at, (message_id, other) in enumerate(seen)
            if at != best or not reading.invoice_detected
        ]
        # A person looks at the documents of this customer as soon as one of them is doubtful.
        doubt = next((other.fraud for _, other in seen if other.fraud is not None), None)
        return reading.model_copy(update={"fraud": reading.fraud or doubt}), (*others, *not_read)

    def _read_one(self, tenant: Tenant, document: Attachment) -> DocumentReading:
        try:
            data = self._parts.channel.download(tenant, document)
        except (RejectedInputError, TransientError, PermanentError):
            # Too large, from a foreign host, or not readable in time (``download`` waits for it): for the customer it
            # is a photo we could not read.
            return DocumentReading(advice="clearer_photo")
        with traced("ocr", tenant.tenant_id):
            reading = self._parts.reader.read(tenant, data)
        fields = {
            name: mask_cards(value) if isinstance(value, str) else value for name, value in reading.fields.items()
        }
        return reading.model_copy(update={"text": mask_cards(reading.text), "fields": fields})  # a photo of a card


def _documents(messages: tuple[IncomingMessage, ...]) -> list[tuple[int, Attachment]]:
    """The files that may be documents, each with the id of its message."""
    return [(message.id, a) for message in messages for a in message.attachments if a.kind in _READABLE]


def _worth(reading: DocumentReading) -> tuple[bool, float, bool, bool]:
    return reading.invoice_detected, reading.confidence, reading.timbre == "verificado", reading.advice is not None


def _shows(reading: DocumentReading) -> PhotoShows:
    if reading.invoice_detected:
        return "invoice"
    return "no_invoice" if reading.advice is None else "unreadable"
