"""Public holidays of Chile, computed.

Those of the whole country from 2022 on; regional holidays (Arica 7 June, Chillán 20 August) and the days of elections,
censuses and single laws are not computable and not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from smarteros.domain.decisions import Language

_MONDAY, _TUESDAY, _WEDNESDAY, _FRIDAY, _SUNDAY = 0, 1, 2, 4, 6
# Days on which shops must close (law 19.973 art. 2, as amended by laws 20.629 and 20.918).
_MANDATORY = frozenset({(1, 1), (5, 1), (9, 18), (9, 19), (12, 25)})
_FIXED: dict[tuple[int, int], tuple[str, str]] = {
    (1, 1): ("Año Nuevo", "New Year's Day"),
    (5, 1): ("Día del Trabajo", "Labour Day"),  # law 18.018
    (5, 21): ("Día de las Glorias Navales", "Navy Day"),  # law 2.977
    (7, 16): ("Virgen del Carmen", "Our Lady of Mount Carmel"),  # law 20.148
    (8, 15): ("Asunción de la Virgen", "Assumption"),  # law 2.977
    (9, 18): ("Independencia Nacional", "Independence Day"),  # law 2.977
    (9, 19): ("Glorias del Ejército", "Army Day"),  # law 2.977
    (11, 1): ("Día de Todos los Santos", "All Saints' Day"),  # law 2.977
    (12, 8): ("Inmaculada Concepción", "Immaculate Conception"),  # law 2.977
    (12, 25): ("Navidad", "Christmas Day"),  # law 2.977
}


@dataclass(frozen=True)
class Holiday:
    """One public holiday; on a ``mandatory`` one ("irrenunciable") the law closes shops run by employees."""

    day: date
    es: str
    en: str
    mandatory: bool = False

    def name(self, language: Language) -> str:
        """Name it in a language."""
        return self.en if language == "en" else self.es


def holiday_on(day: date) -> Holiday | None:
    """Return the public holiday of a day, None on other days."""
    return holidays_of(day.year).get(day)


@lru_cache(maxsize=32)
def holidays_of(year: int) -> dict[date, Holiday]:
    """Compute a year's holidays by day.

    Good Friday and Holy Saturday: law 2.977. San Pedro y San Pablo and the Encuentro de Dos Mundos move to a Monday:
    law 19.668. The Iglesias Evangélicas move to a Friday: law 20.299. The Pueblos Indígenas are at the June solstice:
    law 21.357. 17 September when a Monday or Friday and 20 September when a Friday: laws 20.215 and 20.983. 2 January
    when a Monday: law 20.983.
    """
    named = {date(year, month, day): names for (month, day), names in _FIXED.items()}
    easter = easter_sunday(year)
    named[easter - timedelta(days=2)] = ("Viernes Santo", "Good Friday")
    named[easter - timedelta(days=1)] = ("Sábado Santo", "Holy Saturday")
    named[date(year, 6, _solstice_day(year))] = ("Día de los Pueblos Indígenas", "Indigenous Peoples' Day")
    named[_to_a_monday(date(year, 6, 29))] = ("San Pedro y San Pablo", "Saints Peter and Paul")
    named[_to_a_monday(date(year, 10, 12))] = ("Encuentro de Dos Mundos", "Meeting of Two Worlds Day")
    named[_to_a_friday(date(year, 10, 31))] = ("Día de las Iglesias Evangélicas", "Reformation Day")
    if date(year, 9, 17).weekday() in {_MONDAY, _FRIDAY}:
        named[date(year, 9, 17)] = ("Fiestas Patrias", "National Holidays")
    if date(year, 9, 20).weekday() == _FRIDAY:
        named[date(year, 9, 20)] = ("Fiestas Patrias", "National Holidays")
    if date(year, 1, 1).weekday() == _SUNDAY:
        named[date(year, 1, 2)] = ("feriado de Año Nuevo", "New Year's holiday")
    return {
        day: Holiday(day, es, en, mandatory=(day.month, day.day) in _MANDATORY)
        for day, (es, en) in sorted(named.items())
    }


def easter_sunday(year: int) -> date:
    """Compute Easter by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8)."""
    golden, century, of_century = year % 19, year // 100, year % 100
    skipped = (century + 8) // 25
    moon = (19 * golden + century - century // 4 - (century - skipped + 1) // 3 + 15) % 30
    to_sunday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * to_sunday) // 451
    month, day = divmod(moon + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _to_a_monday(day: date) -> date:
    """Law 19.668: a Tuesday, Wednesday or Thursday goes back to Monday, a Friday on to the next one."""
    weekday = day.weekday()
    if _TUESDAY <= weekday < _FRIDAY:
        return day - timedelta(days=weekday)
    return day + timedelta(days=3) if weekday == _FRIDAY else day


def _to_a_friday(day: date) -> date:
    """Law 20.299: a Tuesday goes back to Friday, a Wednesday on to Friday."""
    return day + timedelta(days={_TUESDAY: -4, _WEDNESDAY: 2}.get(day.weekday(), 0))


def _solstice_day(year: int) -> int:
    """Return the day of the June solstice in Chilean time: the 20th or 21st, exact from 2022 to 2046."""
    return 21 if year % 4 > 1 else 20
