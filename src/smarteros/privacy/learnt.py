"""What was kept of a customer's words without his name: questions nobody could answer, and examples the brain learnt.

Both were redacted before they were kept and belong to no conversation, so they are found by the words themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from smarteros.kit.untrusted import plain_text
from smarteros.store.statements import run

_LONGEST = 500
_LEAST_WORDS = 3  # "sí, gracias" is everybody's
_HIDDEN = re.compile(r"\[[A-Z]+_\d+\]")

_GAPS = "SELECT pattern, example FROM smos.kb_gaps WHERE tenant_id = %(tenant_id)s"
_FORGET_GAPS = "DELETE FROM smos.kb_gaps WHERE tenant_id = %(tenant_id)s AND pattern = ANY(%(patterns)s)"
_VERSIONS = "SELECT version, examples FROM smos.agent_models WHERE tenant_id = %(tenant_id)s FOR UPDATE"
_REWRITE = (
    "UPDATE smos.agent_models SET examples = CAST(%(examples)s AS jsonb)"
    " WHERE tenant_id = %(tenant_id)s AND version = %(version)s"
)
# Whoever has a model of these examples in memory sees that it is old.
_RENEW = "UPDATE smos.agent_active_models SET revision = revision + 1 WHERE tenant_id = %(tenant_id)s"


class Words:
    """A customer's messages, to be recognised where they were kept redacted."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._written = tuple(texts)

    @cached_property
    def _texts(self) -> frozenset[str]:
        """Only when there is something to compare: a customer may have written thousands."""
        return frozenset(" ".join(plain_text(text, _LONGEST).split()) for text in self._written)

    def include(self, kept: str) -> bool:
        """Tell whether a kept text is one of these; what was hidden in it may have been anything."""
        kept = " ".join(kept.split())
        if len(kept.split()) < _LEAST_WORDS:
            return False
        parts = _HIDDEN.split(kept)
        if len(parts) == 1:
            return kept in self._texts
        longest = max(parts, key=len)
        pattern = re.compile(".+?".join(map(re.escape, parts)))
        return any(longest in text and pattern.fullmatch(text) is not None for text in self._texts)


def kept_words(connection: sa.Connection, tenant_id: str, words: Words) -> dict[str, list[str]]:
    """Return what of a customer's words is kept, by table."""
    values = {"tenant_id": tenant_id}
    gaps = [row.example for row in run(connection, _GAPS, values) if words.include(row.example)]
    learnt = {
        example["text"]
        for row in run(connection, _VERSIONS, values)
        for example in row.examples
        if words.include(example["text"])
    }
    return {"kb_gaps": gaps, "agent_models": sorted(learnt)}


def forget_words(connection: sa.Connection, tenant_id: str, words: Words) -> dict[str, int]:
    """Remove a customer's words from the questions and from every version of the examples; returns how many."""
    values: dict[str, Any] = {"tenant_id": tenant_id}
    patterns = [row.pattern for row in run(connection, _GAPS, values) if words.include(row.example)]
    run(connection, _FORGET_GAPS, values | {"patterns": patterns})
    removed = 0
    for row in run(connection, _VERSIONS, values).fetchall():
        left = [example for example in row.examples if not words.include(example["text"])]
        if len(left) < len(row.examples):
            removed += len(row.examples) - len(left)
            run(connection, _REWRITE, values | {"version": row.version, "examples": json.dumps(left)})
    if removed:
        run(connection, _RENEW, values)
    return {"kb_gaps": len(patterns), "agent_models": removed}
