"""Tables of reconcile (how far each conversation was checked) and of replay (what each turn started from)."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import keep_to_own_rows
from smarteros.store.reconcile_tables import TENANT_TABLES, metadata

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables and keep every tenant to its own rows."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
