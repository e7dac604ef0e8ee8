"""Shopify's search syntax (https://shopify.dev/api/usage/search-syntax) over documents held in memory.

Free words and ``field:value`` terms, joined by a space or AND, OR, negated by NOT or "-", grouped by
parentheses; comparators ``< <= > >=``; quoted phrases; a trailing ``*`` for a prefix; comma lists.
Case and accents do not count. Free words match the beginning of words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TypeVar

DEEPEST_GROUP = 40
LONGEST_QUERY = 4000

TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) | (?P<minus>-(?=[\w("']))
      | (?:(?P<field>[A-Za-z][\w.]*)\s?:\s?(?P<comparator><=|>=|<|>)?\s?)?
        (?P<value>"[^"]*"|'[^']*'|[^\s()"']+)
      | (?P<junk>.)
    )""",
    re.VERBOSE,
)
Ordered = TypeVar("Ordered", str, Decimal)
WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Lower case without accents, the form all comparisons use."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """The words of a text in comparison form."""
    return WORD.findall(fold(text))


@dataclass(frozen=True)
class Document:
    """What can be searched of one record."""

    exact: Mapping[str, tuple[str, ...]]
    """Fields compared as a whole: status, sku, tag..."""
    text: Mapping[str, str]
    """Fields compared by their words: title, name."""
    numbers: Mapping[str, tuple[Decimal, ...]]
    default: Mapping[str, int]
    """Words found by a search without a field, with their weight for relevance."""


@dataclass(frozen=True)
class Term:
    """One condition of a query; without a field it is a free word."""

    field: str | None
    comparator: str
    value: str
    quoted: bool


Predicate = Callable[[Document], int]
"""0 when the document does not match, else its relevance."""


@dataclass
class Query:
    """A parsed query: ``match`` and the fields nobody knows (Shopify ignores and reports them)."""

    match: Predicate
    unknown_fields: list[str] = field(default_factory=list[str])


def parse_query(text: str | None, known_fields: frozenset[str]) -> Query:
    """Never raises: what cannot be understood is left out, as in Shopify."""
    parser = _Parser((text or "")[:LONGEST_QUERY], known_fields)
    return Query(parser.parse(), parser.unknown_fields)


def _everything(_document: Document) -> int:
    return 1


class _Parser:
    def __init__(self, text: str, known_fields: frozenset[str]) -> None:
        self._tokens = [match for match in TOKEN.finditer(text) if match.lastgroup != "junk"]
        self._position = 0
        self._depth = 0
        self._known = known_fields
        self.unknown_fields: list[str] = []

    def parse(self) -> Predicate:
        parts: list[Predicate] = []
        while self._position < len(self._tokens):
            parts.append(self._either())
            if self._peek() is not None:  # a closing parenthesis too many
                self._position += 1
        return _all_of(parts)

    def _peek(self) -> re.Match[str] | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _is_word(self, word: str) -> bool:
        token = self._peek()
        return token is not None and token["field"] is None and token["value"] == word

    def _either(self) -> Predicate:
        options = [self._together()]
        while self._is_word("OR"):
            self._position += 1
            options.append(self._together())
        return options[0] if len(options) == 1 else lambda document: max(o(document) for o in options)

    def _together(self) -> Predicate:
        parts: list[Predicate] = []
        while (token := self._peek()) is not None and not token["close"] and not self._is_word("OR"):
            if self._is_word("AND"):
                self._position += 1
                continue
            parts.append(self._single())
        return _all_of(parts)

    def _single(self) -> Predicate:
        negated = False
        while (token := self._peek()) is not None and (token["minus"] or self._is_word("NOT")):
            negated = not negated
            self._position += 1
        if token is None:
            return _everything
        self._position += 1
        inner = self._group() if token["open"] else self._term(token)
        return (lambda document: 0 if inner(document) else 1) if negated else inner

    def _group(self) -> Predicate:
        self._depth += 1
        # Beyond the limit a parenthesis is only skipped: no input may exhaust the stack.
        inner = self._either() if self._depth <= DEEPEST_GROUP else _everything
        self._depth -= 1
        token = self._peek()
        if token is not None and token["close"]:
            self._position += 1
        return inner

    def _term(self, token: re.Match[str]) -> Predicate:
        value = token["value"]
        if value is None:
            return _everything
        quoted = value[0] in "\"'"
        name = token["field"]
        term = Term(name, token["comparator"] or "", value.strip("\"'"), quoted)
        if name is None:
            return lambda document: _free_words(document, term)
        if name not in self._known:
            self.unknown_fields.append(name)
            return _everything
        return lambda document: int(_field_matches(document, name, term))


def _all_of(parts: list[Predicate]) -> Predicate:
    if not parts:
        return _everything

    def match(document: Document) -> int:
        total = 0
        for part in parts:
            score = part(document)
            if not score:
                return 0
            total += score
        return total

    return match


def _free_words(document: Document, term: Term) -> int:
    total = 0
    for wanted in words(term.value):
        best = max((weight for word, weight in document.default.items() if word.startswith(wanted)), default=0)
        if not best:
            return 0
        total += best
    return max(total, 1)


def _field_matches(document: Document, name: str, term: Term) -> bool:
    if name == "tag_not":
        return not _one_of(document.exact.get("tag", ()), term)
    if name in document.numbers:
        return any(_compare(number, term) for number in document.numbers[name])
    if name in document.text:
        return _words_match(document.text[name], term)
    values = document.exact.get(name, ())
    if term.comparator:  # times are ISO texts, which compare as they are
        return any(_ordered(value, term.comparator, term.value) for value in values)
    return _one_of(values, term)


def _one_of(values: tuple[str, ...], term: Term) -> bool:
    wanted = [term.value] if term.quoted else term.value.split(",")
    return any(_same(value, one) for value in values for one in wanted)


def _same(value: str, wanted: str) -> bool:
    if wanted.endswith("*"):
        return fold(value).startswith(fold(wanted[:-1]))
    return fold(value) == fold(wanted)


def _words_match(text: str, term: Term) -> bool:
    have, wanted = words(text), words(term.value)
    if not wanted:
        return term.value == "*" and bool(have)
    for start in range(len(have) - len(wanted) + 1):
        window = have[start : start + len(wanted)]
        if window == wanted or (
            term.value.endswith("*") and window[:-1] == wanted[:-1] and window[-1].startswith(wanted[-1])
        ):
            return True
    return False


def _compare(number: Decimal, term: Term) -> bool:
    try:
        wanted = [Decimal(part) for part in term.value.split(",")]
    except InvalidOperation:
        return False
    if any(not one.is_finite() for one in wanted):
        return False
    if term.comparator:
        return _ordered(number, term.comparator, wanted[0])
    return number in wanted


def _ordered(left: Ordered, comparator: str, right: Ordered) -> bool:
    match comparator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right
