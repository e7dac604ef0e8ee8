"""What an import would change, passage by passage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from smarteros.domain.knowledge import Document, Passage
from smarteros.domain.model import Model
from smarteros.knowledge.passages import passages_of

Change = Literal["added", "removed", "changed"]


class PassageChange(Model):
    """One passage that an import adds, removes or changes; ``fields`` are those that differ."""

    change: Change
    document: str
    title: str
    fields: tuple[str, ...] = ()
    before: str | None = None
    after: str | None = None


def changes_between(old: Sequence[Document], new: Sequence[Document]) -> tuple[PassageChange, ...]:
    """Compare two states of a knowledge base; a passage is the same by its document, title and place under it."""
    before, after = _keyed(old), _keyed(new)
    changes: list[PassageChange] = []
    for key, passage in after.items():
        known = before.get(key)
        if known is None:
            changes.append(_change("added", passage, after=passage.text))
        elif known != passage:
            ours, theirs = known.model_dump(), passage.model_dump()
            fields = tuple(name for name in ours if ours[name] != theirs[name])
            changes.append(_change("changed", passage, fields=fields, before=known.text, after=passage.text))
    changes += [_change("removed", passage, before=passage.text) for key, passage in before.items() if key not in after]
    return tuple(changes)


def _change(
    change: Change,
    passage: Passage,
    *,
    fields: tuple[str, ...] = (),
    before: str | None = None,
    after: str | None = None,
) -> PassageChange:
    return PassageChange(
        change=change, document=passage.document, title=passage.title, fields=fields, before=before, after=after
    )


def _keyed(documents: Sequence[Document]) -> dict[tuple[str, str, int], Passage]:
    found: dict[tuple[str, str, int], Passage] = {}
    for document in documents:
        for passage in passages_of(document):
            number = 0
            while (document.name, passage.title, number) in found:
                number += 1
            found[document.name, passage.title, number] = passage
    return found
