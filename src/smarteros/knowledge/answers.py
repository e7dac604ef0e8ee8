"""The part of a passage that answers a question, in the passage's own words: a telephone shows no pages."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from smarteros.domain.decisions import Language
from smarteros.kit.text import fold
from smarteros.knowledge.synonyms import expanded
from smarteros.knowledge.terms import stems

MAX_ANSWER_CHARS = 600
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[¿¡A-ZÁÉÍÓÚÑ0-9•\"(])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:av|sr|sra|dr|dra|n|no|nro|pje|depto|of|ej|p\.? ?ej|etc|aprox|min|max|tel)|\b[A-Z])\.$", re.I
)
_YES_NO = re.compile(r"(?:si|no|yes|claro|por supuesto|of course)\b[^.!?]{0,80}[.!?,]")


@dataclass(frozen=True)
class _Unit:
    """A sentence or line, with what stands between it and the one before."""

    text: str
    before: str

    @property
    def is_item(self) -> bool:
        return self.text.startswith("• ") or bool(re.match(r"\d{1,3}[.)] ", self.text))


def answer_in(text: str, question: str, language: Language = "es", *, limit: int = MAX_ANSWER_CHARS) -> str:
    """Return the whole text if it is short, else whole sentences around the one nearest to the question.

    Lists keep the line that announces them, and a leading yes or no is never lost. Nothing is reworded.
    """
    if len(text) <= limit:
        return text
    units = _units(text)
    best = _best_unit(units, question, language)
    first, last = _with_list(units, best, limit)
    opening = units[0] if first > 0 and _YES_NO.match(fold(units[0].text)) else None
    room = limit - (len(opening.text) + 1 if opening else 0)
    first, last = _grown(units, first, last, room)
    body = _joined(units[first : last + 1])
    if opening is not None and first > 0:
        body = f"{opening.text} {body}" if first == 1 else f"{opening.text}\n\n{body}"
    return body if len(body) <= limit else _cut(body, limit)


def _units(text: str) -> list[_Unit]:
    units: list[_Unit] = []
    for number, line in enumerate(text.split("\n")):
        before = "" if number == 0 else "\n"
        if not line.strip():
            units.append(_Unit("", before))
            continue
        for place, sentence in enumerate(_sentences(line)):
            units.append(_Unit(sentence, before if place == 0 else " "))
    joined: list[_Unit] = []
    gap = ""
    for unit in units:
        if unit.text:
            joined.append(_Unit(unit.text, gap + unit.before if joined else ""))
            gap = ""
        else:
            gap += unit.before
    return joined


def _sentences(line: str) -> list[str]:
    parts: list[str] = []
    for part in _SENTENCE.split(line):
        if parts and _ABBREVIATION.search(parts[-1]):
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    return parts


def _best_unit(units: list[_Unit], question: str, language: Language) -> int:
    """Find the sentence that shares the most telling words with the question; the first one when none does."""
    words = [set(stems(unit.text, language)) for unit in units]
    frequency = Counter(word for each in words for word in each)
    asked = expanded(question, language)

    def score(number: int) -> float:
        return sum(
            weight * math.log(1 + len(units) / frequency[w]) for w, weight in asked.items() if w in words[number]
        )

    return max(range(len(units)), key=lambda number: (round(score(number), 6), -number))


def _with_list(units: list[_Unit], best: int, limit: int) -> tuple[int, int]:
    """Take a list whole, with the line before it, where it fits."""
    first = last = best
    if units[best].is_item or (units[best].text.endswith(":") and best + 1 < len(units)):
        while first > 0 and units[first].is_item:
            first -= 1
        while last + 1 < len(units) and units[last + 1].is_item:
            last += 1
        if len(_joined(units[first : last + 1])) > limit:
            return best, best
    return first, last


def _grown(units: list[_Unit], first: int, last: int, room: int) -> tuple[int, int]:
    """Add what follows, then what goes before, as far as there is room."""
    while last + 1 < len(units) and len(_joined(units[first : last + 2])) <= room:
        last += 1
    while first > 0 and len(_joined(units[first - 1 : last + 1])) <= room:
        first -= 1
    return first, last


def _joined(units: list[_Unit]) -> str:
    return "".join(unit.before + unit.text for unit in units).strip()


def _cut(text: str, limit: int) -> str:
    head = text[: limit - 1]
    return head[: max(head.rfind(" "), limit // 2)].rstrip() + "…"
