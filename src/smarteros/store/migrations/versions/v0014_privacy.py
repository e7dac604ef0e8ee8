"""Keys of contacts, blocks, retention."""

from __future__ import annotations

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Reserved: the change that owns it fills it in."""
