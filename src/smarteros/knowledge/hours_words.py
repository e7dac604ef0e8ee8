"""Sentences about opening hours for customers, Spanish (Chile) and English."""

from __future__ import annotations

from datetime import date

from smarteros.domain.decisions import Language
from smarteros.kit.words import date_in_words
from smarteros.knowledge.holidays import Holiday
from smarteros.knowledge.hours_model import DayHours, Spans, clock_words

_WEEKDAYS = {
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def day_words(day: date, today: date, language: Language, *, full: bool = False) -> str:
    """Name a day: "hoy lunes 23 de noviembre", "el viernes 18 de septiembre de 2027"; another year is named.

    ``full`` names it without regard to today.
    """
    weekday = _WEEKDAYS[language][day.weekday()]
    written = date_in_words(day, language)
    if not full and day.year == today.year:
        written = written.removesuffix(f" de {day.year}").removesuffix(f", {day.year}")
    ahead = (day - today).days
    if language == "en":
        relative = {0: "today, ", 1: "tomorrow, "}.get(ahead, "on ")
        return f"{'' if full else relative}{weekday}, {written}"
    relative = {0: "hoy ", 1: "mañana "}.get(ahead, "el ")
    return f"{'' if full else relative}{weekday} {written}"


def day_sentence(hours: DayHours, holiday: Holiday | None, today: date, language: Language) -> str:
    """Say the hours of a day, without a full stop. ``hours.spans`` None: of a holiday nobody knows the hours."""
    when = _capital(day_words(hours.day, today, language))
    name = f" ({holiday.name(language)})" if holiday and hours.because == "holiday" else ""
    if language == "en":
        return _english_day(when, name, hours)
    if name and hours.spans is None:
        return f"{when} es feriado{name} y no tengo confirmado el horario de ese día{_usual_words(hours, language)}"
    if name:
        open_ = f"; ese día atendemos {_spans(hours.spans or (), language)}" if hours.spans else " y no atendemos"
        return f"{when} es feriado{name}{open_}"
    return f"{when} atendemos {_spans(hours.spans, language)}" if hours.spans else f"{when} no atendemos"


def moment_sentence(
    hours: DayHours, holiday: Holiday | None, minutes: int, is_open: bool, today: date, language: Language
) -> str:
    """Say whether the shop is open at a time of a day, and the hours of the day."""
    when, clock = day_words(hours.day, today, language), clock_words(minutes)
    if not hours.spans:
        begin = day_sentence(hours, holiday, today, language)
        return f"No. {begin}."
    spans = _spans(hours.spans, language)
    if language == "en":
        answer, state = ("Yes", "open") if is_open else ("No", "closed")
        return f"{answer}, {when} at {clock} we are {state}: our hours are {spans}."
    state = "está abierto" if is_open else "está cerrado"
    return f"{'Sí' if is_open else 'No'}, {when} a las {clock} {state}: atendemos {spans}."


def weekday_sentence(weekday: int, spans: Spans, minutes: int | None, language: Language) -> str:
    """Say the hours of a weekday in general, and whether a time is within them."""
    within = minutes is not None and any(span.opens <= minutes < span.closes for span in spans)
    if language == "en":
        answer = "" if minutes is None else "Yes. " if within else "No. "
        name = f"{_WEEKDAYS['en'][weekday]}s"
        return (
            f"{answer}On {name} we are open {_spans(spans, language)}."
            if spans
            else f"{answer}On {name} we are closed."
        )
    answer = "" if minutes is None else "Sí. " if within else "No. "
    name = _WEEKDAYS["es"][weekday]
    name = f"Los {name if name.endswith('s') else name + 's'}"
    return f"{answer}{name} atendemos {_spans(spans, language)}." if spans else f"{answer}{name} no atendemos."


def _english_day(when: str, name: str, hours: DayHours) -> str:
    if name and hours.spans is None:
        return f"{when} is a public holiday{name} and I have no confirmed hours for that day{_usual_words(hours, 'en')}"
    if name:
        open_ = f"; that day we are open {_spans(hours.spans, 'en')}" if hours.spans else " and we are closed"
        return f"{when} is a public holiday{name}{open_}"
    return f"{when} we are open {_spans(hours.spans, 'en')}" if hours.spans else f"{when} we are closed"


def _usual_words(hours: DayHours, language: Language) -> str:
    if not hours.usual:
        return ""
    weekday, spans = _WEEKDAYS[language][hours.day.weekday()], _spans(hours.usual, language)
    if language == "en":
        return f". On a normal {weekday} we are open {spans}"
    return f". Un {weekday} normal atendemos {spans}"


def _spans(spans: Spans, language: Language) -> str:
    return (" and " if language == "en" else " y ").join(span.words(language) for span in spans)


def _capital(text: str) -> str:
    for lead in ("on ",):  # "Wednesday, 18 September is a public holiday", not "On Wednesday ... is"
        text = text.removeprefix(lead)
    return text[:1].upper() + text[1:]
