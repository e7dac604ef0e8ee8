"""The last run of every contract's scenarios."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import APP_ROLE
from smarteros.store.scenario_tables import INSTALLATION_TABLES, metadata

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Create the table; it holds nothing of a tenant."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in INSTALLATION_TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON smos.{table.name} TO {APP_ROLE}")
