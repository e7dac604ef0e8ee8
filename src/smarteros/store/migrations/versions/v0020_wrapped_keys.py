"""In which key of the tenant's a contact's key is wrapped; the keys there are get wrapped by the retention loop."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the column; without a value the key is not wrapped yet. The wrapping keys are not within reach of SQL."""
    op.execute("ALTER TABLE smos.contacts ADD COLUMN IF NOT EXISTS wrapped_by text")
