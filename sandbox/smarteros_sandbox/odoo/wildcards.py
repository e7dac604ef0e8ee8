"""SQL LIKE patterns in linear time: a pattern of a stranger must not make the server think for minutes."""

from __future__ import annotations

from typing import Literal

Token = tuple[Literal["any", "one", "letter"], str]


def like(pattern: str, text: str) -> bool:
    """Whether the whole text matches; ``%`` any text, ``_`` any letter, a backslash takes both literally."""
    tokens = _tokens(pattern)
    position = star = 0
    resume = -1
    at = 0
    while at < len(text):
        if position < len(tokens) and _fits(tokens[position], text[at]):
            position += 1
            at += 1
        elif position < len(tokens) and tokens[position][0] == "any":
            star, resume = position, at
            position += 1
        elif resume >= 0:  # let the last % swallow one letter more
            resume += 1
            position, at = star + 1, resume
        else:
            return False
    return all(kind == "any" for kind, _ in tokens[position:])


def _fits(token: Token, letter: str) -> bool:
    kind, wanted = token
    return kind == "one" or (kind == "letter" and wanted == letter)


def _tokens(pattern: str) -> list[Token]:
    tokens: list[Token] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            tokens.append(("letter", next(letters, "\\")))
        elif letter == "%":
            tokens.append(("any", ""))
        elif letter == "_":
            tokens.append(("one", ""))
        else:
            tokens.append(("letter", letter))
    return tokens
