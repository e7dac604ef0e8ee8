"""Dates, hours and weekdays stated in a text, and which hours belong to which weekday. Pure.

Works on folded lines (lower case, no accents, numbers as digits). Returns pairs of kind and canonical value:
``date`` 2025-10-15 or --10-15, ``month`` 10, ``weekday`` 0 (Monday) to 6 or ``holiday``, ``time`` 09:00, and ``hours``
``5 10:00`` for "on Saturdays ... 10:00".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Stated = tuple[str, str]

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "enero january ene jan", "febrero february feb", "marzo march mar", "abril april abr apr", "mayo may",
            "junio june jun", "julio july jul", "agosto august ago aug", "septiembre setiembre september sep sept",
            "octubre october oct", "noviembre november nov", "diciembre december dic dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
# "march" and "may" are verbs, the short forms other words: alone they are no months.
_MONTHS_ALONE = {
    name: number for name, number in _MONTHS.items() if (len(name) > 4 and name not in ("march",)) or name in ("mayo",)
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>(?:19|20)\d{2})"
_DATES = (
    re.compile(r"\b(?P<year>(?:19|20)\d{2})-(?P<month>\d{1,2})-(?P<day>\d{1,2})\b"),
    re.compile(r"\b(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{4}|\d{2})\b"),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|º|°)?(?: de| of|-)? ?(?P<name>{_MONTH})\b\.?"
        rf"(?:,? (?:de |del )?(?:ano )?{_YEAR})?"
    ),
    re.compile(rf"\b(?P<name>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? {_YEAR})?"),
    re.compile(r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})\b(?!/)"),
)
_MONTH_ALONE = re.compile(rf"\b(?:{'|'.join(_MONTHS_ALONE)})\b")

_DAYS = {
    name: number
    for number, names in enumerate(
        (
            "lunes monday mondays lun mon", "martes tuesday tuesdays mar tue tues",
            "miercoles wednesday wednesdays mie wed",
            "jueves thursday thursdays jue thu thur thurs", "viernes friday fridays vie fri",
            "sabado sabados saturday saturdays sab sat", "domingo domingos sunday sundays dom sun",
        )
    )
    for name in names.split()
}  # fmt: skip
_DAY_ANY = "|".join(sorted(_DAYS, key=len, reverse=True))
_DAY_FULL = "|".join(sorted((name for name in _DAYS if len(name) > 5 or name in ("lunes",)), key=len, reverse=True))
_GROUP = re.compile(
    rf"\b(?P<first>{_DAY_ANY})\.?\s*(?:a|al|-|–|—|to|through|thru|until|hasta)\s*(?:el |los )?(?P<last>{_DAY_ANY})\b"
    r"|\b(?P<every>todos los dias|cada dia|every day|daily|toda la semana|all week|7 dias a la semana|7 days a week)\b"
    r"|\b(?P<weekend>fin(?:es)? de semana|weekends?)\b"
    r"|\b(?P<holiday>feriados?|festivos?|(?:public |bank )?holidays?)\b"
    rf"|\b(?P<single>{_DAY_FULL})\b"
)
_TIME = re.compile(
    r"\b(?P<h>[01]?\d|2[0-4])[:.](?P<m>[0-5]\d)(?!\d)(?![.,]\d)\s*(?P<half>[ap]\.?\s?m\b\.?)?(?:\s*(?:hrs?|hs?|horas)\b\.?)?"
    r"|\b(?P<h2>[01]?\d|2[0-4])\s*(?P<half2>[ap]\.?\s?m\b\.?)"
    r"|\b(?P<h3>[01]?\d|2[0-4])h(?P<m3>[0-5]\d)\b"
    r"|\b(?:(?:a )?las|desde las|at|from)\s(?P<h4>[01]?\d|2[0-4])(?![\d:.%]|\s*(?:mil|lucas|dias|pesos))"
    r"(?P<and>\sy\s(?:media|cuarto|\d{2}))?(?:\sde la (?P<part>manana|tarde|noche))?"
    r"|\b(?P<h5>\d{1,2})(?P<and5>\sy\s(?:media|cuarto))?\sde la (?P<part5>manana|tarde|noche)"
    r"|\b(?P<noon>mediodia|noon|midday|medianoche|midnight)\b"
)
_HOUR_RANGE = re.compile(
    r"\b(?:de |desde (?:las )?|from )?(?P<low>[01]?\d|2[0-4])\s*(?:a|-|–|—|hasta|to|until)\s*"
    r"(?:las )?(?P<high>[01]?\d|2[0-4])\s*"
    r"(?P<unit>hrs\b\.?|hr\b\.?|h\b\.?|horas\b|(?P<half>[ap]\.?\s?m\b\.?))"
)  # fmt: skip
_MINUTES = {"media": 30, "cuarto": 15}


def calendar_facts(lines: Sequence[str]) -> tuple[frozenset[Stated], list[str]]:
    """Return what the lines state of the calendar, and the lines without it."""
    found: set[Stated] = set()
    remaining: list[str] = []
    carried: frozenset[str] = frozenset()  # "Lunes a viernes:" with its hours on the next line
    for line in lines:
        rest = _dates(line, found)
        rest = _HOUR_RANGE.sub(_range_as_times, rest)
        carried = _timetable(rest, found, carried)
        rest = _TIME.sub(lambda match: _take_time(match, found), rest)
        rest = _GROUP.sub(lambda match: _take_days(match, found), rest)
        remaining.append(_MONTH_ALONE.sub(lambda match: _take_month(match, found), rest))
    return frozenset(found), remaining


def _dates(line: str, found: set[Stated]) -> str:
    def take(match: re.Match[str]) -> str:
        groups = match.groupdict()
        month = _MONTHS[groups["name"]] if groups.get("name") else int(groups["month"])
        day, year = int(groups["day"]), groups.get("year")
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return match[0]
        year = f"20{year}" if year and len(year) == 2 else year
        found.add(("date", f"{year or '-'}-{month:02d}-{day:02d}"))
        return " "

    for pattern in _DATES:
        line = pattern.sub(take, line)
    return line


def _range_as_times(match: re.Match[str]) -> str:
    """ "de 9 a 18 hrs" says two times of day."""
    half = (match["half"] or "").replace(".", "").replace(" ", "")
    low, high = int(match["low"]), int(match["high"])
    if not half and high <= low:  # "2 a 1 horas" is nothing of the kind
        return match[0]
    if half == "pm" and high < 12:
        high += 12
    return f" {low}:00 {high}:00 "


def _clock(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    if groups["noon"]:
        return "00:00" if groups["noon"] in ("medianoche", "midnight") else "12:00"
    hour = int(next(groups[name] for name in ("h", "h2", "h3", "h4", "h5") if groups[name]))
    minute = int(groups["m"] or groups["m3"] or 0)
    extra = (groups["and"] or groups["and5"] or "").split()
    if extra:
        minute = _MINUTES.get(extra[1]) or int(extra[1])
    half = (groups["half"] or groups["half2"] or "").replace(".", "").replace(" ", "")
    part = groups["part"] or groups["part5"]
    if (half == "pm" or part in ("tarde", "noche")) and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    return f"{hour % 24:02d}:{minute:02d}" if hour <= 24 and minute < 60 else None


def _take_time(match: re.Match[str], found: set[Stated]) -> str:
    clock = _clock(match)
    if clock is None:
        return match[0]
    found.add(("time", clock))
    return " "


def _days_of(match: re.Match[str]) -> frozenset[str]:
    if match["first"]:
        first, last = _DAYS[match["first"]], _DAYS[match["last"]]
        span = range(first, last + 1) if first <= last else (*range(first, 7), *range(last + 1))
        return frozenset(map(str, span))
    if match["every"]:
        return frozenset(map(str, range(7)))
    if match["weekend"]:
        return frozenset({"5", "6"})
    return frozenset({"holiday"}) if match["holiday"] else frozenset({str(_DAYS[match["single"]])})


def _take_days(match: re.Match[str], found: set[Stated]) -> str:
    found.update(("weekday", day) for day in _days_of(match))
    return " "


def _take_month(match: re.Match[str], found: set[Stated]) -> str:
    found.add(("month", f"{_MONTHS_ALONE[match[0]]:02d}"))
    return " "


def _timetable(line: str, found: set[Stated], carried: frozenset[str]) -> frozenset[str]:
    """Pair weekdays with hours: "lunes a viernes de 9:00 a 18:00 y sábados de 10:00 a 14:00" or hours first.

    Returns the days that the next line's hours belong to, when this one ends with days.
    """
    marks = sorted(
        [(match.start(), "day", _days_of(match)) for match in _GROUP.finditer(line)]
        + [
            (match.start(), "time", frozenset({clock}))
            for match in _TIME.finditer(line)
            if (clock := _clock(match)) is not None
        ],
        key=lambda mark: mark[0],
    )
    if not marks:
        return carried if not line.strip() else frozenset()
    days: frozenset[str] = carried
    times: set[str] = set()
    hours_first = marks[0][1] == "time" and not carried and any(kind == "day" for _, kind, _ in marks)
    previous = ""
    for _, kind, values in marks:
        if kind == "time":
            if hours_first and previous == "day":
                times = set()
            times |= values
            if not hours_first:
                found.update(("hours", f"{day} {clock}") for day in days for clock in values)
        else:
            days = days | values if previous == "day" else values
            if hours_first:
                found.update(("hours", f"{day} {clock}") for day in days for clock in times)
        previous = kind
    return days if previous == "day" and not hours_first else frozenset()
