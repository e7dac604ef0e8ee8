"""The number of a document among all the numbers on it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smarteros.documents.dates import NUMERIC_DATE
from smarteros.documents.field import ANNOUNCED, NEARBY, UNANNOUNCED, Field
from smarteros.documents.issuer import find_kind
from smarteros.documents.rows import Cell, Row, all_cells, below, beside
from smarteros.kit.text import fold

RUT_LIKE = re.compile(r"\b\d{1,2}\.?\d{3}\.?\d{3}-[\dk]\b")
TITLE = re.compile(
    r"\b(?:factura|boleta|guia de despacho|nota de venta|comprobante|invoice|receipt|ticket|recibo|documento"
    r"|f[o0][l1i][i1l][o0])\b"
)
_LONGEST_FOLIO = 10  # digits, by SII's format
_SHORT = 4  # digits, as a house's number has
_UNKNOWN = 0.65
_PAPERS = r"(?:factura|boleta|invoice|receipt|ticket|recibo|comprobante|documento)"
_LABEL = re.compile(
    rf"(?:\bn(?:[°o*\"']|ro|umero|um)?\s?[.:°]*|\bf[o0][l1i][i1l][o0]\b|factura de cliente|\b{_PAPERS}"
    r"(?: electronica)?(?: n[°o.]| no\.?| number| id| #)?)"
    rf"(?:\s*(?:de |del |la )*(?:doc(?:umento|to)?\b|{_PAPERS}))?\s*[:.#°]*\s*$"
)
_LOST_DEGREE = re.compile(r"^N(?=\d{3,}$)")
_TITLE_ALONE = re.compile(rf"\b{_PAPERS}(?: electronica)?\s*$")
_GLUED = re.compile(r"n[o°\"']?\s?(\d{2,10})")  # the ° of "N°123" is easily lost
_NUMBER = re.compile(r"(?<![\w,/-])(?<!\d\.)(?:[A-Z]{1,5}[-/]?)?\d[\d]*(?:[-/]\d+)*(?![\w.,/-]*\d)")
_GROUPED = re.compile(r"(?<![\w.,/-])\d{1,3}(?:[. ]\d{3})+$")
_STRUCTURED = re.compile(r"\b(?:[A-Z]{2,5}[-/]\d{4}[-/]\d{1,8}|[A-Z]\d{3}-\d{5,10})\b")
# From such a word on a line is about another number.
_OF_OTHERS = re.compile(
    r"\bres\b|\bresol\w*|\breferencia\b|\bpedidos?\b|\border\b|\borden\b|\bpago\b|\bcaja\b|\banula\b|\bcorrige\b|\bmodifica\b"
    r"|\brectifica\b|\boperacion\b|\btransaccion\b|\btrx\b|\bautorizacion\b|\bserie\b|\bcuenta\b|\bterminal\b"
    r"|\bcomercio\b|\bcontrato\b|\bcotizacion\b|\btarjeta\b|\bn[°o]\.? (?:de )?cliente\b|\bcod(?:igo)?\b|\bsku\b"
    r"|\btotal\b|\bmonto\b"
)
_ADDRESS = re.compile(r"^av\b|^avda\b|^calle\b|^pasaje\b|\bof\.|\bdepto\b|\bfono\b|\btel(?:efono)?\b|\bdireccion\b")
_STREET = re.compile(r"\b(?:av|avda|avenida|calle|pasaje|pje|camino|ruta|local|block)\b")
_DATED = re.compile(r"\s+(?:del|de fecha)\b", re.IGNORECASE)  # "Factura N° 44 del 02-03-2025" may be another paper
_CORRECTED = re.compile(r"\b(?:factura|boleta|documento)\b")
_TOWN_FOLLOWS = re.compile(r"\s*,\s*[^\W\d]{3}")


def find_number(rows: tuple[Row, ...]) -> Field | None:
    """The document's number, as printed but without leading zeros."""
    for cell, text in _readable(rows):
        match = _STRUCTURED.search(text)
        if match:
            return Field(match.group(), cell.confidence, cell.box)
    kind = find_kind(rows)
    corrected = kind is not None and kind[0] == "nota_de_credito"
    candidates = [(rank, field) for rank, field in _announced(rows, corrected=corrected) if field is not None]
    return min(candidates, key=lambda candidate: candidate[0], default=(0, None))[1]


def _announced(rows: tuple[Row, ...], *, corrected: bool) -> Iterator[tuple[int, Field | None]]:
    """Numbers with a rank, the best lowest; of equal ranks the upper one is the document's.

    ``corrected``: the paper corrects a factura or boleta, whose number it names.
    """
    for label, text in _readable(rows):
        for match in _NUMBER.finditer(text):
            before = fold(text[: match.start()])
            announced = _LABEL.search(before) if match.start() > 0 else None
            if announced is not None and not (corrected and _CORRECTED.search(before)):
                street = _STREET.search(before) is not None or _TOWN_FOLLOWS.match(text[match.end() :]) is not None
                # "Au. Araucaria N° 2310" is a misread street: beside a document's number stands what it is, or nothing.
                plain = announced.start() == 0 or TITLE.search(before) is not None
                dated = _DATED.match(text[match.end() :]) is not None
                unknown = UNANNOUNCED if plain or len(match.group()) > _SHORT else _UNKNOWN
                rank = 2 if street else 0 if plain and not dated else 1
                yield _ranked(rank, match.group(), label.confidence * (unknown if rank else ANNOUNCED), label)
        if _LABEL.search(fold(text)):
            rank = 1 if _TITLE_ALONE.search(fold(text)) else 0
            for cell in (beside(rows, label), *below(rows, label)[:1]):
                whole = None if cell is None else _NUMBER.fullmatch(_ungrouped("N°" + cell.text)[2:])
                if cell is not None and whole:
                    yield _ranked(rank, whole.group(), min(cell.confidence, label.confidence) * NEARBY, cell)
        glued = _GLUED.fullmatch(fold(text))
        if glued:
            yield _ranked(1, glued.group(1), label.confidence * NEARBY, label)


def _ranked(rank: int, text: str, confidence: float, cell: Cell) -> tuple[int, Field | None]:
    """A printed number without leading zeros; one or two digits, an article's 13, and those of a street, are rather
    something else's."""
    text = _LOST_DEGREE.sub("", text)
    plain = text.lstrip("0") if text.isdigit() else text
    if not plain or len(plain) > 20:
        return rank, None
    doubtful = rank == 2 or (plain.isdigit() and not (len(text) >= 3 and len(plain) <= _LONGEST_FOLIO))
    return (2, Field(plain, confidence * 0.6, cell.box)) if doubtful else (rank, Field(plain, confidence, cell.box))


def _readable(rows: tuple[Row, ...]) -> Iterator[tuple[Cell, str]]:
    """Cells that may hold the document's number, without RUTs and dates that look like one."""
    for cell in all_cells(rows):
        folded = fold(cell.text)
        if _ADDRESS.search(folded):
            continue
        others = _OF_OTHERS.search(folded)
        # Folding keeps the number of characters of what stands before the word.
        own = cell.text if others is None else cell.text[: others.start()]
        text = NUMERIC_DATE.sub(" ", re.sub(RUT_LIKE.pattern, " ", own, flags=re.IGNORECASE))
        if text.strip():
            yield cell, _ungrouped(text)


def _ungrouped(text: str) -> str:
    """A folio whose digits stand in groups of three, in one piece; an amount has no such label."""
    found = _GROUPED.search(text)
    before = "" if found is None else fold(text[: found.start()])
    if found is None or not _LABEL.search(before) or _TITLE_ALONE.search(before):
        return text
    return text[: found.start()] + re.sub(r"\D", "", found.group())
