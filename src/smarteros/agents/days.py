"""Days named in a message, as ISO 8601: "15/10/2025", "15 de octubre", "ayer", "el lunes", "hace dos semanas"."""

from __future__ import annotations

import re
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
_SPOKEN = {"un": 1, "una": 1, "a": 1, "one": 1, "dos": 2, "two": 2, "tres": 3, "three": 3, "cuatro": 4, "cinco": 5}
_DAYS_OF_UNIT = {"dia": 1, "day": 1, "semana": 7, "week": 7, "mes": 30, "month": 30}
_MONTH = "|".join(_MONTHS)
_COUNT = r"(\d{1,3}|" + "|".join(_SPOKEN) + ")"
_UNIT = r"(dia|day|semana|week|mes|month)(?:e?s)?"

_NUMERIC = re.compile(r"(?<![\d/-])(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})(?![\d/-])")
_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_WRITTEN = re.compile(rf"\b(\d{{1,2}}) (?:de )?({_MONTH})(?: (?:de |del )?(\d{{4}}))?\b")
_WRITTEN_EN = re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?\b")
_AGO = re.compile(rf"\bhace (?:como |unos |unas )?{_COUNT} {_UNIT}\b|\b{_COUNT} {_UNIT} ago\b")
_RELATIVE = re.compile(r"\b(antes de ayer|anteayer|antier|ayer|hoy|yesterday|today)\b")
_WEEKDAY = re.compile(rf"\b(?:el|este|pasado|last|on|this) (?:pasado )?({'|'.join(_WEEKDAYS)})\b")
_DAYS_BACK = {"antes de ayer": 2, "anteayer": 2, "antier": 2, "ayer": 1, "yesterday": 1, "hoy": 0, "today": 0}


def find_day(folded: str, today: date | None) -> tuple[str, tuple[int, int]] | None:
    """Find a day in a folded message. Relative days need ``today``; a day without a year is the last such day."""
    for found, day in _candidates(folded, today):
        if day is not None:
            return day.isoformat(), found.span()
    return None


def _candidates(folded: str, today: date | None) -> list[tuple[re.Match[str], date | None]]:
    candidates = [(found, _day(found[1], found[2], found[3])) for found in _ISO.finditer(folded)]
    candidates += [(found, _day(_full_year(found[3]), found[2], found[1])) for found in _NUMERIC.finditer(folded)]
    candidates += [(found, _in_year(found[3], found[2], found[1], today)) for found in _WRITTEN.finditer(folded)]
    candidates += [(found, _in_year(found[3], found[1], found[2], today)) for found in _WRITTEN_EN.finditer(folded)]
    if today is not None:
        for found in _AGO.finditer(folded):
            count, unit = found[1] or found[3], found[2] or found[4]
            days = (_SPOKEN.get(count) or int(count)) * _DAYS_OF_UNIT[unit]
            candidates.append((found, today - timedelta(days=days)))
        candidates += [(found, today - timedelta(days=_DAYS_BACK[found[1]])) for found in _RELATIVE.finditer(folded)]
        for found in _WEEKDAY.finditer(folded):
            back = (today.weekday() - _WEEKDAYS[found[1]]) % 7 or 7
            candidates.append((found, today - timedelta(days=back)))
    return candidates


def _in_year(year: str | None, month: str, day: str, today: date | None) -> date | None:
    number = str(_MONTHS[month])
    if year is not None:
        return _day(year, number, day)
    if today is None:
        return None
    this_year = _day(str(today.year), number, day)
    return this_year if this_year is None or this_year <= today else _day(str(today.year - 1), number, day)


def _full_year(written: str) -> str:
    return written if len(written) == 4 else f"20{written}"


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
