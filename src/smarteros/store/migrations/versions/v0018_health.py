"""What the health checks saw, minute by minute."""

from __future__ import annotations

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Reserved: the change that owns it fills it in."""
