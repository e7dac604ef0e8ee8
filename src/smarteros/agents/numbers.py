"""Numbers that name something: invoices, orders, RUT, telephones, e-mail, article codes, coupons, quantities."""

from __future__ import annotations

import re

import phonenumbers

from smarteros.kit.rut import canonical_rut

_NUMBER_CUE = r"(?:(?:n[°ºo.]* ?|#|nro\.? ?|num\.? ?))?"
_INVOICE_CODE = re.compile(r"\b(inv|fac|bel|bol|fact)([-/ ]?)(\d{4})([-/ ])(\d{2,8})\b")
_INVOICE_SHORT_CODE = re.compile(r"\b(inv|fac|bel)[- ]?(\d{3,8})\b")
_INVOICE_CUE = re.compile(
    r"\b(?:facturas?|boletas?|boletita|folio|invoice|receipt|documento)\b(?: (?:electronica|es|era|la|el|is|de|del|con"
    r"|number|numero|nro|num|compra|venta|folio))*[ .:,]*"
    + _NUMBER_CUE
    + r"(\d{1,3}(?:\.\d{3})+|(?:[a-z]{1,3}-)?\d{2,10})\b(?![.-]?\d)"
)
_ORDER_HASH = re.compile(r"# ?(\d{3,10})\b")
_ORDER_CUE = re.compile(
    r"\b(?:pedidos?|pedio|orden|ordenes|order|compra|encargo|seguimiento|tracking|solicitud|op|oc)\b"
    r"(?: (?:es|era|la|el|is|de|del|mi|my|number|numero|nro|num|no|compra|online|web|con))*[ .:,]*"
    + _NUMBER_CUE
    + r"((?:[a-z]{1,4}-)?\d{3,10})\b(?! ?(?:pesos|lucas|mil)\b)"
)
_ORDER_AFAR = re.compile(r"\b(?:pedido|orden|order|compra)\b[^.?!|]{0,24}\b(?:numero|nro|number) (?:es )?(\d{3,10})\b")
_RUT = re.compile(
    r"(?<![\d.])\d{1,2}(?:\.\d{3}){2} ?- ?[\dk]\b|(?<![\d.])\d{7,8} ?- ?[\dk]\b|(?<![\d.])\d{1,2}(?: \d{3}){2}-[\dk]\b|"
    r"(?<=rut )(?:es |el |de |empresa |mio es )?\d{7,8}[\dk]\b|(?<=rut: )\d{7,8}[\dk]\b|"
    r"(?<=rut )(?:es |el |de |empresa )?\d{1,2}(?:\.\d{3}){2}[\dk]\b"
)
_RUT_LEAD = re.compile(r"^(?:es|el|de|empresa|mio es) ")
_EMAIL = re.compile(r"[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}\b")
_CHILEAN_MOBILE = re.compile(r"(?<![\d.$-])(?:\+? ?56[ -]?)?\(?9\)?[ -]?\d{4}[ -]?\d{4}(?![\d.-])")
_SKU = re.compile(r"\b(?!INV-|FAC-|BEL-|BOL-)[A-Z]{2,5}(?:-[A-Z0-9]{1,6}){1,3}\b")
_SKU_CUE = re.compile(
    r"\b(?:sku|c[oó]digo (?:de(?:l)? )?(?:producto|art[ií]culo)|item code|product code|referencia|ref\.?)"
    r"(?: (?:es|el|is))*[ :#]+((?=[A-Za-z0-9-]*\d)[A-Za-z0-9][A-Za-z0-9-]{2,19})\b",
    re.IGNORECASE,
)
_COUPON = re.compile(
    r"\b(?:cup[oó]n|c[oó]digo|coupon|promo|promocode|voucher|code)"
    r"(?: (?:de descuento|de dcto|descuento|promocional|promo|code|es|is|el|la|que dice|llamado))*[ :]+[\"'“«]?"
    r"(?P<code>[A-Za-z][A-Za-z0-9]{3,19}|[A-Za-z]{2,}-?\d{1,4})\b",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"\b((?:iphone|galaxy|redmi|poco|moto|ps|xbox|macbook|ipad|watch|kindle|thinkpad|ideapad|vivobook|pavilion|airpods)"
    r"(?: (?:note|pro|air|series|tab|fold|flip|z|edge|g|x))? ?[a-z]{0,2}\d{1,4}[a-z]?"
    r"(?: (?:pro max|pro|plus|ultra|lite|mini|fe|5g))?"
    r"|iphone (?:se|xr|xs|x)|galaxy (?:buds|watch)(?: \d)?|airpods pro"
    r"|air max ?\d{1,3}|air force(?: ?(?:1|one))?|air jordan(?: ?\d{1,2})?"
    r"|jordan \d{1,2}|chuck taylor|all star|old skool|stan smith|ultraboost|superstar|gazelle|go walk|free run"
    r"|pegasus(?: \d{1,2})?|suede|sk8-hi)\b"
)
_NUMBERED_MODEL = re.compile(r"\b(?:new balance|nb|levi'?s|reebok|asics|gel) (\d{3,4})\b")
_CODED_MODEL = re.compile(
    r"\b(?:epson|hp|canon|brother|logitech|jbl|sony|lenovo|asus|acer|dell|lg|samsung|xiaomi|casio|modelo|model) "
    r"((?=[a-z0-9-]*\d)(?=[a-z0-9-]*[a-z])[a-z0-9]{1,4}-?[a-z0-9]{1,6})\b(?<!gb)(?<!tb)(?<!hz)"
)
_SPOKEN = {
    "un": 1, "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
    "ocho": 8, "nueve": 9, "diez": 10, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "una docena": 12, "media docena": 6, "a dozen": 12,
}  # fmt: skip
_COUNT = r"(\d{1,2}|" + "|".join(sorted(_SPOKEN, key=len, reverse=True)) + r")"
_PIECES = (
    r"(?:unidades?|par(?:es)?|units?|pairs?|ejemplares|piezas|packs?|sets?|juegos?|cajas?|bolsas?|kits?|boxes|bags)"
)
_QUANTITY = (
    re.compile(rf"\b{_COUNT} {_PIECES}\b"),
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
    re.compile(r"\b(una docena|media docena|a dozen)\b"),
    re.compile(
        rf"^[^a-z0-9]*(?:(?:no|ya|bueno|ok|perdon|mejor|solo)[, ]+)*{_COUNT} "
        r"(?:nomas|no mas|nada mas|sol[oa]|basta|me basta|is enough|is fine)[^a-z0-9]*$"
    ),
    re.compile(
        r"^[^a-z0-9]*(?:(?:no|ya|bueno|ok|entonces|pero|si)[, ]+)*"
        r"(?:mejor que sean|mejor|que sean|sean|serian|son|pon|dame|deme|make it|actually|solo|quiero) "
        rf"{_COUNT}(?: mejor| porfa| por favor| no mas| nomas| please| then)*[^a-z0-9]*$"
    ),
    re.compile(
        rf"\b(?:agrega(?:me|le)?|suma(?:me|le)?|pon(?:me|le)|add) (?:otr[oa]s )?{_COUNT}(?: mas| more)?\b"
        r"(?! ?(?:talla|en el))"
    ),
)  # fmt: skip


def find_invoice_number(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find an invoice as printed ("INV-2025-001") or by its number after the word ("boleta B-002310")."""
    if found := _INVOICE_CODE.search(folded):
        prefix, _, year, between, number = found.groups()
        separator = "/" if between == "/" else "-"
        return f"{prefix.upper()}{separator}{year}{separator}{number}", found.span()
    if found := _INVOICE_SHORT_CODE.search(folded):
        return f"{found[1].upper()} {found[2]}", found.span()
    if found := _INVOICE_CUE.search(folded):
        return found[1].replace(".", "").upper(), found.span()
    return None


def find_order_number(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find an order: "#1001", "pedido 1001", "order number 1001", "orden SO-2231"."""
    found = _ORDER_CUE.search(folded) or _ORDER_HASH.search(folded) or _ORDER_AFAR.search(folded)
    return (found[1].upper(), found.span()) if found else None


def find_rut(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find a RUT whose check digit is right; without a hyphen only after the word "rut"."""
    for found in _RUT.finditer(folded):
        rut = canonical_rut(_RUT_LEAD.sub("", found.group()).replace(" ", ""))
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
    # People invent numbers to try us out, and ranges are opened faster than the library learns of them.
    found = _CHILEAN_MOBILE.search(folded)
    return (f"+56{re.sub(r'[^0-9]', '', found.group())[-9:]}", found.span()) if found else None


def find_email(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find an e-mail address."""
    found = _EMAIL.search(folded)
    return (found.group(), found.span()) if found else None


def find_sku(text: str) -> str | None:
    """Find an article code: in capitals ("ZRA-42"), or anything with a digit after "sku" or "código de producto"."""
    found = _SKU_CUE.search(text)
    if found is not None:
        return found[1].upper()
    found = _SKU.search(text)
    return found.group() if found else None


def find_coupon(text: str) -> str | None:
    """Find a coupon code after the word that announces it; in small letters only when it holds a digit."""
    for found in _COUPON.finditer(text):
        code = found["code"]
        if code.isupper() or any(character.isdigit() for character in code):
            return code.upper()
    return None


def find_model(folded: str) -> tuple[str, tuple[int, int]] | None:
    """Find the model name of a well-known device or shoe: "iphone 13 pro", "galaxy a15", "air max 90"."""
    for pattern in (_MODEL, _NUMBERED_MODEL, _CODED_MODEL):
        found = pattern.search(folded)
        if found:
            return found[1], found.span(1)
    return None


def find_quantity(folded: str) -> tuple[int, tuple[int, int]] | None:
    """Find how many are wanted; sizes and prices must have been blanked out before."""
    for pattern in _QUANTITY:
        found = pattern.search(folded)
        if found:
            quantity = _SPOKEN.get(found[1]) or int(found[1])
            if 1 <= quantity <= 99:
                return quantity, found.span(1)
    return None
