"""How many images Cloud Vision has read in a month: what it will bill survives a restart."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import keep_to_own_rows
from smarteros.store.vision_tables import TENANT_TABLES, metadata

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table and keep every tenant to its own rows. Nobody of the application removes rows of the books."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name, "SELECT, INSERT, UPDATE")
