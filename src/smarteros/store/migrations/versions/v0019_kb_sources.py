"""Where a tenant's knowledge comes from, and when it was last looked at."""

from __future__ import annotations

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Reserved: the change that owns it fills it in."""
