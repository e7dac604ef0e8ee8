"""How owners write a language, a state of approval or a day in the fields of an export."""

from __future__ import annotations

import re
from datetime import date, datetime

from smarteros.domain.decisions import Language
from smarteros.domain.knowledge import Approval
from smarteros.kit.text import fold

_LANGUAGES: dict[str, Language] = {
    "es": "es", "spa": "es", "spanish": "es", "espanol": "es", "castellano": "es",
    "en": "en", "eng": "en", "english": "en", "ingles": "en",
}  # fmt: skip
_APPROVALS: dict[str, Approval] = {
    "approved": "approved", "aprobado": "approved", "aprobada": "approved", "published": "approved",
    "publicado": "approved", "publicada": "approved", "active": "approved", "activo": "approved",
    "activa": "approved", "true": "approved", "vigente": "approved", "si": "approved", "1": "approved",
    "draft": "draft", "borrador": "draft", "pending": "draft", "pendiente": "draft", "inactive": "draft",
    "inactivo": "draft", "inactiva": "draft", "false": "draft", "no": "draft", "0": "draft", "unpublished": "draft",
    "en revision": "draft", "review": "draft", "archived": "draft", "archivado": "draft",
}  # fmt: skip
_CHILEAN_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_SPANISH = frozenset(
    [
        "el",
        "la",
        "los",
        "las",
        "de",
        "que",
        "en",
        "un",
        "una",
        "por",
        "con",
        "para",
        "es",
        "se",
        "tu",
        "te",
        "su",
        "del",
        "al",
        "y",
        "o",
        "lo",
        "como",
    ]
)
_ENGLISH = frozenset(
    [
        "the",
        "of",
        "to",
        "and",
        "in",
        "is",
        "are",
        "you",
        "your",
        "our",
        "we",
        "for",
        "with",
        "on",
        "by",
        "from",
        "or",
        "it",
        "be",
        "can",
    ]
)
_WORD = re.compile(r"[a-z]+")


def language_named(word: str) -> Language | None:
    """Read "es", "es-CL", "Español", "english"; None for any other language."""
    return _LANGUAGES.get(re.split(r"[-_]", fold(word))[0])


def approval_named(value: object) -> Approval | None:
    """Read "approved", "borrador", true; None when it says neither."""
    return _APPROVALS.get(fold(str(value)))


def day_named(value: object) -> date | None:
    """Read 2026-12-31, 2026-12-31T10:00:00Z or 31/12/2026 (day first, as in Chile)."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    try:
        chilean = _CHILEAN_DAY.fullmatch(text)
        if chilean:
            return date(int(chilean[3]), int(chilean[2]), int(chilean[1]))
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def language_of(text: str) -> Language:
    """Guess the language of a passage by its small words; Spanish unless English clearly prevails."""
    words = _WORD.findall(fold(text[:5_000]))
    spanish, english = sum(w in _SPANISH for w in words), sum(w in _ENGLISH for w in words)
    return "en" if english >= 2 and english > 2 * spanish else "es"
