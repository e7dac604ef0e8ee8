"""Several wishes in one message: "hola, ¿tienen poleras negras? y a qué hora cierran"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smarteros.agents.entities import EntityExtractor, Extraction
from smarteros.agents.intents import IntentModel, IntentScores
from smarteros.domain.decisions import ROUTE_OF_INTENT, Intent

_ASKS = (
    r"(?:si )?(?:a que|desde que|hasta que|en que|cuanto|cuantos|cuantas|cual|cuales|donde|como|hacen|aceptan|reciben|"
    r"tienen?|venden|despachan|envian|mandan|abren|atienden|estan|quedan|hay|puedo|se puede|pueden|quiero saber|"
    r"queria saber|quisiera saber|necesito saber|me gustaria saber|me dices?|me das?|dime|digame|con que|"
    r"por que medio)\b"
)
_ASKS_EN = r"(?:if |whether )?(?:what|where|how|when|which|do|does|can|could|are|is there|is it|i want to know)\b"
_BREAK = re.compile(
    r"(?<=[?!;\n])\s*|(?<=[a-z0-9])\.\s+|"
    rf",\s+(?=y |tambien |ademas |and |also |pero |quiero |necesito |tienen |{_ASKS}|{_ASKS_EN})|"
    r"\s+(?:y ademas|y tambien|and also|ademas|tambien|"
    rf"y (?=(?:{_ASKS}|que|de paso)\b)|and (?={_ASKS_EN}))\s*"
)
_PAUSE = re.compile(r",\s+")
_MOST_CLAUSES = 6
_LEAST_WORDS = 2
_SURE = 0.8
_COURTESIES: frozenset[Intent] = frozenset({"greeting", "thanks_goodbye", "ambiguous", "out_of_scope"})
_FOR_A_PERSON: frozenset[Intent] = frozenset({"human_request", "complaint"})


_OPENING = re.compile(
    r"^[^a-z0-9]*(?:(?:hola+|holi|wena+s?|ola|alo|oye|hey|hi|hello|buen dia|buen[oa]s?(?: dias| tardes| noches)?|"
    r"good (?:morning|afternoon|evening)|estimad[oa]s?|disculp[ae]|perdon|(?:tengo |quiero hacer(?:les?)? )?"
    r"una (?:consult(?:a|ita)|pregunt(?:a|ita)|dud(?:a|ita))|(?:i have )?a (?:quick )?question|quick question)"
    r"\b[^a-z0-9]*)+"
)


@dataclass(frozen=True)
class Wish:
    """One clause that asks for something, surely understood."""

    intent: Intent
    extraction: Extraction
    scores: IntentScores


def wishes(folded: str, extractor: EntityExtractor, model: IntentModel) -> list[Wish]:
    """Return the sure wishes of a message, one per intent; the most urgent kind first, else in their order."""
    parts = _parts(_BREAK, folded)
    found: dict[Intent, Wish] = {}
    for part in parts if len(parts) > 1 else []:
        wish = _wish(part, extractor, model)
        if wish is not None:
            found.setdefault(wish.intent, wish)
    # Between commas people mostly tell a story, but a wish to be put through to a person is never part of one.
    pieces = _parts(_PAUSE, folded)
    for piece in pieces if len(pieces) > 1 else []:
        wish = _wish(piece, extractor, model)
        if wish is not None and wish.intent in _FOR_A_PERSON:
            found.setdefault(wish.intent, wish)
    return sorted(found.values(), key=_rank)


def behind_the_opening(folded: str, extractor: EntityExtractor, model: IntentModel) -> Wish | None:
    """Return what is asked behind "hola, una consulta", which the words of the opening hide; None when nothing is."""
    rest = without_opening(folded)
    if not rest or rest == folded:
        return None
    extraction = extractor.extract(rest)
    scores = model.scores(extraction)
    return None if scores.best in _COURTESIES else Wish(scores.best, extraction, scores)


def without_opening(folded: str) -> str:
    """Return a folded message without "hola, una consulta" at its beginning."""
    opening = _OPENING.match(folded)
    return folded[opening.end() :] if opening else folded


def _parts(separator: re.Pattern[str], folded: str) -> list[str]:
    parts = [part.strip() for part in separator.split(folded) if part and part.strip()]
    return parts[:_MOST_CLAUSES]


def _wish(part: str, extractor: EntityExtractor, model: IntentModel) -> Wish | None:
    extraction = extractor.extract(part)
    if len(part.split()) < _LEAST_WORDS and extraction.entities.category is None:  # "jeans?" is a wish, "ya?" is none
        return None
    scores = model.scores(extraction, quickly=True)
    if scores.best in _COURTESIES or scores.confidence < _SURE:
        return None
    return Wish(scores.best, extraction, scores)


def _rank(wish: Wish) -> int:
    """A person first, then what needs a tool, then what a passage answers: it can be added to any reply."""
    if wish.intent in _FOR_A_PERSON:
        return 0
    return 2 if ROUTE_OF_INTENT[wish.intent] == "kb_direct" else 1
