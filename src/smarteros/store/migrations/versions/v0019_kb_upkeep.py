"""Where the texts of a shop come from, the changes that wait for approval, test questions and weekly reports."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import keep_to_own_rows
from smarteros.store.upkeep_tables import TENANT_TABLES, metadata

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the tables and keep every tenant to its own rows."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
