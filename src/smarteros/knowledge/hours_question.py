"""Which days, and which time of day, a question about opening hours is about: "¿abren el sábado a las 3?"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from smarteros.kit.text import fold
from smarteros.knowledge.holidays import easter_sunday
from smarteros.knowledge.hours_text import MONTH, MONTHS, WEEKDAYS

_FULL_DAYS = "|".join(name for name in WEEKDAYS if len(name) > 4)
_NOW = re.compile(
    r"\b(?:ahora|ahorita|al tiro|en este momento|a esta hora|now|at the moment|right now|currently)\b"
    r"|\b(?:estan|esta|siguen|sigue|tan|estaran) (?:todavia |aun )?(?:abiert[oa]s?|atendiendo|funcionando)\b"
    r"|\bare you (?:still )?open\b"
    r"|\b(?:todavia|aun) (?:estan|atienden|hay)\b|\balcanzo a (?:ir|llegar|pasar)\b"
)
_RELATIVE = re.compile(
    r"\b(?P<after>pasado manana|the day after tomorrow)\b|(?<!la )(?<!esta )\b(?P<tomorrow>manana|tomorrow|mnn)\b"
    r"|\b(?P<today>hoy|today|tonight)\b"
)
_DATE = re.compile(
    rf"\b(?P<d1>\d{{1,2}}|primero|1ro|1ero)\s*(?:de|del|/|of)?\s*(?P<m1>{MONTH})\b(?:\s*(?:de|del)?\s*(?P<y1>20\d\d))?"
    rf"|\b(?P<m2>{MONTH})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b"
    rf"|\b(?P<d3>\d{{1,2}})[/-](?P<m3>\d{{1,2}})(?:[/-](?P<y3>20\d\d))?\b"
)
_DAY_OF_MONTH = re.compile(
    rf"\b(?:el|dia|este|the|{_FULL_DAYS})\s+(?:dia\s+)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)?\b"
    r"(?!\s*(?:hrs?|horas|%|:|de la |am|pm|por ciento|lucas|mil))"
    r"|\bel (?P<eighteenth>dieciocho)\b|\bel (?P<nineteenth>diecinueve)\b"
)
_WEEKDAY = re.compile(
    rf"\b(?P<which>(?:el |este |proximo |prox |siguiente |on |this |next )*)(?P<day>{_FULL_DAYS})\b"
    r"(?P<next> que viene| siguiente| proximo)?"
)
_GENERIC = re.compile(
    r"\b(?:los|las|cada)\s+(?P<es>lunes|martes|miercoles|jueves|viernes|sabados?|domingos?)\b"
    r"|\bon (?P<en>(?:mon|tues|wednes|thurs|fri|satur|sun)days)\b"
)
_WEEKEND = re.compile(r"\b(?:(?P<this>este |el |this )?(?:fin de semana|finde|weekend))\b")
_NAMED_DAYS: tuple[tuple[re.Pattern[str], tuple[tuple[int, int], ...]], ...] = (
    (re.compile(r"\b(?:nochebuena|vispera de navidad|christmas eve)\b"), ((12, 24),)),
    (re.compile(r"\b(?:navidad|christmas)\b"), ((12, 25),)),
    (re.compile(r"\b(?:vispera de ano nuevo|new year'?s eve)\b"), ((12, 31),)),
    (re.compile(r"\b(?:ano nuevo|new year)\b"), ((1, 1),)),
    (re.compile(r"\b(?:fiestas patrias|dieciocho|18 de sept?|independence day)\b"), ((9, 18), (9, 19))),
    (re.compile(r"\b(?:dia del trabaj(?:o|ador)|labou?r day)\b"), ((5, 1),)),
)
_GOOD_FRIDAY = re.compile(r"\b(?:viernes santo|good friday)\b")
_HOLY_WEEK = re.compile(r"\bsemana santa\b")
_TIME = re.compile(
    r"\b(?:a|tipo|como a|despues de|pasad[ao]s|antes de|at|after|around|por|a eso de)\s+(?:las |la )?"
    r"(?P<hour>[01]?\d|2[0-4])(?::(?P<min>[0-5]\d))?"
    r"(?P<half>\s+y media|\s+y cuarto)?\s*(?:hrs?\b|horas\b)?\s*"
    r"(?P<part>de la (?:manana|tarde|noche)|[ap]\.?m\b|in the (?:morning|afternoon|evening))?"
    r"(?!\s*(?:de (?:" + MONTH + r")|dias|cuotas|mil|lucas|%))"
)
_SOON = timedelta(days=14)  # a date this near is the one meant, whatever it is known for
_FAR = timedelta(days=60)  # the national holiday is not what everybody thinks of
_MAX_CHARS = 300


@dataclass(frozen=True)
class HoursQuestion:
    """What is asked: of ``days`` (or of weekdays in general), at ``minutes`` after midnight, or of this moment."""

    days: tuple[date, ...] = ()
    weekdays: tuple[int, ...] = ()
    minutes: int | None = None
    now: bool = False


def hours_question(text: str, now: datetime) -> HoursQuestion | None:
    """Read a question; ``now`` is Chilean wall time. None when it names neither a day nor this moment."""
    folded = fold(text[:_MAX_CHARS])
    today = now.date()
    minutes = _minutes(folded)
    generic = _GENERIC.search(folded)
    if generic:
        return HoursQuestion(weekdays=(_weekday(generic["es"] or generic["en"]),), minutes=minutes)
    days = _days(folded, today)
    if days:
        return HoursQuestion(days=days, minutes=minutes, now=days == (today,) and bool(_NOW.search(folded)))
    weekend = _WEEKEND.search(folded)
    if weekend and weekend["this"]:
        saturday = today + timedelta(days=(5 - today.weekday()) % 7)
        return HoursQuestion(days=(saturday, saturday + timedelta(days=1)), minutes=minutes)
    if weekend:
        return HoursQuestion(weekdays=(5, 6), minutes=minutes)
    if _NOW.search(folded):
        return HoursQuestion(days=(today,), now=True, minutes=minutes)
    return None


def _days(folded: str, today: date) -> tuple[date, ...]:
    """Return the days named; the most exact way of naming wins."""
    written = _DATE.search(folded)
    if written:
        day = _written_day(written, today)
        if day is not None:
            return (day,)
    if _GOOD_FRIDAY.search(folded):
        return (_easter(today) - timedelta(days=2),)
    if _HOLY_WEEK.search(folded):
        easter = _easter(today)
        return (easter - timedelta(days=2), easter - timedelta(days=1))
    for pattern, days in _NAMED_DAYS:
        if pattern.search(folded):
            return tuple(_next(month, day, today) for month, day in days)
    relative = _RELATIVE.search(folded)
    if relative:
        ahead = 2 if relative["after"] else 1 if relative["tomorrow"] else 0
        return (today + timedelta(days=ahead),)
    return _by_number(folded, today) or _by_weekday(folded, today)


def _by_number(folded: str, today: date) -> tuple[date, ...]:
    found = _DAY_OF_MONTH.search(folded)
    if found is None:
        return ()
    number = 18 if found["eighteenth"] else 19 if found["nineteenth"] else int(found["day"])
    weekday = _WEEKDAY.search(folded)
    near = _next_numbered(number, today, WEEKDAYS[weekday["day"]] if weekday else None)
    if number in {18, 19} and weekday is None:
        # In Chile "el 18" is the national holiday, unless another 18th is around the corner. When both are likely,
        # both are answered.
        national = _next(9, number, today)
        if near is None or near == national:
            return (national,)
        if near - today > _SOON:
            return (national, near) if national - today > _FAR else (national,)
        return (near,)
    return (near,) if near else ()


def _by_weekday(folded: str, today: date) -> tuple[date, ...]:
    found = _WEEKDAY.search(folded)
    if found is None:
        return ()
    ahead = (WEEKDAYS[found["day"]] - today.weekday()) % 7
    if ahead == 0 and (found["next"] or re.search(r"prox|siguiente|next", found["which"])):
        ahead = 7
    return (today + timedelta(days=ahead),)


def _written_day(found: re.Match[str], today: date) -> date | None:
    number = found["d1"] or found["d2"] or found["d3"]
    day = int(number) if number.isdigit() else 1
    named = found["m1"] or found["m2"]
    month = MONTHS[named] if named else int(found["m3"])
    year = found["y1"] or found["y3"]
    try:
        return date(int(year), month, day) if year else _next(month, day, today)
    except ValueError:
        return None


def _next(month: int, day: int, today: date) -> date:
    """Return the day's next coming; 29 February waits for a leap year. ValueError when there is no such day."""
    for year in range(today.year, today.year + 9):
        try:
            found = date(year, month, day)
        except ValueError:
            if (month, day) != (2, 29):
                raise
            continue
        if found >= today:
            return found
    raise ValueError(f"{month}-{day}")


def _next_numbered(number: int, today: date, weekday: int | None) -> date | None:
    for ahead in range(63):
        day = today + timedelta(days=ahead)
        if day.day == number and (weekday is None or day.weekday() == weekday):
            return day
    return _next_numbered(number, today, None) if weekday is not None else None


def _easter(today: date) -> date:
    easter = easter_sunday(today.year)
    return easter if easter >= today else easter_sunday(today.year + 1)


def _weekday(word: str) -> int:
    return WEEKDAYS[word] if word in WEEKDAYS else WEEKDAYS[word.rstrip("s")]


def _minutes(folded: str) -> int | None:
    """Read the time of day; shops are not asked about three in the morning: 1 to 7 are in the afternoon."""
    found = _TIME.search(folded)
    if found is None or re.match(r"^\W*(?:y )?a que hora", folded):
        return None
    hour = int(found["hour"])
    part = found["part"] or ""
    late = re.search(r"\b(?:cierran|hasta|siguen|close|until)\b", folded) is not None
    afternoon = part.startswith(("p", "de la tarde", "de la noche")) or part.endswith(("afternoon", "evening"))
    if hour < 12 and (afternoon or (not part and hour < (11 if late else 8))):
        hour += 12
    minutes = int(found["min"] or 0) + (30 if "media" in (found["half"] or "") else 15 if found["half"] else 0)
    return hour * 60 + minutes if hour < 24 else None
