"""Opening hours out of an owner's sentence: "Lunes a viernes de 10:00 a 19:00, sábado 10-14, domingo cerrado"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from smarteros.kit.text import fold
from smarteros.knowledge.hours_model import Schedule, Season, Span, Spans

WEEKDAYS = {
    "lunes": 0, "martes": 1, "miercoles": 2, "jueves": 3, "viernes": 4, "sabado": 5, "domingo": 6,
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    "lun": 0, "mie": 2, "jue": 3, "vie": 4, "sab": 5, "dom": 6, "mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4,
    "sat": 5, "sun": 6,
}  # fmt: skip
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "enero january", "febrero february", "marzo march", "abril april", "mayo may", "junio june", "julio july",
            "agosto august", "septiembre setiembre september", "octubre october", "noviembre november",
            "diciembre december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
DAY = rf"(?:{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})s?\b\.?"
MONTH = rf"(?:{'|'.join(MONTHS)})"
_TO = r"\s*(?:a|al|-|–|—|hasta|hasta el|to|through|till|until)\s*(?:el |los |las )?"
_CLOCK = (
    r"(?:[01]?\d|2[0-4])(?:[:.h][0-5]\d)?(?:\s*(?:[ap]\.?\s?m\b\.?))?(?:\s*(?:hrs?|hs?|horas)\b\.?)?"
    r"|mediodia|medianoche|noon|midnight"
)
_COUNTED = (
    r"(?!\s*(?:dias?|days?|%|cuotas|personas|cuadras|meses|minutos|minutes|mil\b|hours of|horas de|de (?:"
    + MONTH
    + r")))"
)
_HOLIDAY = r"(?:dias? )?(?:feriados?|festivos?)|(?:public |bank |national )?holidays?"
_MANDATORY = r"(?:feriados? |dias? )?irrenunciables?|(?:the )?mandatory (?:national |public )?holidays?"
_ITEM = re.compile(
    rf"(?P<dates>\b(?P<d1>\d{{1,2}})(?:\s*(?:y|e|and|,)\s*(?P<d2>\d{{1,2}}))?\s+de\s+(?P<m1>{MONTH})\b"
    rf"|\b(?P<m2>{MONTH})\s+(?P<d3>\d{{1,2}})\b(?!:))"
    rf"|(?P<range>\b(?P<from>{DAY}){_TO}(?P<to>{DAY}))"
    r"|(?P<every>\b(?:todos los dias|todo dia|cada dia|every day|daily|all week|toda la semana)\b)"
    r"|(?P<week>\b(?:entre semana|dias de semana|dias habiles|weekdays)\b)"
    r"|(?P<weekend>\bfin(?:es)? de semana\b|\bweekends?\b|\bfindes?\b)"
    rf"|(?P<mandatory>\b(?:{_MANDATORY})\b)|(?P<holiday>\b(?:{_HOLIDAY})\b)"
    rf"|(?P<day>\b{DAY})"
    r"|(?P<allday>\b24 horas\b|\b24/7\b|\b24 hours\b)"
    rf"|(?P<span>(?<![\d:.$])\b(?P<opens>{_CLOCK})"
    rf"\s*(?:a|-|–|—|y|and|to|hasta|until|till)\s*(?:las? )?(?P<closes>{_CLOCK})(?![\d:]){_COUNTED})"
    rf"|(?P<until>\b(?:hasta|until|till|cerramos a|cierra a|cierran a|cerrando a)"
    rf"\s+(?:las? )?(?P<last>{_CLOCK})(?![\d:]){_COUNTED})"
    r"|(?P<closed>\bcerrad[oa]s?\b|\bclosed\b|\bcerramos\b|\bwe close\b|\bonly close\b|\bdescansamos\b"
    r"|\bno (?:se )?(?:atendemos|atiende|abrimos|abre|abrira|abriremos|hay atencion|trabajamos)\b"
    r"|\bsin atencion\b|\bnot open\b)"
    r"|(?P<except>\b(?:excepto|salvo|menos|except)\b)"
)
_SENTENCE = re.compile(r"(?<=[a-z)])\.\s+|(?<=\d)\.\s+(?=[a-z])|[;\n!?]+|•")
_CONDITIONAL = re.compile(r"^\W*(?:si el|si la|si un|cuando|if|when)\b")
_JOINED = re.compile(r"^[\s,]*(?:y|e|and|&|/)?\s*(?:los?|las?|el|on|en|dias?)?\s*$")
_SEASON = re.compile(
    rf"(?:del?|desde el|entre el|from)\s+(?:(?P<d1>\d{{1,2}})\s+de\s+)?(?P<m1>{MONTH})(?:\s+de\s+(?P<y1>20\d\d))?"
    rf"\s+(?:al|a|hasta el|y el|to|until)\s+"
    rf"(?:(?P<d2>\d{{1,2}})\s+de\s+)?(?P<m2>{MONTH})\b(?:\s+de\s+(?P<y2>20\d\d))?"
    rf"|\b(?:en|durante|in|during)\s+(?P<m3>{MONTH})(?:\s*(?:y|e|and|,|a|-)\s*(?P<m4>{MONTH}))?\b(?!\s+\d)"
)
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NOON = 12 * 60
_DAYS_OF_GROUP: dict[str, frozenset[object]] = {
    "every": frozenset(range(7)),
    "week": frozenset(range(5)),
    "weekend": frozenset({5, 6}),
    "mandatory": frozenset({"mandatory"}),
    "holiday": frozenset({"holiday"}),
}

Kind = Literal["days", "spans", "closed", "except", "until"]


@dataclass(frozen=True)
class _Item:
    """One thing said: which days, which hours, or that it is closed."""

    kind: Kind
    start: int
    end: int
    days: frozenset[object] = frozenset()
    spans: Spans = ()


@dataclass
class _Draft:
    """A schedule in the making; days are weekdays, "holiday", "mandatory", or (month, day)."""

    said: dict[object, Spans] = field(default_factory=dict[object, Spans])
    season: Season | None = None

    def finished(self) -> Schedule:
        return Schedule(
            days={day: spans for day, spans in self.said.items() if isinstance(day, int)},
            holidays=self.said.get("holiday"),
            mandatory_holidays=self.said.get("mandatory"),
            single_days={day: spans for day, spans in self.said.items() if isinstance(day, tuple)},  # pyright: ignore[reportUnknownVariableType]
            season=self.season,
        )


def schedules_in(text: str) -> tuple[Schedule, ...]:
    """Read the hours a text states: the usual ones, and those of each season it names. What is unclear is left out."""
    drafts: list[_Draft] = [_Draft()]
    current = drafts[0]
    for sentence in _SENTENCE.split("\n".join(fold(line) for line in text.splitlines())):
        if _CONDITIONAL.match(sentence):
            continue
        season = _season_in(sentence)
        if season is not None:
            current = _Draft(season=season)
            drafts.append(current)
            sentence = _SEASON.sub(" ", sentence, count=1)  # noqa: PLW2901 - its dates are no opening hours
        _read_sentence(sentence, current.said)
        if season is not None and current.said:
            current = drafts[0]
    return tuple(schedule for draft in drafts if not (schedule := draft.finished()).empty)


def minutes_of(clock: str) -> int | None:
    """Read "10", "10:30", "10.30 hrs", "7 pm", "mediodía" as minutes; None when it is no time."""
    word = clock.strip()
    if word in {"mediodia", "noon"}:
        return _NOON
    if word in {"medianoche", "midnight"}:
        return 2 * _NOON
    found = re.match(r"(\d{1,2})(?:[:.h](\d\d))?\s*(?:([ap])\.?\s?m)?", word)
    if found is None:
        return None
    hours, minutes = int(found[1]), int(found[2] or 0)
    if found[3] and hours <= 12:
        hours = hours % 12 + (12 if found[3] == "p" else 0)
    return hours * 60 + minutes if hours < 24 or (hours == 24 and not minutes) else None


def _read_sentence(sentence: str, said: dict[object, Spans]) -> None:
    """Give each group of days the hours that stand behind it, or before it when the sentence begins with hours."""
    items = list(_items(sentence))
    if not any(item.kind == "days" for item in items):
        _read_break(items, said)
        return
    groups = _grouped(sentence, items)
    hours_first = groups[0].kind in {"spans", "closed", "until"}
    days: frozenset[object] = frozenset()
    waiting: list[_Item] = []
    for number, item in enumerate(groups):
        if item.kind == "days" and hours_first:
            _say(item.days, waiting, said)
            waiting = []
        elif item.kind == "days":
            _say(days, waiting, said)
            days, waiting = item.days, []
            if number and groups[number - 1].kind == "except":
                waiting.append(_Item("closed", 0, 0))
        elif item.kind != "except":
            waiting.append(item)
    if not hours_first:
        _say(days, waiting, said)


def _say(days: frozenset[object], items: Sequence[_Item], said: dict[object, Spans]) -> None:
    if not days or not items:
        return
    opened = tuple(sorted({span for item in items for span in item.spans}))
    closing = next((item.spans[0].closes for item in items if item.kind == "until"), None)
    if any(item.kind == "closed" for item in items) and not opened:
        spans: Spans = ()
    elif closing is not None:
        before = [spans[0].opens for spans in said.values() if spans]
        if not before:
            return
        spans = (Span(before[-1], closing),)
    else:
        spans = tuple(span for item in items if item.kind == "spans" for span in item.spans)
    for day in days:
        said[day] = spans


def _read_break(items: Sequence[_Item], said: dict[object, Spans]) -> None:
    """Take "cerrado de 14:00 a 15:00", said of no day, out of the hours of every day."""
    if len(items) < 2 or items[-1].kind != "spans" or any(item.kind != "closed" for item in items[:-1]):
        return
    pause = items[-1].spans[0]
    for day, spans in said.items():
        if len(spans) == 1 and spans[0].opens < pause.opens and pause.closes < spans[0].closes:
            said[day] = (Span(spans[0].opens, pause.opens), Span(pause.closes, spans[0].closes))


def _grouped(sentence: str, items: Sequence[_Item]) -> list[_Item]:
    """Join days that are only listed ("sábados, domingos y feriados") into one group."""
    groups: list[_Item] = []
    for item in items:
        last = groups[-1] if groups else None
        if (
            last is not None
            and last.kind == item.kind == "days"
            and _JOINED.match(sentence[last.end : item.start].strip(" :(")) is not None
        ):
            groups[-1] = _Item("days", last.start, item.end, last.days | item.days)
        else:
            groups.append(item)
    return groups


def _items(sentence: str) -> Iterator[_Item]:
    for found in _ITEM.finditer(sentence):
        meaning = _meaning(found)
        if meaning is not None:
            kind, days, spans = meaning
            yield _Item(kind, found.start(), found.end(), days, spans)


def _meaning(found: re.Match[str]) -> tuple[Kind, frozenset[object], Spans] | None:
    """Say what one find means; None for hours that are none."""
    days = _days_meant(found)
    if days:
        return "days", days, ()
    if found["closed"] is not None or found["except"] is not None:
        return ("closed" if found["closed"] is not None else "except"), frozenset(), ()
    if found["until"] is not None:
        last = _afternoon(found["last"])
        return None if last is None else ("until", frozenset(), (Span(0, last),))
    span = Span(0, 2 * _NOON) if found["allday"] is not None else None
    if found["span"] is not None:
        span = _span(found["opens"], found["closes"])
    return None if span is None else ("spans", frozenset(), (span,))


def _days_meant(found: re.Match[str]) -> frozenset[object]:
    """Return weekdays as numbers, kinds of holidays as words, days of the year as (month, day)."""
    if found["range"] is not None:
        first, last = weekday_named(found["from"]), weekday_named(found["to"])
        return frozenset((first + n) % 7 for n in range((last - first) % 7 + 1))
    if found["dates"] is not None:
        return _single_days(found)
    for group, days in _DAYS_OF_GROUP.items():
        if found[group] is not None:
            return days
    return frozenset() if found["day"] is None else frozenset({weekday_named(found["day"])})


def weekday_named(word: str) -> int:
    """Return the number of a folded weekday, 0 for Monday."""
    plain = word.rstrip(".")
    return WEEKDAYS[plain] if plain in WEEKDAYS else WEEKDAYS[plain.rstrip("s")]


def _single_days(found: re.Match[str]) -> frozenset[object]:
    month = MONTHS[found["m1"] or found["m2"]]
    days = (int(day) for day in (found["d1"], found["d2"], found["d3"]) if day)
    return frozenset((month, day) for day in days if 1 <= day <= _DAYS_OF_MONTH[month - 1])


def _span(opens: str, closes: str) -> Span | None:
    first, last = minutes_of(opens), minutes_of(closes)
    if first is None or last is None:
        return None
    marked = re.search(r"[ap]\.?\s?m", closes) is not None
    if marked and not re.search(r"[ap]\.?\s?m", opens) and first < 8 * 60 and first + _NOON < last:
        first += _NOON  # "3 a 7 pm"
    if last <= first and not marked and last <= _NOON and last + _NOON > first:
        last += _NOON  # "10 a 7"
    if last <= first:
        last += 2 * _NOON
    return Span(first, last) if last - first <= 2 * _NOON else None


def _afternoon(clock: str) -> int | None:
    """Read a closing time: "hasta las 8" is in the evening."""
    last = minutes_of(clock)
    if last is not None and last < 9 * 60 and not re.search(r"a\.?\s?m|:", clock):
        last += _NOON
    return last


def _season_in(sentence: str) -> Season | None:
    found = _SEASON.search(sentence)
    if found is None:
        return None
    if found["m3"]:
        first, last = MONTHS[found["m3"]], MONTHS[found["m4"] or found["m3"]]
        return Season((first, 1), (last, _DAYS_OF_MONTH[last - 1]))
    first, last = MONTHS[found["m1"]], MONTHS[found["m2"]]
    year = int(found["y1"]) if found["y1"] else int(found["y2"]) - (first > last) if found["y2"] else None
    return Season((first, int(found["d1"] or 1)), (last, int(found["d2"] or _DAYS_OF_MONTH[last - 1])), year)
