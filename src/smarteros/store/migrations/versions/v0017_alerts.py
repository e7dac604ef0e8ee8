"""Alerts that are firing, and silences."""

from __future__ import annotations

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Reserved: the change that owns it fills it in."""
