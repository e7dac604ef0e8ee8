"""What people type, brought to one form before words are compared.

Chat Spanish in Chile writes "q", "k", "x", "pa", "xfa" and stretches vowels; a classifier trained on examples
should see one spelling of each.
"""

from __future__ import annotations

import re
from functools import lru_cache

from smarteros.kit.text import fold, strip_controls

MAX_CHARS = 2_000  # what is longer than a long message is not read for meaning; the time spent stays bounded
_KEPT_WORDS = 8_000  # most words of a message were in one before

_SHORTHAND = {
    "q": "que", "k": "que", "ke": "que", "qe": "que", "x": "por", "xq": "porque", "pq": "porque", "porq": "porque",
    "xk": "porque", "pk": "porque", "pa": "para", "xa": "para", "p": "para", "xfa": "por favor",
    "xfavor": "por favor", "porfa": "por favor", "porfis": "por favor", "plis": "por favor", "porfavor": "por favor",
    "pls": "please", "plz": "please", "thx": "thanks", "ty": "thank you", "u": "you", "ur": "your", "r": "are",
    "tb": "tambien", "tmb": "tambien", "tbn": "tambien", "dnd": "donde", "dd": "donde", "cdo": "cuando",
    "cuant": "cuanto", "cto": "cuanto", "d": "de", "grx": "gracias", "grax": "gracias", "grasias": "gracias",
    "bn": "bien", "msj": "mensaje", "wsp": "whatsapp", "wasap": "whatsapp", "guasap": "whatsapp",
    "guatsap": "whatsapp", "watsap": "whatsapp", "whatsap": "whatsapp", "whasap": "whatsapp", "guats": "whatsapp",
    "ig": "instagram", "insta": "instagram",
    "nro": "numero", "num": "numero", "tel": "telefono", "fono": "telefono", "mail": "correo", "email": "correo",
    "ola": "hola", "ay": "hay", "ai": "hay", "toy": "estoy", "ta": "esta", "tan": "estan", "na": "nada",
    "altiro": "al tiro", "wena": "buena", "wenas": "buenas", "weno": "bueno", "sipo": "si po", "nopo": "no po",
}  # fmt: skip
_EMOJI = str.maketrans(
    {
        "👍": " si ", "👌": " si ", "👋": " hola ", "🙏": " gracias ", "👎": " no ", "😡": " indignado ",
        "🤬": " indignado ", "😠": " indignado ", "😤": " indignado ",
    }
)  # fmt: skip
_ENGLISH_K = re.compile(r"^k(?:id|ey|eep|ept|ind|it|ill|imono)")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.,]\d+)*|[?!]|<[a-z]+>")


def readable(text: str) -> str:
    """Return the part of a message that is read: no hidden characters, gestures in words, bounded length."""
    return strip_controls(text[: 2 * MAX_CHARS]).translate(_EMOJI)[:MAX_CHARS].strip()


def words_of(folded: str) -> list[str]:
    """Split folded text into words, numbers, ``?``, ``!`` and ``<marker>``s, shorthand written out."""
    words: list[str] = []
    for word in _WORD.findall(folded):
        words.extend(_written_out(word).split())
    return words


def normalise(text: str) -> str:
    """Fold a message and write its words out, joined by single spaces."""
    return " ".join(words_of(fold(readable(text))))


@lru_cache(maxsize=_KEPT_WORDS)
def _written_out(word: str) -> str:
    if not word[0].isalpha():
        return word
    word = _STRETCHED.sub(r"\1", word)
    known = _SHORTHAND.get(word)
    if known is not None:
        return known
    if word[0] == "k" and len(word) > 3 and not _ENGLISH_K.match(word):
        if word[1] in "ei":
            return "qu" + word[1:]
        if word[1] in "aou":
            return "c" + word[1:]
    return word
