"""Answers about opening hours from what the tenant's texts say: "¿están abiertos ahora?", "¿y el 18?".

The hours are the owner's, the calendar is Chile's (America/Santiago and its public holidays). What the texts do not
say is not answered: then the passage itself is the answer, in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from smarteros.domain.decisions import Language
from smarteros.domain.knowledge import Passage
from smarteros.kit.clock import in_santiago
from smarteros.kit.text import fold
from smarteros.knowledge.holidays import Holiday, holiday_on
from smarteros.knowledge.hours_model import DayHours, Schedule, Spans
from smarteros.knowledge.hours_question import HoursQuestion, hours_question
from smarteros.knowledge.hours_text import schedules_in
from smarteros.knowledge.hours_words import day_sentence, day_words, moment_sentence, weekday_sentence

# Hours of something other than the shop's doors.
_ELSEWHERE = re.compile(
    r"\bretir|\bpick|\bcollect|servicio tecnico|technical|\bchat\b|mensaj|message|whatsapp|correo|e-?mail|telefon"
    r"|\bphone"
    r"|\bcall|llamad|taller|clase|curso|workshop|despach"
    r"|repart|entrega|deliver|\bcita\b|appointment|responde|contest"
    r"|\banswer|repair|reparac|soporte|support|almuerzo|colacion|bodega"
)
_UNDATED_SEASON = re.compile(r"\bverano\b|\binvierno\b|vacaciones|\bsummer\b|\bwinter\b|especial|temporada|season")
_DAYS_AHEAD = 14


@dataclass(frozen=True)
class HoursAnswer:
    """A sentence about opening hours and the passages it rests on.

    ``calendar`` says in words which day is meant and what day it is: the facts in ``text`` no passage states.
    """

    text: str
    passages: tuple[Passage, ...]
    calendar: str


class OpeningHours:
    """The hours of one shop as its passages state them; what two of them state differently is unknown."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        """Take the tenant's passages; those about opening hours, approved, are read."""
        self._read: list[tuple[Schedule, Passage]] = []
        for passage in passages:
            if passage.category == "horarios" and passage.approval == "approved":
                self._read += [(schedule, passage) for schedule in door_schedules(passage)]

    def __bool__(self) -> bool:
        return any(schedule.days for schedule, _ in self._read)

    def on(self, day: date) -> DayHours:
        """Return the hours of a day: a day named on its own, then a holiday, then the season, then the weekday."""
        valid = [(schedule, passage) for schedule, passage in self._read if passage.holds_on(day)]
        single = _agreed([s.single_days.get((day.month, day.day)) for s, _ in valid])
        seasonal = _seasonal(valid, day)
        usual = _agreed([s.days.get(day.weekday()) for s in seasonal])
        because = "season" if usual is not None else "usual"
        if usual is None:
            usual = self._usual(valid, day.weekday())
            if seasonal and usual:
                usual = None  # the season's text does not speak of this weekday
        if single is not None:
            return DayHours(day, single, "single_day", usual)
        holiday = holiday_on(day)
        if holiday is not None:
            return DayHours(day, _of_holiday([s for s, _ in valid], holiday), "holiday", usual)
        return DayHours(day, usual, because, usual)

    def usually(self, weekday: int, today: date) -> Spans | None:
        """Return the hours of a weekday in general."""
        return self._usual([(s, p) for s, p in self._read if p.holds_on(today)], weekday)

    def sources(self, day: date) -> tuple[Passage, ...]:
        """Return the passages that speak of hours on a day, each once, in their order."""
        return tuple(dict.fromkeys(passage for _, passage in self._read if passage.holds_on(day)))

    def next_opening(self, after: datetime) -> tuple[date, int] | None:
        """Return the day and minute of the next opening after a moment; None when some day on the way is unknown."""
        minutes = after.hour * 60 + after.minute
        for ahead in range(_DAYS_AHEAD):
            day = after.date() + timedelta(days=ahead)
            spans = self.on(day).spans
            if spans is None:
                return None
            later = [span.opens for span in spans if ahead or span.opens > minutes]
            if later:
                return day, later[0]
        return None

    def open_at(self, moment: datetime) -> bool | None:
        """Tell whether the shop is open at a moment of Chilean wall time; None when nobody knows."""
        return self.open_on(moment.date(), moment.hour * 60 + moment.minute)

    def open_on(self, day: date, minutes: int) -> bool | None:
        """Tell whether the shop is open on a day at a minute; a night that began the day before counts."""
        spans, night = self.on(day).spans, self.on(day - timedelta(days=1)).spans
        if any(span.opens <= minutes + 24 * 60 < span.closes for span in night or ()):
            return True
        return None if spans is None else any(span.opens <= minutes < span.closes for span in spans)

    @staticmethod
    def _usual(valid: Sequence[tuple[Schedule, Passage]], weekday: int) -> Spans | None:
        return _agreed([s.days.get(weekday) for s, p in valid if s.season is None and not _bounded(p)])


def answer_about_hours(hours: OpeningHours, text: str, now: datetime, language: Language = "es") -> HoursAnswer | None:
    """Answer a question about a day or this moment; ``now`` is aware. None when it asks neither or nobody knows.

    Pure: the same hours, text and instant give the same answer.
    """
    local = in_santiago(now)
    question = hours_question(text, local)
    if question is None or not hours:
        return None
    if question.weekdays:
        return _weekdays_answer(hours, question, local, language)
    sentences = [sentence for day in question.days if (sentence := _sentence(hours, question, day, local, language))]
    if len(sentences) != len(question.days):
        return None
    sources = dict.fromkeys(p for day in question.days for p in hours.sources(day))
    named = ", ".join(day_words(day, local.date(), language, full=True) for day in question.days)
    nearby = hours.next_opening(local)
    calendar = f"{day_words(local.date(), local.date(), language, full=True)}; {named}"
    if nearby is not None:
        calendar += f"; {day_words(nearby[0], local.date(), language, full=True)}"
    return HoursAnswer(" ".join(sentences), _preferred(tuple(sources), language), calendar)


def _sentence(
    hours: OpeningHours, question: HoursQuestion, day: date, local: datetime, language: Language
) -> str | None:
    found, holiday = hours.on(day), holiday_on(day)
    if found.spans is None and not (holiday and found.usual is not None):
        return None
    today = local.date()
    if question.minutes is not None and found.spans is not None:
        is_open = hours.open_on(day, question.minutes)
        return moment_sentence(found, holiday, question.minutes, bool(is_open), today, language)
    sentence = day_sentence(found, holiday, today, language)
    if day != today or found.spans is None:
        return f"{sentence}."
    return sentence + _now_words(hours, local, language)


def _now_words(hours: OpeningHours, local: datetime, language: Language) -> str:
    if hours.open_at(local):
        return "; we are open now." if language == "en" else "; ahora está abierto."
    following = hours.next_opening(local)
    shut = "; we are closed now." if language == "en" else "; ahora está cerrado."
    if not hours.on(local.date()).spans:
        shut = "."
    if following is None:
        return shut
    day, minutes = following
    clock = f"{minutes // 60}:{minutes % 60:02d}"
    when = day_words(day, local.date(), language)
    return f"{shut} We open {when} at {clock}." if language == "en" else f"{shut} Abrimos {when} a las {clock}."


def _weekdays_answer(
    hours: OpeningHours, question: HoursQuestion, local: datetime, language: Language
) -> HoursAnswer | None:
    today = local.date()
    found = [(weekday, hours.usually(weekday, today)) for weekday in question.weekdays]
    if any(spans is None for _, spans in found):
        return None
    sentences = [weekday_sentence(weekday, spans or (), question.minutes, language) for weekday, spans in found]
    return HoursAnswer(" ".join(sentences), _preferred(hours.sources(today), language), "")


def _preferred(passages: tuple[Passage, ...], language: Language) -> tuple[Passage, ...]:
    own = tuple(passage for passage in passages if passage.language == language)
    return own or passages


def door_schedules(passage: Passage) -> tuple[Schedule, ...]:
    """Read the hours of the shop's doors out of a passage; none when it speaks of the hours of something else."""
    title = fold(passage.title)
    if _ELSEWHERE.search(title):
        return ()
    # What is said in other sentences of other things ("los mensajes los respondemos...") is none of the doors'.
    lines = [line for line in re.split(r"(?<=[a-z)\d])\.\s+|\n", passage.text) if not _ELSEWHERE.search(fold(line))]
    text = "\n".join(lines)
    found = schedules_in(text)
    if not found and text:
        found = schedules_in(f"{passage.title.strip('¿?¡! ')}: {lines[0]}")
    if _UNDATED_SEASON.search(title) or _UNDATED_SEASON.search(fold(passage.text)):
        return tuple(s for s in found if s.season is not None or _bounded(passage) or _only_holidays(s))
    return found


def _only_holidays(schedule: Schedule) -> bool:
    return not schedule.days


def _bounded(passage: Passage) -> bool:
    """Tell whether a passage holds for a while only: it is a season by its dates."""
    return passage.valid_from is not None or passage.valid_until is not None


def _seasonal(valid: Sequence[tuple[Schedule, Passage]], day: date) -> list[Schedule]:
    return [s for s, p in valid if (s.season.holds_on(day) if s.season is not None else _bounded(p) and s.days)]


def _of_holiday(schedules: Sequence[Schedule], holiday: Holiday) -> Spans | None:
    general = _agreed([s.holidays for s in schedules])
    if holiday.mandatory:
        # "Abrimos los feriados" seldom means those on which the law closes shops: only an own sentence opens them.
        own = _agreed([s.mandatory_holidays for s in schedules])
        return own if own is not None or general else general
    return general


def _agreed(stated: Sequence[Spans | None]) -> Spans | None:
    """Return what all that say something say; None when nothing is said or two differ."""
    different = {spans for spans in stated if spans is not None}
    return next(iter(different)) if len(different) == 1 else None
