"""The audit on its way to a bus, and what proves that no row of it is missing."""

from __future__ import annotations

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Reserved: the change that owns it fills it in."""
