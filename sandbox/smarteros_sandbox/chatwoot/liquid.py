"""Liquid in outgoing messages: enough of it to show what happens to text that nobody neutralised.

Chatwoot app/models/concerns/liquidable.rb renders every outgoing message. Here known variables are replaced,
unknown ones vanish, tags vanish; text in backticks is protected; a syntax error leaves the text unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_RAW = re.compile(r"{%-?\s*raw\s*-?%}(.*?){%-?\s*endraw\s*-?%}", re.DOTALL)
_MARKUP = re.compile(r"{{-?(?P<output>.*?)-?}}|{%-?(?P<tag>.*?)-?%}", re.DOTALL)
_ASSIGN = re.compile(r"assign\s+(?P<name>[\w.]+)\s*=\s*(?P<value>.*)", re.DOTALL)
_QUOTED = re.compile(r"""^(?P<quote>['"])(?P<text>.*)(?P=quote)$""", re.DOTALL)


def render(content: str, variables: Mapping[str, str]) -> str:
    """The message as the customer gets it."""
    if "{{" not in content and "{%" not in content:
        return content
    names = dict(variables)
    parts = _CODE.split(content)
    rendered = [part if position % 2 else _render_part(part, names) for position, part in enumerate(parts)]
    return content if None in rendered else "".join(part for part in rendered if part is not None)


def _render_part(text: str, names: dict[str, str]) -> str | None:
    """One piece without code; None for a syntax error (an opened but never closed tag)."""
    pieces = _RAW.split(text)
    for position in range(0, len(pieces), 2):
        piece = _MARKUP.sub(lambda match: _value(match, names), pieces[position])
        if "{{" in piece or "{%" in piece:
            return None
        pieces[position] = piece
    return "".join(pieces)


def _value(match: re.Match[str], names: dict[str, str]) -> str:
    tag = match["tag"]
    if tag is not None:
        assignment = _ASSIGN.match(tag.strip())
        if assignment is not None:
            names[assignment["name"]] = _evaluate(assignment["value"], names)
        return ""
    return _evaluate(match["output"], names)


def _evaluate(expression: str, names: Mapping[str, str]) -> str:
    subject = expression.split("|", 1)[0].strip()
    literal = _QUOTED.match(subject)
    if literal is not None:
        return literal["text"]
    if subject.isascii() and subject.isdigit():
        return subject
    return names.get(subject, "")
