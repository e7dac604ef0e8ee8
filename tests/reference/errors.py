"""Every error code the code can raise, read off the source: who must act, and the sentences."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from smarteros.flow.wording import SORRY
from tests.reference.tables import SOURCE, code, page, table, text_of

_KINDS = {
    "ConfigError": "operator",
    "ContractError": "operator",
    "RejectedInputError": "sender",
    "RefusedRequestError": "sender",
    "NotSignedInError": "sender",
    "TransientError": "nobody: tried again",
    "UpstreamError": "nobody: tried again",
    "DeadlineError": "nobody: tried again",
    "PermanentError": "a person",
}

_MAKES_ONE = re.compile(rf"\b(?:{'|'.join(_KINDS)})\(")
_CODE = re.compile(r"[a-z][a-z0-9_{}]*")
_WORD = re.compile(r'^([A-Z_]+) = "([^"]*)"$', re.MULTILINE)


@dataclass(frozen=True)
class Raised:
    """One place that makes an error with a code that is written there."""

    code: str
    kind: str
    sentence: str
    outside: str
    module: str


def errors_page() -> str:
    """Write the page."""
    return text_of(_lines())


def raised() -> Iterator[Raised]:
    """Find the errors of the whole source."""
    texts = {path: path.read_text("utf-8") for path in sorted(SOURCE.rglob("*.py"))}
    words = dict(word for text in texts.values() for word in _WORD.findall(text))
    for path, text in texts.items():
        if _MAKES_ONE.search(text) is None:
            continue
        known = words | dict(_WORD.findall(text))
        for node in ast.walk(ast.parse(text)):
            found = _error(node, known, path.relative_to(SOURCE).as_posix())
            if found is not None:
                yield found


def _error(node: ast.AST, words: dict[str, str], module: str) -> Raised | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KINDS and node.args):
        return None
    named = _written(node.args[0], words)
    if _CODE.fullmatch(named) is None:
        return None
    outside = next((_written(each.value, words) for each in node.keywords if each.arg == "public_message"), "")
    sentence = _written(node.args[1], words) if len(node.args) > 1 else ""
    return Raised(named, _KINDS[node.func.id], sentence, outside, module)


def _written(node: ast.expr, words: dict[str, str]) -> str:
    """Return a text as it is in the source; what is filled in later is named in braces."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return words.get(name, f"{{{name}}}")
        case ast.JoinedStr(values=parts):
            return "".join(_written(part, words) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)) | ast.FormattedValue(value=ast.Attribute(attr=name)):
            return f"{{{name}}}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _written(left, words) + _written(right, words)
        case ast.Attribute(attr=name):
            return f"{{{name}}}"
        case _:
            return "{…}"


def _lines() -> Iterator[str]:
    yield from page(
        "Errors",
        "An error has a code for machines, a sentence for the operator (log, command, record of the turn), and often "
        "another one that may leave the system (a refusal's own sentence; of the others *Something went wrong on our "
        "side.*). It also says who must act: the **operator** (a setting, a contract or "
        "a key), the **sender** (the request was refused), **nobody** (it passes by itself and is tried again) or **a "
        "person** of the shop (the conversation is handed over). What stands in braces is filled in.",
        "A customer never reads any of these. When a turn fails he is told: "
        f"*{SORRY['es']}* (*{SORRY['en']}*), or what "
        "the flow's contract says for that case, and a person gets the conversation.",
    )
    found: dict[str, list[Raised]] = defaultdict(list)
    for each in raised():
        found[each.code].append(each)
    yield from table(
        ("code", "who must act", "sentence for the operator", "sentence for outside", "where"),
        (
            (
                code(name),
                _each(one.kind for one in ones),
                _each(one.sentence for one in ones),
                _each(one.outside for one in ones),
                _each(code(one.module) for one in ones),
            )
            for name, ones in sorted(found.items())
        ),
    )
    yield "## What callers of tools are told"
    yield ""
    yield "By `/mcp` and `POST /api/tools/{tool}`, in Spanish: what happened, and what to do."
    yield ""
    failures: dict[str, Any] = yaml.safe_load((SOURCE / "edge/data/tool_texts.yml").read_text("utf-8"))["failures"]
    for kind, told in failures.items():
        yield from table(
            (kind.removesuffix("s"), "what happened", "what to do"),
            ((code(name), said["message"], said["hint"]) for name, said in sorted(told.items())),
        )


def _each(texts: Any) -> str:
    return "<br>".join(dict.fromkeys(text.replace("<", "&lt;").replace("\n", " ") for text in texts if text))
