"""All that is known of a document after it was read: what ``smos documents read`` prints and the flow is given."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from smarteros.documents.protocol import Box
from smarteros.documents.timbre.verify import SENTENCES, TimbreVerdict
from smarteros.domain.model import Model
from smarteros.domain.turns import TRUSTED_CONFIDENCE, DocumentKind, DocumentReading

Source = Literal["timbre", "ocr", "pdf_text"]
REQUIRED = ("invoice_number", "purchase_date", "product_name")

REASONS = {
    "not_an_invoice": "Nothing on it says that it is an invoice.",
    "too_blurred": "Lines of text are there, or may be, but they cannot be read.",
    "pages_unread": "The file has more pages than are read (three, in 20 seconds).",
    "missing_invoice_number": "The document's number was not found.",
    "missing_purchase_date": "The day of issue was not found.",
    "missing_product_name": "No product was found.",
    "doubtful_invoice_number": "The document's number is not sure.",
    "doubtful_purchase_date": "The day of issue is not sure.",
    "doubtful_product_name": "The product is not sure.",
    "ask_closeup": "A barcode is there that could not be decoded: a close-up of it would settle the document.",
}


class ReadField(Model):
    """A value, how sure it is (0 to 1), what it was read from and where: ``box`` in the upright picture's pixels.

    ``page`` counts from 1. A value of the timbre has the timbre's box.
    """

    value: Any
    confidence: float
    source: Source
    box: Box | None = None
    page: int = 1


class ReadProduct(Model):
    """One row of goods. Amounts are whole pesos; what is not printed is None."""

    name: str
    size: str | None = None
    quantity: int | None = None
    unit_price: int | None = None
    amount: int | None = None
    confidence: float
    source: Source
    box: Box | None = None


class ReadTimbre(TimbreVerdict):
    """The verdict, where the timbre is, and what the document is by it (issuer, type and folio)."""

    box: Box | None = None
    document_key: str | None = None


class DocumentResult(Model):
    """A document as read.

    ``confidence`` is the minimum over number, date and product; a missing one counts 0. ``fraud`` lists why a person
    should look at it (codes of ``timbre.verify.SENTENCES``); it accuses nobody. ``reasons`` says what is missing.
    """

    kind: DocumentKind = "not_an_invoice"
    confidence: float = 0.0
    fields: dict[str, ReadField] = Field(default_factory=dict)
    products: tuple[ReadProduct, ...] = ()
    timbre: ReadTimbre = ReadTimbre()
    fraud: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    pages: int = 0
    text: str = ""

    @property
    def invoice_detected(self) -> bool:
        """Whether the document proves a purchase."""
        return self.kind != "not_an_invoice"

    def for_flow(self) -> DocumentReading:
        """The same in the flow's words."""
        advice = None
        if self.confidence < TRUSTED_CONFIDENCE and not self.fraud:
            if "ask_closeup" in self.reasons:
                advice = "timbre_closeup"
            elif self.invoice_detected or "too_blurred" in self.reasons:
                advice = "clearer_photo"
        return DocumentReading(
            text=self.text,
            confidence=self.confidence,
            invoice_detected=self.invoice_detected,
            kind=self.kind,
            fields={name: field.value for name, field in self.fields.items()},
            timbre=self.timbre.state,
            timbre_reason=self.timbre.reason,
            fraud=self.fraud[0] if self.fraud else None,
            advice=advice,
            document_key=self.timbre.document_key,
        )

    def as_json(self) -> dict[str, Any]:
        """For machines: every part, with the sentences to the codes."""
        found = self.model_dump(mode="json")
        found["timbre"]["sentence"] = self.timbre.sentence
        found["fraud"] = [{"code": code, "sentence": SENTENCES[code]} for code in self.fraud]
        found["reasons"] = [{"code": code, "sentence": REASONS[code]} for code in self.reasons]
        return found
