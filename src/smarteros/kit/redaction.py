"""Personal data taken out of a text before it leaves the house, and put back into what comes back.

Recognised are mail addresses, phone numbers, RUTs, payment cards (by the Luhn digit), street addresses as they are
usually written in Chile, keys of well-known services and any other long number. What is spelled out in an unusual way
is not: this lowers what is disclosed, it is no proof that nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import phonenumbers

from smarteros.kit.rut import canonical_rut

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPELLED_EMAIL = re.compile(
    r"(?<![\w.-])[\w.-]{2,64} ?(?:\barroba\b|\(at\)|\[at\]| at ) ?[\w-]{2,40}"
    r" ?(?:\bpunto\b|\bdot\b|\.) ?(?:com|cl|net|org)\b",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\d+])\d(?:[ .-]?\d){12,18}(?!\d)")
_RUT = re.compile(r"(?<![\w.-])\d{1,2}(?:[.\s]?\d{3}){2}\s?[-‐–—]?\s?[\dkK](?![\w])")
_RUT_WRITTEN = re.compile(r"\d{1,2}[.]?\d{3}[.]?\d{3}\s?[-‐–—]\s?[\dkK]")
_NAMED_RUT = re.compile(r"(?i)(?<=rut)(?:\s?(?:es|n[°º]|:))?\s?(?P<value>\d{1,2}[.]?\d{3}[.]?\d{3}\b)")
_MOBILE = re.compile(r"(?<![\d.,$])(?:\+?\(?56\)?[\s.-]?)?\(?(?:0?9|[2-7]\d?)\)?(?:[\s.-]?\d){7,8}(?![\d])")
_LONG_NUMBER = re.compile(r"(?<![\d.,$/-])\+?\d(?:[ -]?\d){7,}(?![\d])")
_DATE = re.compile(r"\d{1,2}-\d{1,2}-\d{4}|\d{4}-\d{1,2}-\d{1,2}")
_DIGIT_WORD = (
    r"(?:cero|uno|un|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|zero|one|two|three|four|five|six|seven|eight|nine)"
)
_SPELLED_NUMBER = re.compile(rf"\b{_DIGIT_WORD}(?:[ ,-]+{_DIGIT_WORD}){{6,}}\b", re.IGNORECASE)
_KEY = re.compile(
    r"\b(?:sk|pk|rk|shpat|shpss|shpca|xox[abp]|gh[pous]|hvs|whsec|AIza)[-_][\w-]{8,}|\bAIza[\w-]{20,}|\bBearer\s+\S{8,}"
)
_NAME = r"[A-ZÁÉÍÓÚÑ0-9][\wáéíóúñÁÉÍÓÚÑ'.°-]*"
_FLAT = (
    r"(?:[\s,]+(?:depto|dpto|departamento|dep|oficina|of|casa|block|torre|piso|local|apt|apartment)\.?\s?#?\w{1,6})*"
)
_STREET = re.compile(
    r"(?i:\b(?:avenida|avda?\.?|av\.|calle|pasaje|psje\.?|pje\.?|camino|alameda|gran avenida|street|avenue)\s)"
    rf"(?:(?i:de|del|la|las|los|el|san|santa|y)\s|{_NAME}\s){{0,6}}(?:{_NAME})?,?\s?(?:#|[Nn][°ºo]?\.?\s?|(?i:nro\.?|numero|número)\s)?\d{{1,5}}\b(?i:{_FLAT})"
)
_LIVES = re.compile(
    r"(?i:\b(?:vivo en|mi direcci[oó]n(?: es)?:?|mi domicilio(?: es)?:?|"
    r"direcci[oó]n de (?:env[ií]o|despacho):?|i live at|"
    r"my address is|ship (?:it )?to|env[ií][ae](?:lo|la|me|r|rlo)? (?:esto )?a|despach(?:ar|en|enlo|ame)? a)\s)"
    rf"(?P<value>[^\n,;?!]{{2,60}}?\s#?\d{{1,5}}\b(?i:{_FLAT}))"
)
# A run of digits as people write cards: in groups, with what they put between them.
_DIGIT_RUN = re.compile(r"(?<![\d+])\d(?:[\s.\u00b7\u200b-\u200f\u2060\ufeff*_/\-\u2010-\u2015\u2212]{0,3}\d){13,}")
# Beginnings of the numbers that are payment cards, by their length (ISO/IEC 7812): a parcel's or a telephone's serial
# number may have the right check digit by chance, and is to be understood.
_CARD_BEGINNINGS: dict[int, re.Pattern[str]] = {
    14: re.compile(r"3(?:0[0-5]|[689])"),
    15: re.compile(r"3[47]"),
    16: re.compile(r"[456]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|35(?:2[89]|[3-8])"),
    17: re.compile(r"5[06-9]|6"),
    18: re.compile(r"5[06-9]|6"),
    19: re.compile(r"4|5[06-9]|6"),
}
# Where a card's number ends a line or a message: where its groups end on the plastic. An order's number and the
# telephone behind it, say, may make a card's number by chance.
_BREAKS = {14: {4, 10}, 15: {4, 10}}
_USUAL_BREAKS = {4, 8, 12, 16}
_PIECE = re.compile(r"\W*\d[\W\d]{0,22}")
CARD_MASK = "[tarjeta oculta]"
_LOGGED_RUT = re.compile(r"(?<![\w.-])\d{1,2}\.?\d{3}\.?\d{3}-[\dkK](?![\w-])")
_LOGGED_PHONE = re.compile(
    r"(?<![\w.:-])(?:\+\d{1,3}[ .-]?(?:\d[ .-]?){7,11}\d|(?:56[ -]?)?9[ -]?\d{4}[ -]?\d{4})(?![\w-])"
)
_PLACEHOLDER = re.compile(r"\[([A-Z]+_\d+)\]")
_LIKE_PLACEHOLDER = re.compile(r"\[\s*([A-Za-z]+_\d+)\s*\]")


class Redactor:
    """Hides the personal data of the texts of one request; the same value gets the same placeholder in all of them."""

    def __init__(self, always: Iterable[str] = ()) -> None:
        """``always`` are strings that are hidden wherever they stand, for example an internal id."""
        self._always = tuple(sorted({text for text in always if text}, key=len, reverse=True))
        self._original: dict[str, str] = {}
        self._placeholder: dict[tuple[str, str], str] = {}
        self._count: dict[str, int] = {}

    def hide(self, text: str) -> str:
        """Return the text with placeholders such as ``[PHONE_1]``; what looks like one already loses its brackets."""
        text = _LIKE_PLACEHOLDER.sub(r"(\1)", text)
        for secret in self._always:
            text = re.sub(re.escape(secret), self._put("ID"), text, flags=re.IGNORECASE)
        text = _KEY.sub(self._put("KEY"), text)
        text = _EMAIL.sub(self._put("EMAIL"), text)
        text = _SPELLED_EMAIL.sub(self._put("EMAIL"), text)
        text = _CARD.sub(self._put("CARD", lambda match: passes_luhn(match[0])), text)
        text = _CARD.sub(self._put("NUMBER", _is_no_price), text)
        text = _RUT.sub(self._put("RUT", _is_written_rut), text)
        text = _NAMED_RUT.sub(self._put("RUT"), text)
        for pattern in (_LIVES, _STREET):
            text = pattern.sub(self._put("ADDRESS"), text)
        text = self._phones(text)
        text = _MOBILE.sub(self._put("PHONE", _is_no_price), text)
        text = _RUT.sub(self._put("RUT", lambda match: canonical_rut(match[0]) is not None), text)
        text = _LONG_NUMBER.sub(self._put("NUMBER", lambda match: _DATE.search(match[0]) is None), text)
        return _SPELLED_NUMBER.sub(self._put("NUMBER"), text)

    def restore(self, text: str) -> str | None:
        """Put the hidden values back. None when the text has a placeholder that hides nothing here."""
        for match in _PLACEHOLDER.finditer(text):
            if match[0] not in self._original:
                return None
        return _PLACEHOLDER.sub(lambda match: self._original[match[0]], text)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The placeholders given out, in their order."""
        return tuple(self._original)

    def _phones(self, text: str) -> str:
        """Numbers that the numbering plans of the world know, the Chilean one without its country code."""
        found = list(phonenumbers.PhoneNumberMatcher(text, "CL"))
        for match in reversed(found):
            if (
                _DATE.fullmatch(match.raw_string.strip()) is None
                and "$" not in text[max(0, match.start - 2) : match.start]
            ):
                text = text[: match.start] + self._named("PHONE", match.raw_string) + text[match.end :]
        return text

    def _put(self, kind: str, really: Callable[[re.Match[str]], bool] | None = None) -> Callable[[re.Match[str]], str]:
        def replaced(match: re.Match[str]) -> str:
            if really is not None and not really(match):
                return match[0]
            value = match.groupdict().get("value") or match[0]
            start = match.start("value") - match.start() if "value" in match.groupdict() else 0
            before, after = match[0][:start], match[0][start + len(value) :]
            return f"{before}{self._named(kind, value)}{after}"

        return replaced

    def _named(self, kind: str, value: str) -> str:
        known = self._placeholder.get((kind, value))
        if known is None:
            self._count[kind] = self._count.get(kind, 0) + 1
            known = f"[{kind}_{self._count[kind]}]"
            self._placeholder[kind, value] = known
            # A value hidden inside another one is put back with it.
            self._original[known] = _PLACEHOLDER.sub(lambda match: self._original.get(match[0], match[0]), value)
        return known


def mask_cards(text: str) -> str:
    """Return the text without numbers of payment cards, which nobody here may keep (PCI DSS 4.0.1, requirement 3).

    A card is a number of 14 to 19 digits with a card's beginning and check digit, however it is grouped, also with its
    expiry or security code right behind it.
    """
    return _DIGIT_RUN.sub(_without_cards, text)


def is_card_piece(text: str) -> bool:
    """Tell whether a message is digits and nothing else, so that it may be a part of a card's number."""
    return _PIECE.fullmatch(text) is not None


def card_pieces(said: Sequence[str]) -> tuple[int, ...]:
    """Return which of a customer's messages, in their order, are together one card's number; none when none are."""
    for first in range(len(said)):
        digits, breaks = "", set[int]()
        for last in range(first, len(said)):
            if not is_card_piece(said[last]) or len(digits) > max(_CARD_BEGINNINGS):
                break
            digits += "".join(re.findall(r"\d", said[last]))
            if breaks and breaks <= _BREAKS.get(len(digits), _USUAL_BREAKS) and _is_whole_card(digits):
                return tuple(range(first, last + 1))
            breaks.add(len(digits))
    return ()


def redact_line(text: str) -> str:
    """Return a line of a log or trace without mail addresses, RUTs, phones and cards; ids of ours are left as they are.

    Quicker and with fewer guesses than ``Redactor``: what is written here is ours, with a stranger's words in between.
    """
    text = _EMAIL.sub("[EMAIL]", mask_cards(text))
    return _LOGGED_PHONE.sub("[PHONE]", _LOGGED_RUT.sub("[RUT]", text))


def _without_cards(run: re.Match[str]) -> str:
    text = run[0]
    groups = [(group.start(), group[0]) for group in re.finditer(r"\d+", text)]
    kept, done = "", 0
    for number, (start, _) in enumerate(groups):
        end = _end_of_card(groups[number:]) if start >= done else 0
        if end:
            kept, done = kept + text[done:start] + CARD_MASK, end
    return kept + text[done:]


def _end_of_card(groups: list[tuple[int, str]]) -> int:
    """Return where the card's number ends that begins with the first of these groups of digits; 0 when none does."""
    start, first = groups[0]
    for length in sorted(_CARD_BEGINNINGS, reverse=True):  # the security code may be glued to the number
        if len(first) >= length and _is_card(first[:length]):
            return start + length
    digits = first
    for at, group in groups[1:]:
        digits += group
        if _is_whole_card(digits):
            return at + len(group)
    return 0


def _is_whole_card(digits: str) -> bool:
    return len(digits) in _CARD_BEGINNINGS and _is_card(digits)


def _is_card(digits: str) -> bool:
    plain = "".join(str(int(digit)) for digit in digits)  # of any script
    return _CARD_BEGINNINGS[len(plain)].match(plain) is not None and passes_luhn(plain)


def passes_luhn(text: str) -> bool:
    """Tell whether the digits of a text end in the check digit of payment cards (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in text if character.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if position % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_written_rut(match: re.Match[str]) -> bool:
    """A RUT by the way it is written, with its dash, even when a digit is mistyped."""
    return _RUT_WRITTEN.fullmatch(match[0]) is not None


def _is_no_price(match: re.Match[str]) -> bool:
    return re.fullmatch(r"\d{1,3}(?:\.\d{3})+", match[0].strip()) is None and _DATE.search(match[0]) is None
