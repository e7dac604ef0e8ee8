"""Numbers that name something: invoices, orders, RUT, telephones, e-mail, article codes, coupons, quantities."""

from __future__ import annotations

import re

import phonenumbers

from smarteros.kit.rut import canonical_rut

_INVOICE_CODE = re.compile(r"\b(inv|fac|bel|bol|fact)([-/ ]?)(\d{4})([-/ ])(\d{2,8})\b")
_INVOICE_SHORT_CODE = re.compile(r"\b(inv|fac|bel)[- ]?(\d{3,8})\b")
_INVOICE_CUE = re.compile(
    r"\b(?:facturas?|boletas?|folio|invoice|receipt)\b(?: (?:electronica|es|la|el|is|de|del|con|number|numero|nro|num"
    r"|folio))*[ .:]*(?:n[°ºo.]* ?|#)?(\d{2,10})\b"
)
_ORDER_HASH = re.compile(r"# ?(\d{3,10})\b")
_ORDER_CUE = re.compile(
    r"\b(?:pedidos?|orden|ordenes|order|compra|encargo|seguimiento)\b(?: (?:es|la|el|is|de|mi|my|number|numero|nro|num"
    r"|con))*[ .:]*(?:n[°ºo.]* ?|#)?(\d{3,10})\b"
)
_RUT = re.compile(r"(?<![\d.])\d{1,2}(?:\.\d{3}){2}-?[\dk]\b|(?<![\d.])\d{7,8}-[\dk]\b")
_EMAIL = re.compile(r"[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}\b")
_SKU = re.compile(r"\b(?!INV-|FAC-|BEL-)[A-Z]{2,5}(?:-[A-Z0-9]{1,6}){1,3}\b")
_COUPON = re.compile(r"\b(?:cup[oó]n|c[oó]digo|coupon|promo|code)(?: de descuento)?[ :]+([A-Z][A-Z0-9]{3,19})\b")
_MODEL = re.compile(
    r"\b((?:iphone|galaxy|redmi|moto|ps|xbox|macbook|ipad)(?: (?:note|pro|air|series|z|edge))? ?[a-z]?\d{1,3}[a-z]?"
    r"(?: (?:pro max|pro|plus|ultra|lite|mini))?)\b"
)
_SPOKEN = {
    "un": 1, "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "diez": 10,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10,
}  # fmt: skip
_COUNT = r"(\d{1,2}|" + "|".join(_SPOKEN) + r")"
_QUANTITY = (
    re.compile(rf"\b{_COUNT} (?:unidades?|pares|units?|pairs?|ejemplares|piezas)\b"),
    re.compile(rf"\b(?:cantidad|quantity)[ :]+{_COUNT}\b"),
    re.compile(r"(?<![a-z0-9])x ?(\d{1,2})\b(?! ?(?:gb|tb))"),
    re.compile(
        rf"\b(?:agrega(?:me)?|dame|deme|ponme|pon|llevo|llevar|quiero|comprar|compro|add|get|take|order|buy|want"
        rf"|cotizar|venden?s?|pedir|of|necesito) (?:me )?{_COUNT}"
        rf" (?:de (?:es[oa]s?|est[oa]s?|las?|los?)|of (?:those|these|them|the)|mas|more|al carr|[a-z]{{4,}}s\b)"
    ),
    re.compile(rf"\b{_COUNT} (?:del?|of the) (?:la |los |las )?(?:primer|segund|tercer|ultim|first|second|third|last)"),
    re.compile(
        r"\b(?:agrega(?:me)?|dame|deme|ponme|llevo|quiero|add|take|buy|want) (dos|tres|cuatro|two|three|four|[2-9])\b"
        r"(?! ?(?:mil|lucas|devolver|cambiar))"
    ),
)  # fmt: skip


def find_invoice_number(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find an invoice as printed ("INV-2025-001") or by its folio after the word ("boleta 4521")."""
    if found := _INVOICE_CODE.search(folded):
        prefix, _, year, between, number = found.groups()
        separator = "/" if between == "/" else "-"
        return f"{prefix.upper()}{separator}{year}{separator}{number}", found.span()
    if found := _INVOICE_SHORT_CODE.search(folded):
        return f"{found[1].upper()} {found[2]}", found.span()
    if found := _INVOICE_CUE.search(folded):
        return found[1], found.span()
    return None


def find_order_number(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find an order: "#1001", "pedido 1001", "order number 1001"."""
    found = _ORDER_CUE.search(folded) or _ORDER_HASH.search(folded)
    return (found[1], found.span()) if found else None


def find_rut(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find a RUT whose check digit is right."""
    for found in _RUT.finditer(folded):
        rut = canonical_rut(found.group())
        if rut is not None:
            return rut, found.span()
    return None


def find_phone(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find a telephone number valid in Chile or with a country code, as E.164."""
    if sum(character.isdigit() for character in folded) < 8:
        return None
    for found in phonenumbers.PhoneNumberMatcher(folded, "CL", max_tries=20):
        number = phonenumbers.format_number(found.number, phonenumbers.PhoneNumberFormat.E164)
        return number, (found.start, found.end)
    return None


def find_email(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find an e-mail address."""
    found = _EMAIL.search(folded)
    return (found.group(), found.span()) if found else None


def find_sku(text: str) -> str | None:
    """Find an article code, which is written in capitals: "ZRA-42"."""
    found = _SKU.search(text)
    return found.group() if found else None


def find_coupon(text: str) -> str | None:
    """Find a coupon code in capitals after the word that announces it."""
    found = _COUPON.search(text)
    return found[1] if found else None


def find_model(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find the model name of a well-known device: "iphone 13 pro", "galaxy a15"."""
    found = _MODEL.search(folded)
    return (found[1], found.span()) if found else None


def find_quantity(folded: str) -> tuple[int, tuple[int, int]] | None:
    """Find how many are wanted; sizes and prices must have been blanked out before."""
    for pattern in _QUANTITY:
        found = pattern.search(folded)
        if found:
            quantity = _SPOKEN.get(found[1]) or int(found[1])
            if 1 <= quantity <= 99:
                return quantity, found.span(1)
    return None
