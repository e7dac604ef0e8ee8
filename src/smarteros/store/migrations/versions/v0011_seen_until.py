"""Up to which change, by the channel's own clock, the last look through an account saw."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; without a value the next look is like a first one."""
    op.execute("ALTER TABLE smos.reconcile_cursors ADD COLUMN IF NOT EXISTS seen_until timestamptz")
