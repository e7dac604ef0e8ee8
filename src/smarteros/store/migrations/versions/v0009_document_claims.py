"""Which customer has shown which document."""

from __future__ import annotations

from alembic import op

from smarteros.store.claim_tables import TENANT_TABLES, metadata
from smarteros.store.migrations.own_rows import keep_to_own_rows

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table and keep every tenant to its own rows. A claim is never changed and never taken back."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name, "SELECT, INSERT")
