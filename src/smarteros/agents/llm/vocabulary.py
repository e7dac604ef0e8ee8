"""Words reduced to what they mean for a comparison: the group they belong to, or their stem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from smarteros.kit.text import fold
from smarteros.knowledge.terms import stems

_WORD = re.compile(r"(?P<without>\bsin )?(?P<word>[a-z]+(?:-[a-z]+)*)")
# "escribirnos" is "escribir" to somebody.
_ENCLITIC = re.compile(r"(?<=[aei]r)(?:me|te|se|nos|les?|l[ao]s?)$")
_SHORTEST = 3


@dataclass(frozen=True)
class Vocabulary:
    """``free`` words state nothing; ``group`` names the meaning that several words share."""

    free: frozenset[str]
    group: dict[str, str]
    phrases: tuple[tuple[re.Pattern[str], str], ...]

    def meanings(self, text: str) -> frozenset[str]:
        """Return what the words of a text that state something mean. Figures are not in it.

        What is denied by "sin" is a meaning of its own: "sin uso" is not "uso".
        """
        plain = fold(text)
        for pattern, words in self.phrases:
            plain = pattern.sub(words, plain)
        return frozenset(
            ("sin " if match["without"] else "") + self._meaning(word)
            for match in _WORD.finditer(plain)
            if len(word := _ENCLITIC.sub("", match["word"])) >= _SHORTEST and word not in self.free and word != "sin"
        )

    def _meaning(self, word: str) -> str:
        return self.group.get(word) or next(stems(word, "es"), word)


@cache
def vocabulary() -> Vocabulary:
    """Read ``data/vocabulary.yml``."""
    raw: dict[str, Any] = yaml.safe_load(
        files("smarteros.agents.llm").joinpath("data", "vocabulary.yml").read_text("utf-8")
    )
    free = frozenset(word for words in raw["free"].values() for word in words.split())
    group = {word: f"={words[0]}" for words in raw["same"] for word in words}
    phrases = tuple((re.compile(rf"\b(?:{pattern})"), words) for pattern, words in raw["phrases"].items())
    return Vocabulary(free, group, phrases)
