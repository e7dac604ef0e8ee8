"""Questions the shop's texts or the agent were no match for: what the shop's owner should write about."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from smarteros.domain.decisions import Intent, Language
from smarteros.domain.model import Model

GapReason = Literal[
    "not_sure",      # understood with too little confidence
    "not_in_kb",     # understood, but no text answers it
    "out_of_scope",  # taken for something that is none of the shop's business
]  # fmt: skip


class Gap(Model):
    """One such question. ``pattern`` is equal for questions that differ only in spelling, courtesies and numbers.

    Neither field holds personal data that is recognised as such: see ``kit.redaction``.
    """

    pattern: str
    example: str
    reason: GapReason
    intent: Intent
    confidence: float
    language: Language = "es"


class StoredGap(Gap):
    """A question as it is kept: how often it came, and when first and last (aware UTC)."""

    times: int
    first_at: datetime
    last_at: datetime
