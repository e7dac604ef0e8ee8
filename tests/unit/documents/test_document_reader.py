"""From bytes to a reading, with an engine that says what the test wants."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from smarteros.documents.local import DocumentWorker
from smarteros.documents.protocol import OcrLine, OcrPage
from smarteros.documents.reader import DocumentReader
from smarteros.domain.errors import RejectedInputError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DocumentReading

TENANT = Tenant(
    tenant_id="TENANT_AROMO",
    name="Tienda Aromo SpA",
    rut="76123456-0",
    tenant_key="k" * 24,
    chatwoot_url="https://chat.aromo.example",
    chatwoot_account_ids=(31,),
)
ROWS = ("BOLETA ELECTRÓNICA", "N° 48213", "Fecha: 09/02/2026", "Producto: Polera Maule", "Talla: L", "TOTAL $ 15.990")


def page(*rows: str, confidence: float = 0.98) -> OcrPage:
    lines = [OcrLine(text=r, confidence=confidence, box=(0, n * 40, 400, n * 40 + 30)) for n, r in enumerate(rows)]
    return OcrPage(lines=tuple(lines), width=400, height=900)


@dataclass
class SaysEngine:
    """Answers page after page, or raises."""

    answers: list[OcrPage | Exception]
    seen: list[bytes] = field(default_factory=list)

    def read(self, image: bytes) -> OcrPage:
        self.seen.append(image)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def picture(kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(buffer, kind)
    return buffer.getvalue()


def blank_pdf(pages: int) -> bytes:
    document: Any = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(200, 300)
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    return buffer.getvalue()


MakeReader = Callable[..., tuple[DocumentReader, SaysEngine]]


@pytest.fixture
def make_reader() -> Iterator[MakeReader]:
    worker = DocumentWorker()

    def make(*answers: OcrPage | Exception, **options: Any) -> tuple[DocumentReader, SaysEngine]:
        engine = SaysEngine(list(answers))
        return DocumentReader(lambda _tenant: engine, worker, **options), engine

    yield make
    worker.close()


def test_a_photo_becomes_the_fields_the_flow_knows(make_reader: MakeReader) -> None:
    reader, engine = make_reader(page(*ROWS))
    reading = reader.read(TENANT, picture())
    assert reading.invoice_detected
    assert reading.confidence == pytest.approx(0.98)
    assert reading.text == "\n".join(ROWS)
    assert reading.fields == {
        "invoice_number": "48213",
        "purchase_date": "2026-02-09",
        "product_name": "Polera Maule",
        "product_size": "L",
        "total": 15990,
    }
    assert len(engine.seen) == 1


def test_a_blurred_photo_has_a_low_confidence(make_reader: MakeReader) -> None:
    reader, _ = make_reader(page(*ROWS, confidence=0.55))
    assert reader.read(TENANT, picture()).confidence < 0.70


def test_a_photo_of_something_else_is_no_invoice(make_reader: MakeReader) -> None:
    reader, _ = make_reader(page("Zapatilla azul", "$ 39.990"))
    assert not reader.read(TENANT, picture("JPEG")).invoice_detected


def test_of_a_scanned_pdf_the_page_with_the_invoice_is_read(make_reader: MakeReader) -> None:
    reader, engine = make_reader(page("Términos"), page(*ROWS), page("Publicidad"))
    assert reader.read(TENANT, blank_pdf(5)).fields["invoice_number"] == "48213"
    assert [data[:3] for data in engine.seen] == [b"\xff\xd8\xff"] * 3


def test_a_document_has_twenty_seconds_for_all_its_pages(make_reader: MakeReader) -> None:
    times = iter((0.0, 19.0, 21.0))
    reader, engine = make_reader(page(*ROWS), page("Anexo"), page("Anexo"), clock=lambda: next(times))
    found = reader.result(blank_pdf(3), engine)
    assert found.fields["invoice_number"].value == "48213"
    assert (found.pages, found.reasons) == (2, ("pages_unread",))


def test_pages_beyond_the_third_are_told_of(make_reader: MakeReader) -> None:
    reader, engine = make_reader(page(*ROWS), page("Anexo"), page("Anexo"))
    assert reader.result(blank_pdf(4), engine).reasons == ("pages_unread",)
    reader, engine = make_reader(page(*ROWS), page("Anexo"), page("Anexo"))
    assert reader.result(blank_pdf(3), engine).reasons == ()


@pytest.mark.parametrize("data", [b"", b"hola", b"\xff\xd8\xff", b"%PDF-1.7", bytes(17 * 2**20)])
def test_a_document_that_is_refused_is_a_reading_without_confidence(data: bytes, make_reader: MakeReader) -> None:
    reader, engine = make_reader()
    assert reader.read(TENANT, data) == DocumentReading(advice="clearer_photo")
    assert not engine.seen
    with pytest.raises(RejectedInputError):
        reader.read_strictly(TENANT, data)


def test_an_engine_that_is_away_is_not_a_blurred_photo(make_reader: MakeReader) -> None:
    reader, _ = make_reader(TransientError("vision_unavailable", "away"))
    with pytest.raises(TransientError):
        reader.read(TENANT, picture())
