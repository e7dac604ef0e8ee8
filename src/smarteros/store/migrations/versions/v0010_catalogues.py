"""Copies of the shops' catalogues, the webhooks seen, and the orders that came from conversations."""

from __future__ import annotations

from alembic import op

from smarteros.store.catalogue_tables import TENANT_TABLES, metadata
from smarteros.store.migrations.own_rows import keep_to_own_rows

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables and keep every tenant to its own rows."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
