"""Reads a contract's YAML so that everything in it still knows its line.

The subset is small on purpose: one document, no anchors or aliases (a few lines of them can unfold to
gigabytes), no tags, no duplicate keys, and the plain scalars of YAML 1.2 only, so that ``9:00`` stays a text and
``no`` a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from smarteros.contracts.findings import ContractError, Finding

MAX_BYTES = 512 * 1024
MAX_DEPTH = 24

Path_ = tuple[str | int, ...]

_SCALARS = (
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$"),
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$"),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)$"),
)
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):
    """The fast loader with the scalar rules above."""

    yaml_implicit_resolvers: dict[Any, Any] = {None: [(tag, re.compile(rule)) for tag, rule in _SCALARS]}  # noqa: RUF012


@dataclass(frozen=True)
class Source:
    """One file: its data, and the line on which each key or list item begins."""

    file: str
    data: Any
    lines: dict[Path_, int] = field(repr=False)

    def line_of(self, *path: str | int) -> int:
        """Return the line of a path, or of the nearest part of it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def finding(self, code: str, message: str, *path: str | int, warns: bool = False) -> Finding:
        """Make a finding at a path."""
        severity = "warning" if warns else "error"
        return Finding(file=self.file, line=self.line_of(*path), code=code, message=message, severity=severity)


def read_source(path: Path) -> Source:
    """Read one file. ContractError with the line when it is not YAML of the allowed kind."""
    return parse_source(str(path), text_of(path))


def parse_source(file: str, text: str) -> Source:
    """Parse the text of a file."""
    reader = _Reader(file)
    data = reader.read(compose(file, text), ())
    return Source(file=file, data=data, lines=reader.lines)


def compose(file: str, text: str) -> yaml.Node:
    """Return the tree of a text, whose nodes know their places. ContractError when it is not of the allowed kind."""
    try:
        _guard(file, text)
        root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _refused(file, _line_of_error(error), "yaml_syntax", _first_line(error)) from error
    if root is None:
        raise _refused(file, 1, "yaml_syntax", "the file is empty")
    return root


def text_of(path: Path) -> str:
    """Return the text of a file. ContractError when it cannot be read, is too large or no UTF-8."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise _refused(str(path), 1, "yaml_limit", f"the file is larger than {MAX_BYTES} bytes")
        return raw.decode("utf-8")
    except OSError as error:
        raise _refused(str(path), 1, "file_unreadable", error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise _refused(str(path), 1, "yaml_syntax", "the file is not UTF-8") from error


def _guard(file: str, text: str) -> None:
    """Walk the flat event stream, which nothing can blow up, before a tree is built."""
    depth = 0
    for event in _events(text):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(file, line, "yaml_alias", "anchors and aliases are not allowed; write the text twice")
        if getattr(event, "tag", None):
            raise _refused(file, line, "yaml_syntax", f"tag {event.tag} is not allowed")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _refused(file, line, "yaml_limit", f"nested deeper than {MAX_DEPTH}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_Loader)


class _Reader:
    """Turns nodes into plain data and remembers lines."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path_, int] = {}
        self._scalars = yaml.constructor.SafeConstructor()

    def read(self, node: yaml.Node, path: Path_) -> Any:
        self.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            items: list[yaml.Node] = node.value
            return [self.read(item, (*path, index)) for index, item in enumerate(items)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        data: dict[str, Any] = {}
        pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
        for key_node, value_node in pairs:
            key = self._key(key_node)
            if key in data:
                raise _refused(self.file, _line(key_node), "duplicate_key", f"{key!r} is already there")
            self.lines[(*path, key)] = _line(key_node)
            data[key] = self.read(value_node, (*path, key))
        return data

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise _refused(self.file, _line(node), "yaml_syntax", "a key must be a word")
        return str(node.value)

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            # PyYAML's constructors carry no types; the value is checked by the contract's model afterwards.
            return self._scalars.construct_object(node)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        except (yaml.YAMLError, ValueError) as error:
            raise _refused(self.file, _line(node), "yaml_syntax", _first_line(error)) from error


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _refused(file: str, line: int, code: str, message: str) -> ContractError:
    return ContractError([Finding(file=file, line=line, code=code, message=message)])


def _line_of_error(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return int(mark.line) + 1 if mark is not None else 1


def _first_line(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error)
    return str(problem).splitlines()[0]
