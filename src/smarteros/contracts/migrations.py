"""Old contract files in today's format: in memory when they are read, in the file by ``smos contract migrate``.

A migration is a few edits of the text at places that the parsed tree names. Comments, order, quotes and layout stay as
their author wrote them, and every line keeps its number, so mistakes are still told where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from smarteros.contracts.findings import Finding
from smarteros.contracts.source import Source, compose, parse_source, text_of

_VERSION_KEY = "apiVersion"
_BOM = "\ufeff"


@dataclass(frozen=True)
class Edit:
    """Other words in the place of a key or a plain value; never another number of lines."""

    node: yaml.ScalarNode
    text: str


@dataclass(frozen=True)
class Migration:
    """One step from a format to the next. ``changes`` says in a sentence what its authors will see."""

    before: str
    after: str
    changes: str
    edits: Callable[[yaml.MappingNode], Iterator[Edit]]


@dataclass(frozen=True)
class Migrated:
    """The text of a file in today's format, and the steps that led there; none when it was written in it."""

    text: str
    steps: tuple[Migration, ...]


def _other_flows(root: yaml.MappingNode) -> Iterator[Edit]:
    for key, section in _pairs(root):
        if key.value != "handoffs":
            continue
        yield Edit(key, "other_flows")
        items: list[yaml.Node] = section.value if isinstance(section, yaml.SequenceNode) else []
        for item in items:
            yield from (Edit(inner, "flow") for inner, _ in _pairs(item) if inner.value == "to")


# Each begins where the one before ends; the last one ends at `models.CURRENT_FORMAT`.
MIGRATIONS = (
    Migration(
        before="smos/v1",
        after="smos/v2",
        changes="`handoffs: [{intent, to}]` is now `other_flows: [{intent, flow}]`",
        edits=_other_flows,
    ),
)


def read_current(path: Path) -> tuple[Source, list[Finding]]:
    """Read a contract file as if it were written today; a warning tells of each older format that was understood.

    ContractError with the line when it is not YAML of the allowed kind.
    """
    written = text_of(path)
    migrated = migrate_text(str(path), written)
    source = parse_source(str(path), migrated.text)
    message = "written in {}, read as {}: {} (smos contract migrate)"
    return source, [
        source.finding("old_format", message.format(step.before, step.after, step.changes), _VERSION_KEY, warns=True)
        for step in migrated.steps
    ]


def migrate_text(file: str, text: str) -> Migrated:
    """Return a contract's text in today's format. ContractError when it is not YAML of the allowed kind."""
    # Editors' mark of UTF-8: parsers differ in whether they count it.
    mark = _BOM if text.startswith(_BOM) else ""
    text = text.removeprefix(mark)
    steps: list[Migration] = []
    while found := _next(compose(file, text)):
        step, edits = found
        text = _edited(text, edits)
        steps.append(step)
    return Migrated(mark + text, tuple(steps))


def _next(root: yaml.Node) -> tuple[Migration, list[Edit]] | None:
    version = next((value for key, value in _pairs(root) if key.value == _VERSION_KEY), None)
    for step in MIGRATIONS:
        if isinstance(root, yaml.MappingNode) and isinstance(version, yaml.ScalarNode) and version.value == step.before:
            return step, [*step.edits(root), Edit(version, step.after)]
    return None


def _pairs(node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
        yield from ((key, value) for key, value in pairs if isinstance(key, yaml.ScalarNode))


def _edited(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.node.start_mark.index, reverse=True):
        text = text[: edit.node.start_mark.index] + edit.text + text[edit.node.end_mark.index :]
    return text
