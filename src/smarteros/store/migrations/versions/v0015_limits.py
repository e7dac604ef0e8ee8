"""What tenants used in a month, and what was refused them."""

from __future__ import annotations

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Reserved: the change that owns it fills it in."""
