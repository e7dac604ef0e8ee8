"""What tenants used in a month, and what was refused them."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import keep_to_own_rows
from smarteros.store.usage_tables import TENANT_TABLES, metadata

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the table and keep every tenant to its own rows."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
