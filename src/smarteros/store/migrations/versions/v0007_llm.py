"""What tenants' language models were asked, and what it cost."""

from __future__ import annotations

from alembic import op

from smarteros.store.llm_tables import TENANT_TABLES, metadata
from smarteros.store.migrations.own_rows import keep_to_own_rows

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables and keep every tenant to its own rows. Nobody of the application removes rows of the books."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name, "SELECT, INSERT, UPDATE")
