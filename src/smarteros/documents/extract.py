"""From the text of an invoice to its fields. Pure.

Each field is looked for near the words that announce it and carries its own confidence: the engine's for the
lines it was read from, times how sure the place is. The document's confidence is the weakest required field's;
the engine's mean says nothing, it stays near 0.97 on pages where half the text was never found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from smarteros.documents.dates import find_date
from smarteros.documents.field import Field
from smarteros.documents.issuer import find_issuer, find_kind, is_no_sale
from smarteros.documents.items import ReadItem, find_items
from smarteros.documents.names import separated
from smarteros.documents.numbers import RUT_LIKE, find_number
from smarteros.documents.products import find_product
from smarteros.documents.protocol import OcrPage
from smarteros.documents.reading import REQUIRED
from smarteros.documents.rows import Row, rows_of
from smarteros.documents.totals import find_total
from smarteros.domain.turns import DocumentKind
from smarteros.kit.number_words import numbers_as_digits
from smarteros.kit.text import fold

NAME_ALONE = 0.6  # a name on a page of which neither number, day nor total could be read

_TITLE = re.compile(r"\b(?:factura|boleta|guia de despacho|nota de venta|comprobante|invoice|receipt)\b")
_PERIOD = r"(?<![\d.,])([1-9]\d{0,3})[\s-]*(d[il1]a|day|mes|month|ano|year)(?:e?s)?\b"
_WARRANTY = re.compile(
    rf"(?:garant[il1]a|warranty)(?:(?!cambio|devol|return|exten)\D){{0,30}}?{_PERIOD}"
    rf"|{_PERIOD}[\s-]*(?:de )?(?:garant[il1]a|warranty)(?! exten)"
)
_WARRANTY_UNIT_FIRST = re.compile(
    r"(?:garant[il1]a|warranty) ?\(?(?:en )?(d[il1]a|day|mes|month|ano|year)e?s\)? ?[:.]? ?([1-9]\d{0,3})\b"
)
_DAYS = {"d": 1, "m": 30, "a": 365, "y": 365}  # by the unit's first letter


@dataclass(frozen=True)
class Extraction:
    """All that was found. ``confidence`` is the minimum over ``REQUIRED``; a missing field counts 0."""

    fields: dict[str, Field]
    invoice_detected: bool
    kind: DocumentKind = "not_an_invoice"
    items: tuple[ReadItem, ...] = ()

    @property
    def confidence(self) -> float:
        """Confidence of the document."""
        return min((self.fields[name].confidence if name in self.fields else 0.0) for name in REQUIRED)

    @property
    def values(self) -> dict[str, Any]:
        """The plain values."""
        return {name: field.value for name, field in self.fields.items()}


def extract(page: OcrPage, *, catalogue: Sequence[str] = ()) -> Extraction:
    """Find the fields of an invoice. ``catalogue`` holds the shop's product names, which settle doubtful ones."""
    rows = rows_of(page)
    finders: dict[str, Callable[[tuple[Row, ...]], Field | None]] = {
        "invoice_number": find_number,
        "purchase_date": find_date,
        "total": find_total,
        "warranty_days": find_warranty,
        "issuer_rut": find_issuer_rut,
    }
    fields = {name: field for name, finder in finders.items() if (field := finder(rows)) is not None}
    goods = separated(rows)
    product = find_product(goods, catalogue)
    if product is not None:
        alone = not {"invoice_number", "purchase_date", "total"} & fields.keys()
        sure = product.confidence * (NAME_ALONE if alone else 1.0)
        fields["product_name"] = Field(product.name, sure, product.box)
        if product.size:
            fields["product_size"] = Field(product.size, product.confidence, product.box)
    detected = _is_invoice(rows, fields) and not is_no_sale(rows)
    kind = find_kind(rows)
    return Extraction(
        fields=fields,
        invoice_detected=detected,
        kind="not_an_invoice" if not detected else kind[0] if kind is not None else "comprobante",
        items=find_items(goods) if detected else (),
    )


def find_issuer_rut(rows: tuple[Row, ...]) -> Field | None:
    """The issuer's RUT in canonical form; its check digit is right."""
    found = find_issuer(rows)
    return None if found is None else Field(found[0], found[1].confidence * found[2], found[1].box)


def find_warranty(rows: tuple[Row, ...]) -> Field | None:
    """The printed warranty in days."""
    for row in rows:
        text = numbers_as_digits(fold(row.text))
        if match := _WARRANTY.search(text):
            count, unit = (part for part in match.groups() if part is not None)
        elif match := _WARRANTY_UNIT_FIRST.search(text):
            unit, count = match.groups()
        else:
            continue
        return Field(int(count) * _DAYS[unit[0]], row.confidence, row.box)
    return None


def _is_invoice(rows: tuple[Row, ...], fields: dict[str, Field]) -> bool:
    """Two signs of different kinds; one alone (a date on a poster, the word in a chat) is no invoice."""
    text = "\n".join(fold(row.text) for row in rows)
    signs = (
        bool(_TITLE.search(text)),
        bool(RUT_LIKE.search(text)),
        "invoice_number" in fields,
        "purchase_date" in fields and fields["purchase_date"].confidence >= 0.5,
        "total" in fields,
    )
    return sum(signs) >= 2 and (signs[0] or signs[2])
