"""People who may sign in, and their sessions."""

from __future__ import annotations

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Reserved: the change that owns it fills it in."""
