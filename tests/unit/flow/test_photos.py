"""Several photos in one turn: the best invoice counts, and none of the others is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.domain.decisions import DialogueState, OtherPhoto
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.messages import Attachment, Contact, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DocumentReading, ResolvedTurn, ToolsCalled
from smarteros.flow.decide import agent_request
from smarteros.flow.links import Links
from smarteros.flow.resolve import ResolveStep
from smarteros.flow.summary import summary_for_agent

INVOICE = DocumentReading(
    text="BOLETA", confidence=0.96, invoice_detected=True, fields={"invoice_number": "INV-7", "total": 39990}
)
SURE = INVOICE.model_copy(update={"confidence": 0.99, "timbre": "verificado"})
BLURRED = DocumentReading(confidence=0.3, invoice_detected=True, advice="clearer_photo")
PRODUCT = DocumentReading(text="Andes Run")
ALTERED = INVOICE.model_copy(update={"timbre": "alterado", "fraud": "FRMT no verifica"})


class Photos:
    """Readings by the number of the photo; a download hands out the number."""

    def __init__(self, *readings: DocumentReading | Exception) -> None:
        self.readings = readings
        self.read_so_far: list[int] = []

    def download(self, _tenant: Tenant, attachment: Attachment) -> bytes:
        reading = self.readings[attachment.id]
        if isinstance(reading, Exception):
            raise reading
        return bytes([attachment.id])

    def read(self, _tenant: Tenant, data: bytes) -> DocumentReading:
        self.read_so_far.append(data[0])
        return cast("DocumentReading", self.readings[data[0]])


def photo(number: int, kind: str = "image") -> Attachment:
    return Attachment(id=number, kind=cast("Any", kind), url=f"https://chat.example/{number}")


def resolve(bench: Bench, photos: Photos, *messages: tuple[int, ...]) -> ResolvedTurn:
    """One message for each tuple of photo numbers; their ids are 1, 2, 3..."""
    for number, attached in enumerate(messages, start=1):
        bench.receive(number, "aquí va", attachments=tuple(photo(at) for at in attached))
    parts = bench.parts
    channel = cast("Any", parts.channel)
    channel.download = photos.download
    return ResolveStep(replace(parts, reader=photos))(bench.claim(1))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_photos_in_one_message_the_invoice_counts_and_the_product_is_kept(
    order: tuple[int, int], bench: Bench
) -> None:
    resolved = resolve(bench, Photos(INVOICE, PRODUCT), order)

    assert resolved.reading == INVOICE
    assert resolved.other_photos == (OtherPhoto(message_id=1, shows="no_invoice"),)


def test_photos_of_two_messages_are_one_turn_and_the_better_invoice_wins(bench: Bench) -> None:
    resolved = resolve(bench, Photos(BLURRED, SURE), (0,), (1,))

    assert resolved.reading == SURE
    assert resolved.other_photos == (OtherPhoto(message_id=1, shows="invoice"),)


def test_a_photo_without_an_invoice_is_kept_though_it_is_the_only_one(bench: Bench) -> None:
    resolved = resolve(bench, Photos(PRODUCT), (0,))

    assert resolved.reading == PRODUCT
    assert resolved.other_photos == (OtherPhoto(message_id=1, shows="no_invoice"),)


def test_a_photo_that_cannot_be_fetched_is_an_unreadable_one_and_not_a_picture_of_something_else(bench: Bench) -> None:
    resolved = resolve(bench, Photos(RejectedInputError("media_too_slow", "slow")), (0,))

    assert resolved.reading == DocumentReading(advice="clearer_photo")
    assert resolved.other_photos == (OtherPhoto(message_id=1, shows="unreadable"),)


def test_one_doubtful_document_among_good_ones_brings_a_person(bench: Bench) -> None:
    resolved = resolve(bench, Photos(SURE, ALTERED), (0, 1))

    assert resolved.reading is not None
    assert (resolved.reading.timbre, resolved.reading.fraud) == ("verificado", "FRMT no verifica")


def test_of_a_flood_of_photos_four_are_read_and_the_rest_is_kept(bench: Bench) -> None:
    photos = Photos(*[PRODUCT] * 30)
    resolved = resolve(bench, photos, tuple(range(15)), tuple(range(15, 30)))

    assert len(photos.read_so_far) == 4
    assert [other.shows for other in resolved.other_photos].count("not_read") == 26


def resolved_with(reading: DocumentReading, **changes: Any) -> ResolvedTurn:
    message = IncomingMessage(
        id=7,
        tenant_id="FLOW_SHOP",
        account_id=31,
        conversation_id=1,
        inbox_id=52,
        channel="whatsapp",
        contact=Contact(id=5, name="Ana"),
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    return ResolvedTurn(messages=(message,), reading=reading, photo=True, **changes)


@pytest.mark.parametrize(("reading", "known"), [(INVOICE, True), (BLURRED, False), (ALTERED, False), (PRODUCT, False)])
def test_only_what_was_read_well_is_told_to_the_agent(reading: DocumentReading, known: bool) -> None:
    tenant = Tenant(
        tenant_id="FLOW_SHOP",
        name="Tienda",
        rut="76123456-0",
        tenant_key="k" * 24,
        chatwoot_url="https://chat.example",
        chatwoot_account_ids=(31,),
    )
    request = agent_request(tenant, resolved_with(reading))

    assert request.message.type == "image_with_text"
    assert (request.message.ocr_entities is not None) == known


def test_the_persons_summary_tells_what_the_photos_are_and_where_they_stand() -> None:
    earlier = DialogueState(other_photos=(OtherPhoto(message_id=3, shows="no_invoice"),))
    resolved = resolved_with(ALTERED, state=earlier, other_photos=(OtherPhoto(message_id=7, shows="unreadable"),))
    note = summary_for_agent(Links(), TENANT, resolved, None, ToolsCalled())

    assert "confianza 0.96, timbre alterado (número INV-7, total 39990)" in note
    assert "sin acusar al cliente: FRMT no verifica" in note
    assert "mensaje 3 (no es una boleta: quizás el producto o la falla); mensaje 7 (no se pudo leer)" in note
