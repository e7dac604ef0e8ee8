"""Who issued a document and of what kind it is, from its printed text. Pure."""

from __future__ import annotations

import re

from smarteros.documents.rows import Cell, Row, all_cells
from smarteros.domain.turns import DocumentKind
from smarteros.kit.rut import canonical_rut
from smarteros.kit.text import fold

RUT = re.compile(
    r"(?<!\d)(?<!\d[.,])(?:\d{1,2}[., ]?\s?\d{3}[., ]?\s?\d{3}\s?-\s?[\dkK](?![\d-])"
    r"|\d{1,2}[.,]\d{3}[.,]\d{3}[.,·]\s?[\dkK](?![\w.,-]))"  # the dash read as a point
)
_RECEIVER = re.compile(
    r"\bcliente\b|\breceptor\b|\bse[nhfilr1]{1,2}or(?:es)?\b|\bcomprador\b|\bcajero\b|\bvendedor\b|\bbill to\b"
)
_ISSUER = re.compile(r"\bemisor\b|\bemite\b")
# A RUT of which letters were read for digits: it is there, though nobody can say which one it is.
_LIKE_RUT = re.compile(
    r"(?<![\w.])[\dOGSBIZl]{1,2}[.,]\s?[\dOGSBIZl]{3}[.,]\s?[\dOGSBIZl]{3}\s?[-.,·]\s?[\dkK](?![\w-])"
)
_NO_SALE = re.compile(
    r"\bboleta de (?:prestacion de servicios|honorarios)\b|\btotal honorarios\b|\bpro\s?-?forma\b"
    r"|\bcomprobante de (?:transferencia|deposito)\b|\btransferencia de fondos\b"
)
_FIRST_COMPANY = 50_000_000
_DOUBT = 0.6
_RECEIVERS_ROWS = 3  # below "SEÑOR(ES):" the buyer's RUT is expected
_KINDS: tuple[tuple[re.Pattern[str], DocumentKind], ...] = (
    (re.compile(r"nota\s*(?:de)?\s*cr[e3]dito|credit note"), "nota_de_credito"),
    (re.compile(r"guia de despacho(?! ?:)|nota de debito|debit note"), "comprobante"),
    (re.compile(r"\bfactura\b|\bfactura(?=elec|exen)|\binvoice\b"), "factura"),
    (re.compile(r"\bboleta\b|\bboleta(?=elec|exen)|\breceipt\b"), "boleta"),
    (re.compile(r"nota de venta|comprobante|ticket de compra"), "comprobante"),
)
_WITH_RECEIPT = re.compile(
    r"\bcon (?:la |su |tu )?(?:boleta|factura)\b|\bboleta o factura\b|\bpresentar\b|\breferencia\b"
)
# SII's document types (33, 34 factura; 39, 41 boleta; 61 nota de crédito).
_BY_CODE: dict[int, DocumentKind] = {
    33: "factura", 34: "factura", 39: "boleta", 41: "boleta", 61: "nota_de_credito",
}  # fmt: skip


def kind_of_code(code: int) -> DocumentKind:
    """The kind of an SII document type; other types (guía de despacho, nota de débito) prove something as well."""
    return _BY_CODE.get(code, "comprobante")


def find_kind(rows: tuple[Row, ...]) -> tuple[DocumentKind, Cell] | None:
    """The kind by the title: the first line that names one, not a sentence about bringing the boleta along."""
    for cell in all_cells(rows):
        text = fold(cell.text)
        if _WITH_RECEIPT.search(text):
            continue
        for pattern, kind in _KINDS:
            if pattern.search(text):
                return kind, cell
    return None


def is_no_sale(rows: tuple[Row, ...]) -> bool:
    """Whether nothing was sold: work was paid for (boleta de honorarios), money was sent or a price offered."""
    return any(_NO_SALE.search(fold(row.text)) for row in rows)


def find_issuer(rows: tuple[Row, ...]) -> tuple[str, Cell, float] | None:
    """The issuer's RUT: one that says so, else the first with a right check digit that is not the buyer's.

    With how sure the place is: below 50 million a RUT is a person's, who may well be the buyer, and so may the one in
    the buyer's place, or the one after another that was misread, on a page whose issuer was not read.
    """
    found: list[tuple[bool, int, str, Cell]] = []
    misread = False
    receivers_row = -_RECEIVERS_ROWS - 1
    order = 0
    for at, row in enumerate(rows):
        folded = fold(row.text)
        for cell in row.cells:
            text = fold(cell.text)
            receiver = bool(_RECEIVER.search(text)) or (len(row.cells) > 1 and _RECEIVER.search(folded) is not None)
            for match in _LIKE_RUT.finditer(cell.text) if not found and not receiver else ():
                misread = misread or canonical_rut(_plain(match.group())) is None
            for match in RUT.finditer(cell.text):
                rut = canonical_rut(_plain(match.group()))
                order += 1
                if rut is None or (receiver and not _ISSUER.search(text)):
                    continue
                late = at - receivers_row <= _RECEIVERS_ROWS and not _ISSUER.search(folded)
                found.append((late, 0 if _ISSUER.search(folded) else order, rut, cell))
        if _RECEIVER.search(folded):
            receivers_row = at
    best = min(found, key=lambda one: one[:2], default=None)
    if best is None:
        return None
    said = _ISSUER.search(fold(best[3].text)) is not None
    buyers = misread or best[0] or int(best[2].split("-")[0]) < _FIRST_COMPANY
    return best[2], best[3], _DOUBT if buyers and not said else 1.0


def _plain(rut: str) -> str:
    return re.sub(r"[^\dkK]", "", rut)
