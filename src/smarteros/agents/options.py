"""Asking back with something to choose from: "¿Preguntas por el despacho de un pedido o por los costos de envío?".

What may be offered follows from the probabilities of the intents, how it is worded is data (``data/options.yml``), and
the customer picks by place ("lo primero"), by word ("costos"), both or none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from smarteros.agents.normalise import words_of
from smarteros.agents.wordlists import read_data
from smarteros.domain.decisions import Candidate, Intent, Language

MOST_OPTIONS = 3
_LEAST_BEST = 0.12  # below it the best guess is as good as none
_LEAST_OTHER = 0.05
_LEAST_SHARE = 0.15  # of the best one's probability
_MOST_WORDS = 9  # of a message that only picks
_QUESTION = {"es": ("por ", "o", "¿Preguntas {}?"), "en": ("about ", "or", "Are you asking {}?")}

_PLACES = (
    re.compile(r"\b(?:primer[oa]?|first|former)\b|^(?:el |la |opcion |option |numero )?(?:1|uno|una|one)$"),
    re.compile(r"\b(?:segund[oa]|second|latter)\b|^(?:el |la |opcion |option |numero )?(?:2|dos|two)$"),
    re.compile(r"\b(?:tercer[oa]?|third)\b|^(?:el |la |opcion |option |numero )?(?:3|tres|three)$"),
)
_LAST = re.compile(r"\b(?:ultim[oa]|last)\b")
_BOTH = re.compile(r"\b(?:(?:l[oa]s|por l[oa]s) dos|amb[oa]s|both|las dos cosas|tod[oa]s?)\b")
_NONE = re.compile(
    r"\b(?:ningun[oa]?|ni un[oa] ni|otra cosa|nada de eso|neither|none|something else|no es eso)\b|^no(?: no)*$"
)
_YES = re.compile(r"^(?:si|sip|sipo|si po|eso|exacto|correcto|claro|dale|ya|yes|yep|right|exactly|that)\b")


def options_of(candidates: Sequence[Candidate]) -> tuple[Intent, ...]:
    """Return what is worth offering, most probable first: none when nothing is likely, else one to three intents."""
    worded = [candidate for candidate in candidates if candidate.intent in _entries()]
    if not worded or worded[0].probability < _LEAST_BEST:
        return ()
    least = max(_LEAST_OTHER, _LEAST_SHARE * worded[0].probability)
    return tuple(candidate.intent for candidate in worded[:MOST_OPTIONS] if candidate.probability >= least)


def question_for(options: Sequence[Intent], language: Language) -> str | None:
    """Write the question that lets the customer choose; None without options."""
    if not options:
        return None
    lead, joint, question = _QUESTION[language]
    things = [lead + _entries()[intent][language] for intent in options]
    *others, last = things
    listed = f"{', '.join(others)} {joint} {last}" if others else last
    return question.format(listed)


def picked(folded: str, options: Sequence[Intent]) -> tuple[Intent, ...] | None:
    """Return the options a message picks; an empty tuple when it refuses all, None when it is no such answer."""
    words = [word for word in words_of(folded) if word not in "?!"]
    plain = " ".join(words)
    if not options or not words or len(words) > _MOST_WORDS:
        return None
    if _NONE.search(plain):
        return ()
    if _BOTH.search(plain):
        return tuple(options[:2])
    one = _by_place(plain, options) or _named(plain, options)
    if one is None and len(options) == 1 and _YES.match(plain):
        one = options[0]
    return None if one is None else (one,)


def _by_place(plain: str, options: Sequence[Intent]) -> Intent | None:
    for option, pattern in zip(options, _PLACES, strict=False):
        if pattern.search(plain):
            return option
    return options[-1] if _LAST.search(plain) else None


def _named(plain: str, options: Sequence[Intent]) -> Intent | None:
    """Return the only option of which most words are named; what two options share decides nothing."""
    counts: dict[Intent, int] = {
        intent: sum(len(word.split()) for word in _entries()[intent]["words"] if re.search(rf"\b{word}", plain))
        for intent in options
    }
    best = max(counts.values())
    leading: list[Intent] = [intent for intent in options if counts[intent] == best]
    return leading[0] if best and len(leading) == 1 else None


@cache
def _entries() -> dict[Intent, dict[str, Any]]:
    return cast(dict[Intent, dict[str, Any]], read_data("options.yml"))
