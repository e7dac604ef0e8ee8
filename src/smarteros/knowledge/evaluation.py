"""How often the right passage comes first: questions with the answer a person expects."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Hit, Passage
from smarteros.kit.text import fold
from smarteros.knowledge.words import language_named

MAX_QUESTIONS = 20_000
_QUESTIONS = ("question", "pregunta", "query", "text", "texto", "q")
_TITLES = ("expected", "esperado", "expected_title", "title", "titulo", "passage", "pasaje", "answer_title", "gold")
_DOCUMENTS = ("document", "documento", "expected_document", "doc")
_WORDS = ("contains", "contiene", "answer", "respuesta", "expected_answer")


@dataclass(frozen=True)
class Expected:
    """A question and what its passage must be; every field that is given must fit. Alternatives are tuples."""

    question: str
    titles: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    language: Language = "es"

    def fits(self, passage: Passage) -> bool:
        """Tell whether a passage is the one expected."""
        title, name, text = fold(passage.title), passage.document, fold(passage.text)
        named = any(fold(each) in {title, fold(f"{name}: {passage.title}"), fold(name)} for each in self.titles)
        return (
            (not self.titles or named)
            and (not self.documents or any(name == d or name.rsplit(".", 1)[0] == d for d in self.documents))
            and all(fold(part) in text for part in self.contains)
        )


@dataclass(frozen=True)
class Asked:
    """What came of one question: the place of the expected passage, None when it is not among the hits."""

    expected: Expected
    place: int | None
    found: Passage | None


@dataclass(frozen=True)
class Recall:
    """The outcome of a test."""

    asked: tuple[Asked, ...]

    def at(self, depth: int) -> float:
        """Share of the questions whose passage is among the first ``depth``; 0 without questions."""
        found = sum(each.place is not None and each.place <= depth for each in self.asked)
        return found / len(self.asked) if self.asked else 0.0

    @property
    def missed(self) -> tuple[Asked, ...]:
        """The questions whose passage does not come first."""
        return tuple(each for each in self.asked if each.place != 1)


def read_questions_of(path: Path) -> tuple[Expected, ...]:
    """Read a file of questions; RejectedInputError also when it cannot be read."""
    try:
        return read_questions(path.name, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RejectedInputError("kb_file_unreadable", f"{path}: cannot be read ({error})") from error


def read_questions(name: str, source: str) -> tuple[Expected, ...]:
    """Read JSON lines (or one JSON list); RejectedInputError names the line that cannot be used."""
    lines: list[object] = []
    if source.lstrip().startswith("["):
        lines = list(cast(list[object], _loaded(name, 1, source)))
    else:
        lines = [_loaded(name, n, line) for n, line in enumerate(source.splitlines(), start=1) if line.strip()]
    if len(lines) > MAX_QUESTIONS:
        raise RejectedInputError("kb_test_invalid", f"{name}: more than {MAX_QUESTIONS} questions")
    return tuple(_expected(name, number, line) for number, line in enumerate(lines, start=1))


def measure(questions: Sequence[Expected], search: Callable[[Expected], Sequence[Hit]]) -> Recall:
    """Ask every question."""
    asked: list[Asked] = []
    for expected in questions:
        passages = [hit.passage for hit in search(expected)]
        place = next((at for at, passage in enumerate(passages, start=1) if expected.fits(passage)), None)
        asked.append(Asked(expected, place, passages[0] if passages else None))
    return Recall(tuple(asked))


def _loaded(name: str, number: int, line: str) -> object:
    try:
        return cast(object, json.loads(line))
    except (ValueError, RecursionError) as error:
        raise RejectedInputError("kb_test_invalid", f"{name}, line {number}: not JSON ({error})") from error


def _expected(name: str, number: int, line: object) -> Expected:
    fields = cast(dict[str, Any], line) if isinstance(line, dict) else {}
    question = next(iter(_texts(fields, _QUESTIONS)), None)
    found = Expected(
        question=question or "",
        titles=_texts(fields, _TITLES),
        documents=_texts(fields, _DOCUMENTS),
        contains=_texts(fields, _WORDS),
        language=language_named(str(fields.get("language") or fields.get("idioma") or "es")) or "es",
    )
    if not question or not (found.titles or found.documents or found.contains):
        raise RejectedInputError(
            "kb_test_invalid", f"{name}, line {number}: needs question, and expected (a title), document or contains"
        )
    return found


def _texts(fields: dict[str, Any], keys: Sequence[str]) -> tuple[str, ...]:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str) and value.strip():
            return (value,)
        if isinstance(value, list):
            return tuple(str(each) for each in cast(list[object], value))
    return ()
