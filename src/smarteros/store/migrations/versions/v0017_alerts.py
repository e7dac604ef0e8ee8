"""Alerts that are firing, and silences."""

from __future__ import annotations

from alembic import op

from smarteros.store.alert_tables import INSTALLATION_TABLES, TENANT_TABLES, metadata
from smarteros.store.migrations.own_rows import APP_ROLE, keep_to_own_rows

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the tables and keep every tenant to its own rows."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
    for table in INSTALLATION_TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON smos.{table.name} TO {APP_ROLE}")
