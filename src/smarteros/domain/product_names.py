"""Which product of a shop is meant by the words a till printed: ``ZAPAT RUN AZ 42`` is Zapatilla Running Azul. Pure.

Tills shorten by cutting words off, by dropping letters and by gluing words and numbers together; a camera adds
misread letters. Words that many products of the shop share say little, colours and sizes are usually the variant's
and not the product's. What fits two products equally well is ambiguous: no guess is better than a wrong one.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from rapidfuzz import fuzz, process

from smarteros.kit.text import fold

SURE_SCORE = 0.60
MARGIN = 0.05
_CONTRADICTION = 0.1
_READ_SHARE = 0.65  # how much the printed words count; the rest is how much of the product's name they cover
_WHOLE, _CUT, _THINNED, _MISREAD, _INITIAL = 1.0, 0.80, 0.60, 0.85, 0.50
_LEAST_RATIO = 80.0  # of 100, rapidfuzz; two letters in ten may be misread
_LONGEST = 160  # characters of a printed line

_PIECE = re.compile(r"[a-z]+|\d+")
_MISREAD_DIGITS = str.maketrans("0158", "oisb")
_MIXED_WORD = re.compile(r"\b(?=[a-z0-9]*[a-z]{2})(?=[a-z0-9]*\d)[a-z][a-z0-9]{2,}[a-z]\b")


_TRAILING_SIZE = re.compile(r"(?<![\w.,-])(?:t(?:alla)?\.?\s?)?(\d{2}(?:[.,]5)?|x{0,3}[sl]|m)$", re.IGNORECASE)
_SMALLEST_SIZE, _LARGEST_SIZE = 16, 50  # of children's shoes and of jeans


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SMALL_WORDS = _words("de del la el los las con para por y e en un una c p s und uni unid par pares ref cod art")
# Told of the variant, of whom it is for, or of the measure: they count only where the product's own name has them.
_ASIDES = _words(
    "t tl tll talla nro num no n o xs s m l xl xxl xxxl gb tb mb w kw ml lt lts cc kg g gr cm mm mt mts mah v hz "
    "hombre hbr hom mujer muj dama dam varon var nino nina unisex uni adulto"
)
_COLOURS = _words(
    "azul negro negra blanco blanca rojo roja verde gris amarillo amarilla cafe marron beige rosado rosada rosa "
    "celeste morado morada naranja naranjo burdeo dorado dorada plateado plateada turquesa crudo incoloro multicolor "
    "fucsia black white blue red green grey gray brown pink"
)


@dataclass(frozen=True)
class NameMatch:
    """What a printed name was found to mean.

    ``match``: ``name`` is the product. ``ambiguous``: ``candidates`` fit equally well. ``none``: nothing fits.
    ``score`` is the best candidate's, 0 to 1.
    """

    outcome: Literal["match", "ambiguous", "none"]
    name: str | None
    score: float
    candidates: tuple[str, ...] = ()


def match_name(printed: str, names: Iterable[str]) -> NameMatch:
    """Find the product meant by ``printed`` among ``names``."""
    return _index(tuple(dict.fromkeys(names))).match(printed)


class NameIndex:
    """The product names of one shop, ready to be compared with printed ones. Immutable once made."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._pieces = [tuple(dict.fromkeys(_pieces(name))) for name in self.names]
        self._having: dict[str, list[int]] = defaultdict(list)
        for at, pieces in enumerate(self._pieces):
            for piece in pieces:
                self._having[piece].append(at)
        self._vocabulary = list(self._having)
        self._glued = self._glued_pairs()
        count = max(len(self.names), 1)
        self._weight = {piece: math.log(1 + count / len(having)) for piece, having in self._having.items()}
        self._usual = math.log(1 + count)

    def match(self, printed: str) -> NameMatch:
        """Find the product meant by ``printed``."""
        words = list(dict.fromkeys(_pieces(printed[:_LONGEST])))
        likeness = {word: self._like(word) for word in words}
        reached = {at for like in likeness.values() for piece in like for at in self._having[piece]}
        scores = [(self._score(words, likeness, at), at) for at in reached]
        ranked = sorted(scores, key=lambda pair: (-pair[0], pair[1]))
        best = ranked[0][0] if ranked else 0.0
        if best < SURE_SCORE:
            return NameMatch("none", None, round(best, 4))
        near = [self.names[at] for score, at in ranked if score > best - MARGIN]
        if len(near) > 1:
            return NameMatch("ambiguous", None, round(best, 4), tuple(near[:5]))
        return NameMatch("match", near[0], round(best, 4), tuple(near))

    def _score(self, words: list[str], likeness: dict[str, dict[str, float]], at: int) -> float:
        pieces = self._pieces[at]
        pairs = [(like, word, piece) for word in words for piece, like in likeness[word].items() if piece in pieces]
        pairs.sort(key=lambda pair: -pair[0] * self._weight[pair[2]])
        of_word: dict[str, float] = {}
        of_piece: dict[str, float] = {}
        for like, word, piece in pairs:
            # A glued word ("usbc") stands for two pieces, any other for one.
            if piece not in of_piece and (word not in of_word or (word in self._glued and like == _WHOLE)):
                of_piece[piece] = like
                of_word[word] = of_word.get(word, 0.0) + like * self._weight[piece]
        said = matched = 0.0
        for word in words:
            if word in of_word:
                matched += of_word[word]
                said += sum(self._weight[p] for p in pieces if p in likeness[word] and p in of_piece) or of_word[word]
            elif not _is_aside(word):
                said += self._usual
        whole = sum(self._weight[piece] for piece in pieces)
        covered = sum(like * self._weight[piece] for piece, like in of_piece.items())
        if not said or not whole:
            return 0.0
        score = _READ_SHARE * min(matched / said, 1.0) + (1 - _READ_SHARE) * covered / whole
        # Each has a word of its own that the other lacks: rather two products of one kind.
        theirs = any(word not in of_word and len(word) >= 4 and not _is_aside(word) for word in words)
        ours = any(piece not in of_piece and len(piece) >= 4 and piece.isalpha() for piece in pieces)
        return max(score - _CONTRADICTION, 0.0) if theirs and ours else score

    def _like(self, word: str) -> dict[str, float]:
        """The pieces of the shop's names a printed word may stand for, each with how likely it does."""
        if word in self._glued:
            return dict.fromkeys(self._glued[word], _WHOLE)
        if word.isdigit():
            return {word: _WHOLE} if word in self._having else {}
        found: dict[str, float] = {}
        for piece in self._vocabulary:
            like = _likeness(word, piece)
            if like:
                found[piece] = like
        if len(word) >= 4:
            for piece, ratio, _ in process.extract(
                word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=_LEAST_RATIO, limit=20
            ):
                if len(piece) >= 4:
                    found[piece] = max(found.get(piece, 0.0), _MISREAD * ratio / 100)
        return found

    def _glued_pairs(self) -> dict[str, tuple[str, ...]]:
        """Neighbours written as one word: ``In-Ear`` as ``inear``."""
        return {
            first + second: (first, second)
            for pieces in self._pieces
            for first, second in pairwise(pieces)
            if first.isalpha() and second.isalpha() and len(first + second) >= 4 and first + second not in self._having
        }


@lru_cache(maxsize=64)
def _index(names: tuple[str, ...]) -> NameIndex:
    return NameIndex(names)


def _pieces(text: str) -> list[str]:
    """Words and numbers apart, without small words; a digit inside a word is a misread letter."""
    folded = _MIXED_WORD.sub(lambda found: found.group().translate(_MISREAD_DIGITS), fold(text))
    return [piece for piece in _PIECE.findall(folded) if piece not in _SMALL_WORDS]


def _likeness(word: str, piece: str) -> float:
    """How likely a till wrote ``word`` for ``piece``; 0 when it would not."""
    if word == piece:
        return _WHOLE
    if piece.isdigit() or word[0] != piece[0] or len(word) > len(piece) + 2:
        return 0.0
    share = len(word) / len(piece)
    if piece.startswith(word):
        return _INITIAL if len(word) == 1 else _CUT + (_WHOLE - _CUT) * share
    if len(word) >= 4 and fuzz.ratio(word, piece[: len(word)]) >= _LEAST_RATIO:
        return _MISREAD * _CUT
    if len(word) >= 2 and _is_thinned(word, piece):
        return _THINNED + 0.3 * share
    return 0.0


def trailing_size(printed: str, name: str) -> str | None:
    """The clothing or shoe size a till printed behind a product's name; None when the name itself ends so."""
    found = _TRAILING_SIZE.search(printed.strip())
    if found is None or fold(found[1]) in fold(name).split():
        return None
    size = found[1].upper().replace(",", ".")
    return size if not size[0].isdigit() or _SMALLEST_SIZE <= float(size) <= _LARGEST_SIZE else None


def _is_thinned(word: str, piece: str) -> bool:
    """Whether letters of ``piece`` were left out and their order kept: ``NGR``, ``ZPTO``, ``VALPO``."""
    letters = iter(piece)
    return all(letter in letters for letter in word)


def _is_aside(word: str) -> bool:
    if word.isdigit() or word in _ASIDES:
        return True
    return len(word) >= 2 and any(_likeness(word, colour) for colour in _COLOURS)
