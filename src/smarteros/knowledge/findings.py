"""What an owner should look at: texts that contradict each other, that are over, or that nobody approved yet.

Two passages contradict each other when both speak of one matter ("plazo de devolución") and give it figures of one
unit that have nothing in common. The check is careful rather than complete: a warning that is often wrong is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from smarteros.domain.knowledge import Document, Finding, Passage
from smarteros.kit.text import fold
from smarteros.knowledge.hours_model import Schedule
from smarteros.knowledge.opening_hours import door_schedules
from smarteros.knowledge.terms import stems

_NUMBER = r"(\d{1,3}(?:[.,]\d{3})+|\d+)"
_SPELLED = {
    "un": 1, "una": 1, "one": 1, "dos": 2, "two": 2, "tres": 3, "three": 3, "cuatro": 4, "four": 4, "cinco": 5,
    "five": 5, "seis": 6, "six": 6, "siete": 7, "seven": 7, "ocho": 8, "nueve": 9, "diez": 10, "ten": 10,
    "doce": 12, "twelve": 12, "quince": 15, "treinta": 30, "sesenta": 60, "noventa": 90,
}  # fmt: skip
_WORD_NUMBER = "|".join(_SPELLED)
_UNITS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("clp", re.compile(rf"(?:\$|clp )\s?{_NUMBER}|{_NUMBER}\s?(?:pesos|clp)\b")),
    ("percent", re.compile(rf"{_NUMBER}\s?(?:%|por ciento|percent)")),
    ("instalments", re.compile(rf"{_NUMBER}\s(?:cuotas|(?:interest-free )?instal+ments)\b")),
    (
        "days",
        re.compile(rf"(?:{_NUMBER}|\b({_WORD_NUMBER}))[\s-](?:(?:working|business|calendar)[\s-])?(?:dias?|days?)\b"),
    ),
    ("months", re.compile(rf"(?:{_NUMBER}|\b({_WORD_NUMBER}))[\s-](?:meses|mes|months?)\b")),
    ("years", re.compile(rf"(?:{_NUMBER}|\b({_WORD_NUMBER}))[\s-](?:anos?|years?)\b")),
    ("hours", re.compile(rf"{_NUMBER}[\s-](?:horas?|hrs?|hours?)\b(?!\s*\d)")),
)
# A matter is what a sentence must say, with its unit, and what it must not say.
_MATTERS: tuple[tuple[str, str, re.Pattern[str], re.Pattern[str] | None], ...] = (
    ("the time to return or exchange", "days",
     re.compile(r"(?:dias?|days?)\b.{0,60}(?:devol|cambi|return|exchange|retract|arrepent)|(?:devol|cambi|return|exchange|retract).{0,60}(?:dias?|days?)\b"),
     re.compile(r"reembols|reinteg|refund|dinero|plata|money|habil|working|garanti|warrant|danad|damaged|reclam|despach|llega|enferm|seca")),
    ("the time of a refund", "days",
     re.compile(r"reembols|reinteg|refund|(?:dinero|plata|money).{0,40}(?:dias|days)|devolvemos el dinero"), None),
    ("the length of the warranty", "days", re.compile(r"garanti|warrant|guarantee"),
     re.compile(r"legal|habil|working|revis|respon|answer|devol|cumpl|over\b")),
    ("the length of the warranty", "months", re.compile(r"garanti|warrant|guarantee"),
     re.compile(r"legal|habil|working|revis|respon|answer|supera|durante")),
    ("from which amount shipping is free", "clp", re.compile(r"gratis|gratuit|free|no cobramos|sin costo|liberad"),
     re.compile(r"cuota|instal|gift|cuesta|costs?\b|vale\b")),
    ("the number of instalments", "instalments", re.compile(r"cuotas|instal"), None),
)  # fmt: skip
_SENTENCE = re.compile(r"(?<=[a-z0-9%)])[.;!?]\s+|\n+")
# "de los bolsos", "las plantas", "for sale items": what a title is about besides the matter itself.
_THING = re.compile(r"\b(?:de(?: los| las| la| el)?|del|para|en|los|las|of(?: the)?|for|on)\s+([a-z]{4,})")
_GENERAL = re.compile(
    r"devol|cambi|garanti|produc|compra|tienda|plazo|diner|politic|envi|despach|pedid|item|order|return|refund|"
    r"exchang|warrant|shop|store|money|cuot|pago|pagar|instal|reembols|hacer|tiem|monto|cual|equipo|articul|dura"
)


@dataclass(frozen=True)
class _Stated:
    """The figures a passage gives for one matter in one unit."""

    matter: str
    unit: str
    figures: frozenset[int]
    passage: Passage


def findings(documents: Sequence[Document], passages: Sequence[Passage], today: date) -> tuple[Finding, ...]:
    """List contradictions, expired and unapproved texts, and those that do not hold yet; in that order."""
    usable = [p for p in passages if p.approval == "approved" and p.holds_on(today)]
    found = [*_different_facts(documents, today), *_different_figures(usable), *_different_hours(usable)]
    for passage in passages:
        name = _named(passage)
        if passage.expired_on(today):
            found.append(Finding(kind="expired", passages=(name,), detail=f"held until {passage.valid_until}"))
        elif not passage.holds_on(today):
            found.append(Finding(kind="not_yet_valid", passages=(name,), detail=f"holds from {passage.valid_from}"))
        elif passage.approval == "draft":
            found.append(Finding(kind="draft", passages=(name,), detail="is not approved, it answers nobody"))
    return tuple(dict.fromkeys(found))


def _different_facts(documents: Sequence[Document], today: date) -> list[Finding]:
    stated: dict[str, dict[int, list[str]]] = {}
    for document in documents:
        if document.approval == "approved" and document.holds_on(today):
            for key, value in document.facts.items():
                stated.setdefault(key, {}).setdefault(value, []).append(document.name)
    return [
        Finding(
            kind="conflict",
            passages=tuple(name for names in values.values() for name in names),
            detail=f"{key} is {' and '.join(str(value) for value in values)}",
        )
        for key, values in stated.items()
        if len(values) > 1
    ]


def _different_figures(passages: Sequence[Passage]) -> list[Finding]:
    found: list[Finding] = []
    stated = [each for passage in passages for each in _stated_by(passage)]
    for one, other in combinations(stated, 2):
        if one.passage is other.passage or (one.matter, one.unit) != (other.matter, other.unit):
            continue
        if not one.figures & other.figures and not _of_different_things(one.passage, other.passage):
            figures = " and ".join(_written(each) for each in (one, other))
            detail = f"they state {figures} for {one.matter}"
            found.append(Finding(kind="conflict", passages=(_named(one.passage), _named(other.passage)), detail=detail))
    return found


def _stated_by(passage: Passage) -> Iterable[_Stated]:
    """Yield what a passage states on known matters, and what it states under its title at all."""
    figures: dict[tuple[str, str], set[int]] = {}
    sentences = _SENTENCE.split("\n".join(fold(line) for line in passage.text.splitlines()))
    title = fold(passage.title)
    for sentence in sentences:
        for matter, unit, says, says_not in _MATTERS:
            about = f"{title}: {sentence}" if len(sentences) == 1 else sentence
            if says.search(about) and not (says_not and says_not.search(about)):
                figures.setdefault((matter, unit), set()).update(_figures(sentence, unit))
    for (matter, unit), values in figures.items():
        if values:
            yield _Stated(matter, unit, frozenset(values), passage)
    titled = " ".join(sorted(set(stems(passage.title, passage.language))))
    for unit, _ in _UNITS:
        values = _figures(fold(passage.text), unit)
        if values and len(titled.split()) >= 2:
            yield _Stated(f"“{titled}”", unit, frozenset(values), passage)


def _figures(folded: str, unit: str) -> set[int]:
    pattern = next(pattern for name, pattern in _UNITS if name == unit)
    found: set[int] = set()
    for match in pattern.finditer(folded):
        word = next(group for group in match.groups() if group)
        found.add(_SPELLED[word] if word in _SPELLED else int(re.sub(r"[.,]", "", word)))
    return found


def _of_different_things(one: Passage, other: Passage) -> bool:
    """Tell whether the titles name different things: "garantía de zapatos" and "garantía de bolsos", or no thing."""
    first, second = (_things(p.title) for p in (one, other))
    return one.language == other.language and first != second


def _things(title: str) -> set[str]:
    return {word[:6] for word in _THING.findall(fold(title)) if not _GENERAL.match(word)}


def _different_hours(passages: Sequence[Passage]) -> list[Finding]:
    """Compare the hours of the shop's doors, weekday by weekday."""
    read = [(s, p) for p in passages if p.category == "horarios" for s in door_schedules(p) if _is_usual(s, p)]
    found: list[Finding] = []
    for (one, first), (other, second) in combinations(read, 2):
        differing = [day for day in one.days if day in other.days and one.days[day] != other.days[day]]
        if differing and first is not second:
            detail = "they state different opening hours"
            found.append(Finding(kind="conflict", passages=(_named(first), _named(second)), detail=detail))
    return found


def _is_usual(schedule: Schedule, passage: Passage) -> bool:
    return schedule.season is None and passage.valid_from is None and passage.valid_until is None


def _named(passage: Passage) -> str:
    return f"{passage.document}: {passage.title}"


def _written(stated: _Stated) -> str:
    return f"{', '.join(str(figure) for figure in sorted(stated.figures))} {stated.unit}"
