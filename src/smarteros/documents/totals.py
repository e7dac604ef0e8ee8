"""Amounts on an invoice, and which of them is the one to pay. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from smarteros.documents.field import NEARBY, UNANNOUNCED, Field
from smarteros.documents.rows import Row
from smarteros.kit.text import fold

TOTAL = "t[o0]ta[l1i]"  # as it is read
CONTRADICTED = 0.7  # by net and tax that add up to something else
_VAT = 0.19
_AMOUNT = re.compile(
    r"(?<![\d.,-])(?<!\d\. )\$?\s*(\d{1,3}(?:\. ?\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+(?! ?[.,])|\d{3,9})"
    r"(?:[.,]00)?(?:\.-)?(?![\d-]|[.,]\d)"
)
# A "$" right after it may be read as an S.
_TOTAL = re.compile(
    rf"\b{TOTAL}s?\b|\b(?:amount|balance) due\b|\b(?:monto|valor|importe) (?:a )?(?:pag(?:ar|ado)|cancelar)\b"
    r"|^\W*a pagar\b"
)
_PRICE = re.compile(r"\bprecio\b|\bprice\b|^(?:monto|valor|importe|amount)\b")
_HANDED_OVER = re.compile(r"\bpagado\b")  # maybe more than was asked, with change given back
_TO_PAY = re.compile(r"\ba (?:pagar|cancelar)\b|\bdue\b|\btotal final\b|\bgrand total\b")
_NOT_TOTAL = re.compile(
    r"sub\s?-?total|total neto|neto total|total iva|imponible"
    r"|\btotals? (?:de )?(?:articulos|items?|lineas|unidades|cantidad|puntos|(?:des)?cuentos?|dctos?|ahorr\w+|bruto"
    r"|afecto|exento|efectivo|entregado|recibido|vuelto|cambio|pagos|cuotas|savings|discounts?|points|qty)\b"
    r"|\b(?:ahorro|descuento|puntos) total"
)


def find_total(rows: tuple[Row, ...]) -> Field | None:
    """The amount to pay in whole pesos; with net and tax that add up to it, it is certain."""
    found: list[tuple[int, Field]] = []
    for at, row in enumerate(rows):
        text = fold(row.text)
        if not _TOTAL.search(text) or _NOT_TOTAL.search(text):
            continue
        certainty = 2 if _TO_PAY.search(text) else 0 if _HANDED_OVER.search(text) else 1
        amounts = amounts_in(row.text)
        if amounts:
            found.append((certainty, Field(amounts[-1], row.confidence, row.box)))
        elif at + 1 < len(rows) and (amounts := amounts_in(rows[at + 1].text)):
            below_it = rows[at + 1]
            sure = min(row.confidence, below_it.confidence) * NEARBY
            found.append((certainty, Field(amounts[-1], sure, below_it.box)))
    best = max(found, key=lambda one: (one[0], one[1].value, one[1].confidence), default=(0, None))[1]
    return (
        _price_as_total(rows)
        if best is None
        else _checked(replace(best, value=_without_dollar(best.value, rows)), rows)
    )


def amounts_in(text: str) -> list[int]:
    """Amounts of whole pesos in a text."""
    return [int(re.sub(r"\D", "", match.group(1))) for match in _AMOUNT.finditer(text)]


def _checked(total: Field, rows: tuple[Row, ...]) -> Field:
    """The total as sure as its net and tax make it."""
    net, tax = _labelled_amount(rows, r"\bneto\b|imponible"), _labelled_amount(rows, r"\biva\b|i\.v\.a")
    if tax is None:
        return total
    if net is None:
        fits = abs(total.value * _VAT / (1 + _VAT) - tax) <= 2 or _labelled_amount(rows, r"\bexento\b")
        return total if fits else replace(total, confidence=total.confidence * CONTRADICTED)
    untaxed = _labelled_amount(rows, r"\bexento\b") or 0
    adds_up = any(abs(net + tax + rest - total.value) <= 1 for rest in (0, untaxed))
    return replace(total, confidence=max(total.confidence, 0.99) if adds_up else total.confidence * CONTRADICTED)


def _without_dollar(amount: int, rows: tuple[Row, ...]) -> int:
    """``$19.990`` is easily read as 519.990; the amount is then on the page a second time, without the sign."""
    if not str(amount).startswith("5") or amount < 10_000:
        return amount
    rest = int(str(amount)[1:])
    everywhere = [found for row in rows for found in amounts_in(row.text)]
    return rest if rest >= 1000 and rest in everywhere and everywhere.count(amount) == 1 else amount


def _labelled_amount(rows: tuple[Row, ...], label: str) -> int | None:
    for row in rows:
        amounts = amounts_in(row.text)
        if amounts and re.search(label, fold(row.text)):
            return amounts[-1]
    return None


def _price_as_total(rows: tuple[Row, ...]) -> Field | None:
    for at, row in enumerate(rows):
        amounts = amounts_in(row.text)
        if _PRICE.search(fold(row.text)):
            amounts = amounts or (amounts_in(rows[at + 1].text) if len(row.cells) == 1 and at + 1 < len(rows) else [])
            if amounts:
                return Field(amounts[-1], row.confidence * UNANNOUNCED, row.box)
    return None
