"""The fence and the mute of a conversation, and what became of a reply after it was posted."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what an installation of the first version lacks.

    0001 makes a new installation from today's tables, so there all of it exists already.
    """
    for table, column in (
        ("conversations", "fence bigint NOT NULL DEFAULT 0"),
        ("conversations", "fence_turn text"),
        ("conversations", "muted_reason text"),
        ("conversations", "led_at timestamptz"),
        ("replies", "failed_at timestamptz"),
        ("replies", "failed_reason text"),
    ):
        op.execute(f"ALTER TABLE smos.{table} ADD COLUMN IF NOT EXISTS {column}")
    op.execute(
        "CREATE INDEX IF NOT EXISTS replies_by_conversation ON smos.replies (tenant_id, conversation_id, intended_at)"
    )
