"""Whether a worded answer says no more than the passages it cites: words, yes and no, conditions, what belongs to what.

The fact lock (``kit.fact_lock``) checks what can be compared exactly. Here every other word that states something must
be a word of the cited passages or mean the same; a sentence may not turn a denial into a promise or the reverse; a
promise is repeated with its conditions; a figure stays with what it was said of. Strict on purpose: what is refused is
answered in the shop's own words instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smarteros.agents.llm.vocabulary import vocabulary
from smarteros.kit.stated_facts import NUMERIC_KINDS, Fact, facts_in
from smarteros.kit.text import fold

_SENTENCES = re.compile(r"(?<=[.!?])\s+|[\n;•]+")
_CLAUSES = re.compile(r"(?<=[.!?])\s+|[\n;•]+|,\s|\s(?:y|e|o|pero|and|or|but)\s")
_DENIAL = re.compile(
    r"\b(?:no|nunca|jamas|tampoco|ningun|ninguna|ninguno|ni|not|never|cannot|nor|neither|none)\b|n[’']t\b"
)
# "No, los domingos cerramos" answers the question; what it denies is said behind the comma.
_ANSWER = re.compile(r"^\s*[¡¿]?(?:no|nop|nope)\s*[,.!:]\s*")
_COURTESY = re.compile(r"\b(?:no dudes en|no te preocupes|no hay problema|don[’']t hesitate to|don[’']t worry)\b")
_FIGURE = re.compile(r"[$\d]")


def words_without_source(text: str, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the meanings in ``text`` that no source has, sorted."""
    known = frozenset[str]().union(*(vocabulary().meanings(source) for source in sources))
    return tuple(sorted(vocabulary().meanings(text) - known))


def turns_meaning_round(text: str, sources: Sequence[str]) -> bool:
    """Tell whether a sentence affirms what the sentences of the sources it is made of deny, or denies what they affirm.

    Looked at are the source sentences that share most words with it; all of them must agree. Questions state nothing.
    """
    parts = [part for part in _parts(_SENTENCES, sources) if not part.rstrip().endswith("?")]
    said = frozenset(fold(part) for part in parts)
    stated = [(vocabulary().meanings(part), _denies(part)) for part in parts]
    for sentence in _parts(_SENTENCES, [text]):
        if fold(sentence) in said or sentence.rstrip().endswith("?"):
            continue
        meanings = vocabulary().meanings(sentence)
        shared = [(len(meanings & words), denies) for words, denies in stated]
        most = max((count for count, _ in shared), default=0)
        if most and {denies for count, denies in shared if count == most} != {_denies(sentence)}:
            return True
    return False


def drops_conditions(text: str, sources: Sequence[str]) -> bool:
    """Tell whether a promise ("gratis", "sin interés") is made without the figures that stand with it in the source."""
    stated = facts_in(text)
    promised = [facts_in(part) for part in _parts(_SENTENCES, sources)]
    for claim in (fact for fact in stated if fact.kind == "claim"):
        made = [_figures(facts) for facts in promised if claim in facts]
        if made and not any(conditions <= stated for conditions in made):
            return True
    return False


def mixes_up(text: str, sources: Sequence[str]) -> bool:
    """Tell whether a figure is said of what a neighbouring figure of the same kind was said of.

    "$3.990 en Santiago y $5.990 en regiones" does not make "$5.990 en Santiago" true.
    """
    known = _said_of(sources)
    for clause in _clauses([text]):
        for fact in clause.figures:
            own = [other for other in known if fact in other.figures]
            rivals = [other for other in known if other.rivals(fact)]
            allowed = frozenset[str]().union(*(other.meanings for other in own))
            taken = frozenset[str]().union(*(other.meanings for other in rivals))
            if own and clause.meanings & taken - allowed:
                return True
    return False


@dataclass(frozen=True)
class _Clause:
    meanings: frozenset[str]
    figures: frozenset[Fact]
    head: frozenset[str]

    def rivals(self, fact: Fact) -> bool:
        """Whether this clause states another figure of the kind, and not this one."""
        return fact not in self.figures and any(other.kind == fact.kind for other in self.figures)


def _clauses(texts: Sequence[str]) -> list[_Clause]:
    found: list[_Clause] = []
    for part in _parts(_CLAUSES, texts):
        before = _FIGURE.split(part, maxsplit=1)[0]
        found.append(_Clause(vocabulary().meanings(part), _figures(facts_in(part)), vocabulary().meanings(before)))
    return found


def _said_of(sources: Sequence[str]) -> list[_Clause]:
    """A clause that begins with its figure is said of what the clause before it was: "y $5.990 en regiones"."""
    known: list[_Clause] = []
    head: frozenset[str] = frozenset()
    for clause in _clauses(sources):
        head = clause.head or head
        known.append(_Clause(clause.meanings | head, clause.figures, head))
    return known


def _figures(facts: frozenset[Fact]) -> frozenset[Fact]:
    return frozenset(fact for fact in facts if fact.kind in NUMERIC_KINDS)


def _parts(pattern: re.Pattern[str], texts: Sequence[str]) -> list[str]:
    return [part for text in texts for part in pattern.split(text) if part and part.strip()]


def _denies(sentence: str) -> bool:
    return _DENIAL.search(_COURTESY.sub(" ", _ANSWER.sub("", fold(sentence)))) is not None
