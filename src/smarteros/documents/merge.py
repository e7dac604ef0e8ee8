"""Timbre and print put together: the timbre beats the print, and a disagreement is for a person to look at.

A timbre's data is exact: it is error-corrected and signed as a whole. Print is read letter by letter, so print counts
as disagreeing only where it was read with high confidence and nothing says that it was misread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from smarteros.documents.extract import Extraction
from smarteros.documents.issuer import kind_of_code
from smarteros.documents.items import split_size
from smarteros.documents.local import SoughtTimbre
from smarteros.documents.protocol import OcrPage
from smarteros.documents.reading import REQUIRED, DocumentResult, ReadField, ReadProduct, ReadTimbre, Source
from smarteros.documents.timbre.ted import Ted
from smarteros.documents.timbre.verify import TimbreVerdict, TimbreVerifier
from smarteros.domain.product_names import match_name
from smarteros.domain.turns import TRUSTED_CONFIDENCE, DocumentKind
from smarteros.kit.rut import canonical_rut
from smarteros.kit.text import fold

# Of a value that a timbre gives: signed by an authorised key; by a key whose authorisation cannot be checked here.
VERIFIED, UNVERIFIED = 0.995, 0.97
SURE_PRINT = 0.93  # from here on print may contradict a timbre
_SAME_ITEM = 80.0  # rapidfuzz; the timbre holds 40 characters of the first item, often in capitals
_LONGEST_ITEM = 40
_UNREAD_LINES, _UNREAD_SHARE = 4, 0.5
_GENERIC_ITEM = re.compile(r"^(?:ventas?|varios|productos?|servicios?|detalle|articulos?|item|boleta|consumo)\b")


@dataclass(frozen=True)
class ReadPage:
    """One page: what its text says, what was found of a timbre, where the text came from; page ``number`` ``of``."""

    page: OcrPage
    found: Extraction
    timbre: SoughtTimbre
    source: Source
    number: int = 1
    of: int = 1


def merge(
    pages: Sequence[ReadPage],
    verifier: TimbreVerifier,
    *,
    tenant_rut: str | None = None,
    catalogue: Sequence[str] = (),
) -> DocumentResult:
    """Make one result of a document's pages: the page that was read best, and the first timbre that could be decoded.

    ``catalogue`` holds the shop's product names, in whose spelling a product is given where it is clear which is meant.
    """
    if not pages:
        return DocumentResult()
    best = max(pages, key=lambda page: (page.found.invoice_detected, page.found.confidence, len(page.found.fields)))
    with_timbre = next((page for page in pages if page.timbre.data is not None), None)
    verdict, ted = TimbreVerdict(), None
    if with_timbre is not None and with_timbre.timbre.data is not None:
        verdict, ted = verifier.judge(with_timbre.timbre.data, tenant_rut=tenant_rut)
    elif any(page.timbre.box is not None for page in pages):
        verdict = TimbreVerdict(state="no_verificable", reason="undecodable")
    printed = _printed_fields(best)
    products = _products(best)
    fraud = [verdict.reason] if verdict.state == "alterado" or verdict.reason == "other_issuer" else []
    kind = best.found.kind
    if ted is not None and with_timbre is not None and verdict.state != "alterado":
        differs = disagreement(best, ted)
        if differs is not None:
            verdict = TimbreVerdict(state="alterado", reason=differs)
            fraud.append(differs)
        else:
            kind = kind_of_code(ted.kind)
            sure = VERIFIED if verdict.state == "verificado" else UNVERIFIED
            printed |= _timbre_fields(ted, sure, with_timbre, best, catalogue)
            products = products or _product_of(ted, sure, with_timbre)
    confidence = min((printed[name].confidence if name in printed else 0.0) for name in REQUIRED)
    if kind == "not_an_invoice":
        confidence = 0.0
    box = next((page.timbre.box for page in (with_timbre, *pages) if page is not None and page.timbre.box), None)
    return DocumentResult(
        kind=kind,
        confidence=round(confidence, 4),
        fields=printed,
        products=products,
        timbre=ReadTimbre(
            state=verdict.state, reason=verdict.reason, box=box,
            document_key=None if ted is None or verdict.state == "alterado" else ted.document_key,
        ),
        fraud=tuple(dict.fromkeys(fraud)),
        reasons=_reasons(pages, printed, kind, verdict),
        pages=len(pages),
        text=best.page.text,
    )  # fmt: skip


def disagreement(page: ReadPage, ted: Ted) -> str | None:
    """The first statement of the print that contradicts the timbre, as a reason code; None when all fits."""
    fields = page.found.fields

    def printed(name: str) -> str | None:
        field = fields.get(name)
        return None if field is None or field.confidence < SURE_PRINT else str(field.value)

    total, number, day, rut = (
        printed(name) for name in ("total", "invoice_number", "purchase_date", "issuer_rut")
    )  # fmt: skip
    if total is not None and _contradicts(total, str(ted.total)) and str(ted.total) not in _all_digits(page):
        return "total_differs"
    if number is not None and number.isdigit() and _contradicts(number, str(ted.folio)):
        return None if str(ted.folio) in _all_digits(page) else "number_differs"
    if day is not None and day != ted.issued.isoformat() and not _prints_day(page, ted):
        return "date_differs"
    if rut is not None and rut != canonical_rut(ted.issuer) and ted.issuer.split("-")[0] not in _all_digits(page):
        return "issuer_differs"
    return None


def _contradicts(printed: str, stamped: str) -> bool:
    return printed.lstrip("0") != stamped.lstrip("0")


def _all_digits(page: ReadPage) -> set[str]:
    """All numbers of the page without their points: the field may have been taken from the wrong place."""
    text = page.page.text
    plain = re.sub(r"(?<=\d)[.,\s](?=\d{3}(?!\d))", "", text)
    return {number.lstrip("0") for number in re.findall(r"\d+", plain)}


def _prints_day(page: ReadPage, ted: Ted) -> bool:
    """Whether the timbre's day is printed anywhere: the field may be another day's (delivery, reference)."""
    day = ted.issued
    digits = re.sub(r"\D", "", page.page.text)
    return f"{day:%d%m%Y}" in digits or f"{day:%Y%m%d}" in digits or f"{day:%d%m%y}" in digits


def _printed_fields(page: ReadPage) -> dict[str, ReadField]:
    return {
        name: ReadField(
            value=field.value,
            confidence=round(field.confidence, 4),
            source=page.source,
            box=None if field.box is None else page.page.in_picture(field.box),
            page=page.number,
        )
        for name, field in page.found.fields.items()
    }


def _products(page: ReadPage) -> tuple[ReadProduct, ...]:
    return tuple(
        ReadProduct(
            name=item.name, size=item.size, quantity=item.quantity, unit_price=item.unit_price, amount=item.amount,
            confidence=round(item.confidence, 4), source=page.source, box=page.page.in_picture(item.box),
        )
        for item in page.found.items
    )  # fmt: skip


def _timbre_fields(
    ted: Ted, sure: float, stamped: ReadPage, printed: ReadPage, catalogue: Sequence[str]
) -> dict[str, ReadField]:
    values: dict[str, object] = {
        "invoice_number": str(ted.folio),
        "purchase_date": ted.issued.isoformat(),
        "total": ted.total,
        "issuer_rut": canonical_rut(ted.issuer) or ted.issuer,
    }
    fields = {name: _stamped(value, sure, stamped) for name, value in values.items()}
    name, size = split_size(ted.first_item)
    if not name or _GENERIC_ITEM.match(fold(name)):
        return fields
    meant = match_name(name, catalogue).name if catalogue else None
    spelled = _spelled(name, printed, cut=len(ted.first_item) >= _LONGEST_ITEM) if meant is None else None
    fields["product_name"] = spelled or _stamped(meant or name, sure, stamped)
    if size is not None:
        fields["product_size"] = _stamped(size, sure, stamped)
    return fields


def _spelled(name: str, printed: ReadPage, *, cut: bool) -> ReadField | None:
    """The print's spelling of the timbre's item where it is the better one: in full, or not in capitals only."""
    field = printed.found.fields.get("product_name")
    if field is None:
        return None
    here, there = fold(str(field.value)), fold(name)
    alike = fuzz.partial_ratio(here, there) if cut else fuzz.ratio(here, there)
    complete = cut and len(here) > len(there) and field.confidence >= TRUSTED_CONFIDENCE
    if alike < _SAME_ITEM or not (complete or (name.isupper() and Levenshtein.distance(here, there) == 0)):
        return None
    box = None if field.box is None else printed.page.in_picture(field.box)
    sure = max(field.confidence, UNVERIFIED)
    return ReadField(value=field.value, confidence=sure, source=printed.source, box=box, page=printed.number)


def _product_of(ted: Ted, sure: float, stamped: ReadPage) -> tuple[ReadProduct, ...]:
    name, size = split_size(ted.first_item)
    if not name:
        return ()
    return (ReadProduct(name=name, size=size, confidence=sure, source="timbre", box=stamped.timbre.box),)


def _stamped(value: object, sure: float, page: ReadPage) -> ReadField:
    return ReadField(value=value, confidence=sure, source="timbre", box=page.timbre.box, page=page.number)


def _reasons(
    pages: Sequence[ReadPage], fields: dict[str, ReadField], kind: DocumentKind, verdict: TimbreVerdict
) -> tuple[str, ...]:
    lines = sum(len(page.page.lines) for page in pages)
    unread = sum(page.page.unread for page in pages)
    reasons: list[str] = []
    blurred = not lines and any(page.timbre.blurred for page in pages)
    if blurred or (unread >= _UNREAD_LINES and unread >= _UNREAD_SHARE * (lines + unread)):
        reasons.append("too_blurred")
    if kind == "not_an_invoice" and verdict.reason != "undecodable":
        return (*reasons, "not_an_invoice")
    for name in REQUIRED:
        if name not in fields:
            reasons.append(f"missing_{name}")
        elif fields[name].confidence < TRUSTED_CONFIDENCE:
            reasons.append(f"doubtful_{name}")
    if verdict.reason == "undecodable" and reasons:
        reasons.append("ask_closeup")
    if len(pages) < max(page.of for page in pages):
        reasons.append("pages_unread")
    return tuple(reasons)
