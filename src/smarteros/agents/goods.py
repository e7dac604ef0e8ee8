"""Whether a message asks for something the shop sells, told by the shop's own catalogue.

The classifier learnt the words of a few trades. A shop of any other sells things it takes for a stranger's matter:
"baquetas", "un inflador". Where most of what a short message says is in the catalogue, a thing among it, it is about
the shop's goods.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from smarteros.agents.wordlists import word_list
from smarteros.domain.catalogue import CatalogueTitle
from smarteros.kit.text import fold
from smarteros.tools.vocabulary import forms_of, in_usual_words, singular, synonyms_of, words_of

MOST_WORDS = 8_000
"""Words kept of one shop."""

_LEAST_LETTERS = 3
_MOST_CONTENT = 6
_NOT_SAID_OF_GOODS = word_list("carriers_es") | word_list("carriers_en")
_WORN = frozenset(singular(word) for word in word_list("worn"))
_NOT_A_THING = _NOT_SAID_OF_GOODS | word_list("title_words")


@dataclass
class Goods:
    """The folded singulars a shop's goods are called by: ``things`` are what they are, ``words`` all that is said."""

    things: set[str] = field(default_factory=set[str])
    words: set[str] = field(default_factory=set[str])

    def learn(self, title: CatalogueTitle) -> None:
        """Take in the words of one product; a title begins with what the thing is."""
        if len(self.words) >= MOST_WORDS:
            return
        named, kind = _words(title.title), _words(title.kind)
        self.things.update(word for word in (*named[:1], *kind) if word not in _NOT_A_THING)
        self.words.update((*named, *kind, *_words(" ".join(title.tags))))

    def has_thing(self, word: str) -> bool:
        """Tell whether a folded word is what one of the goods is."""
        return any(_is_among(self.things, part) for part in _words(word))

    def name_others(self, folded: str, titles: Iterable[str]) -> bool:
        """Tell whether a folded message names a thing of the shop that none of these titles is."""
        shown = {word for title in titles for word in _words(title)}
        said = (word for word in _words(folded) if word not in _NOT_SAID_OF_GOODS)
        return any(_is_among(self.things, word) and not _is_among(shown, word) for word in said)

    def are_worn(self, folded: str) -> bool:
        """Tell whether a folded message names one of these goods, which are worn: its number is a size."""
        return not _WORN.isdisjoint(self.things) and any(_is_among(self.words, word) for word in _words(folded))

    def are_asked_for(self, folded: str) -> bool:
        """Tell whether a folded message is about these goods: at least half of its words, and one for a thing."""
        said = [word for word in _words(folded) if word not in _NOT_SAID_OF_GOODS]
        if not 0 < len(said) <= _MOST_CONTENT:
            return False
        things = sum(_is_among(self.things, word) for word in said)
        known = sum(_is_among(self.words, word) for word in said)
        return things > 0 and known * 2 >= len(said)


def _words(text: str) -> list[str]:
    usual = in_usual_words(fold(text))
    return [singular(word) for word in words_of(usual) if len(word) >= _LEAST_LETTERS and word.isalpha()]


def _is_among(known: set[str], word: str) -> bool:
    return any(form in known for form in _ways_to_say(word))


def _ways_to_say(word: str) -> Iterable[str]:
    yield from forms_of(word)
    yield from synonyms_of(word)
