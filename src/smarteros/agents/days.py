"""Days named in a message, as ISO 8601: "15/10/2025", "15 de octubre", "ayer", "el lunes", "hace dos meses".

A day without a year, or a weekday, is the last such day when the message tells what happened ("compré el lunes"), and
the next one when it asks what will ("¿abren el lunes?"). Months and years are those of the calendar, not 30 days.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

_MONTHS = {
    "enero": 1, "febrero": 2, "marzo": 3, "abril": 4, "mayo": 5, "junio": 6, "julio": 7, "agosto": 8,
    "septiembre": 9, "setiembre": 9, "octubre": 10, "noviembre": 11, "diciembre": 12, "january": 1, "february": 2,
    "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8, "september": 9, "october": 10,
    "november": 11, "december": 12,
}  # fmt: skip
_WEEKDAYS = {
    "lunes": 0, "martes": 1, "miercoles": 2, "jueves": 3, "viernes": 4, "sabado": 5, "domingo": 6, "monday": 0,
    "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
}  # fmt: skip
_SPOKEN = {
    "un": 1, "una": 1, "a": 1, "an": 1, "one": 1, "dos": 2, "two": 2, "tres": 3, "three": 3, "cuatro": 4, "four": 4,
    "cinco": 5, "five": 5, "seis": 6, "six": 6, "siete": 7, "seven": 7, "ocho": 8, "eight": 8, "nueve": 9, "nine": 9,
    "diez": 10, "ten": 10, "quince": 15, "veinte": 20, "par de": 2, "un par de": 2, "couple of": 2, "a couple of": 2,
}  # fmt: skip
_FIXED_DAYS = {"dia": 1, "day": 1, "semana": 7, "week": 7}
_MONTHS_OF_UNIT = {"mes": 1, "month": 1, "ano": 12, "year": 12}
_MONTH = "|".join(_MONTHS)
_DAY_NAMES = "|".join(_WEEKDAYS)
_COUNT = r"(\d{1,3}|" + "|".join(sorted(_SPOKEN, key=len, reverse=True)) + ")"
_UNIT = r"(dia|day|semana|week|mes|month|ano|year)(?:e?s)?"

_NUMERIC = re.compile(r"(?<![\d/-])(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})(?![\d/-])")
_DAY_AND_MONTH = re.compile(r"(?<![\d/.,$-])(?<!\d )(?!24/7)(\d{1,2})/(\d{1,2})(?![\d/])")
_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_WRITTEN = re.compile(rf"\b(\d{{1,2}}|primero|uno) (?:de |del? mes de )?({_MONTH})(?: (?:de |del )?(\d{{4}}))?\b")
_WRITTEN_EN = re.compile(
    rf"\b({_MONTH}) (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?\b|"
    rf"\b(?:the )?(\d{{1,2}})(?:st|nd|rd|th)(?: of)? ({_MONTH})(?:,? (\d{{4}}))?\b"
)
_AGO = re.compile(rf"\bhace (?:como |unos |unas |ya |mas de |casi )?{_COUNT} {_UNIT}\b|\b{_COUNT} {_UNIT} ago\b")
_RELATIVE = re.compile(
    r"\b(antes de ayer|anteayer|antier|ayer|hoy|pasado manana|day before yesterday|day after tomorrow|yesterday|today|"
    r"tomorrow)\b|(?<!la )(?<!esta )(?<!hasta )\b(manana)\b"
)
_WEEKDAY = re.compile(
    rf"\b(?:el|del|al|este|para el|on|this|by) (?:(pasado|proximo) )?(?:dia )?({_DAY_NAMES})"
    rf"(?: (pasado|que viene|proximo))?\b|\b(pasado|last|next|proximo) ({_DAY_NAMES})\b"
)
_DAYS_AWAY = {
    "antes de ayer": -2, "anteayer": -2, "antier": -2, "day before yesterday": -2, "ayer": -1, "yesterday": -1,
    "hoy": 0, "today": 0, "manana": 1, "tomorrow": 1, "pasado manana": 2, "day after tomorrow": 2,
}  # fmt: skip
_HAPPENED = re.compile(
    r"\b(?:compr(?:e|o|amos|aron)|pedi|pedimos|pag(?:ue|amos)|lleg(?:o|aron)|fui|hice|encargue|recibi|transferi|"
    r"deposite|retire|dijeron|mandaron|despacharon|enviaron|tenia que|desde el|vendieron|trajeron|regalaron|bought|"
    r"ordered|paid|got|received|arrived|was|were|since)\b"
)
_TO_COME = re.compile(
    r"\b(?:abr(?:en|e|iran|ira)|cierran?|atienden?|atenderan?|trabajan|trabajaran|abiert[oa]s?|puedo|podria|podre|"
    r"pued(?:e|en)|v(?:an|oy|as) a|ire|paso|pasar|llega(?:ra|ria|n|ran)?|entregan?|despachan|reparten|para el|"
    r"antes del|hasta el|se puede|horario|will|open|close|can i|by|before|deliver|arrive)\b"
)
Found = tuple[str | None, tuple[int, int]]


def find_day(folded: str, today: date | None) -> Found | None:
    """Find a day in a folded message: the ISO 8601 day and where it stands.

    A day that depends on ``today`` is found without it too, but is None then.
    """
    ahead = _TO_COME.search(folded) is not None and _HAPPENED.search(folded) is None
    for found, day in _candidates(folded, today, ahead=ahead):
        if day is not None:
            return day.isoformat(), found.span()
        if today is None:
            return None, found.span()
    return None


def _candidates(folded: str, today: date | None, *, ahead: bool) -> Iterator[tuple[re.Match[str], date | None]]:
    for found in _ISO.finditer(folded):
        yield found, _day(found[1], found[2], found[3])
    for found in _NUMERIC.finditer(folded):
        yield found, _day(_full_year(found[3]), found[2], found[1])
    for found in _WRITTEN.finditer(folded):
        day = "1" if found[1] in {"primero", "uno"} else found[1]
        yield found, _in_year(found[3], _MONTHS[found[2]], day, today, ahead=ahead)
    for found in _WRITTEN_EN.finditer(folded):
        month, day, year = found[1] or found[5], found[2] or found[4], found[3] or found[6]
        yield found, _in_year(year, _MONTHS[month], day, today, ahead=ahead)
    for found in _DAY_AND_MONTH.finditer(folded):
        if 1 <= int(found[1]) <= 31 and 1 <= int(found[2]) <= 12:
            yield found, _in_year(None, int(found[2]), found[1], today, ahead=ahead)
    for found in _AGO.finditer(folded):
        yield found, today and _ago(today, found[1] or found[3], found[2] or found[4])
    for found in _WEEKDAY.finditer(folded):
        yield found, today and _weekday(found, today, ahead=ahead)
    for found in _RELATIVE.finditer(folded):
        yield found, today and today + timedelta(days=_DAYS_AWAY[found[1] or found[2]])


def _ago(today: date, count: str, unit: str) -> date:
    number = _SPOKEN.get(count) or int(count)
    if unit in _FIXED_DAYS:
        return today - timedelta(days=number * _FIXED_DAYS[unit])
    months = today.year * 12 + today.month - 1 - number * _MONTHS_OF_UNIT[unit]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def _weekday(found: re.Match[str], today: date, *, ahead: bool) -> date:
    name = found[2] or found[5]
    said = {found[1], found[3], found[4]}
    if said & {"proximo", "que viene", "next"} or (ahead and not said & {"pasado", "last"}):
        return today + timedelta(days=(_WEEKDAYS[name] - today.weekday()) % 7 or 7)
    return today - timedelta(days=(today.weekday() - _WEEKDAYS[name]) % 7 or 7)


def _in_year(year: str | None, month: int, day: str, today: date | None, *, ahead: bool) -> date | None:
    if year is not None:
        return _day(year, str(month), day)
    if today is None:
        return None
    this_year = _day(str(today.year), str(month), day)
    if this_year is None or (this_year >= today if ahead else this_year <= today):
        return this_year
    return _day(str(today.year + (1 if ahead else -1)), str(month), day)


def _full_year(written: str) -> str:
    return written if len(written) == 4 else f"20{written}"


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
