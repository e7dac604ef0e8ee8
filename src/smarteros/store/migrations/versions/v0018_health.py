"""What the health checks saw, stretch by stretch."""

from __future__ import annotations

from alembic import op

from smarteros.store.health_tables import TENANT_TABLES, metadata
from smarteros.store.migrations.own_rows import keep_to_own_rows

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the table and keep every tenant to its own rows."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
