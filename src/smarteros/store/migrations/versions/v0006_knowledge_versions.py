"""The versions of a tenant's knowledge base."""

from __future__ import annotations

from alembic import op

from smarteros.store.knowledge_tables import TENANT_TABLES, metadata

revision = "0006"
down_revision = "0005"

APP_ROLE = "smos_app"


def upgrade() -> None:
    """Create the table and keep every tenant to its own rows."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON smos.{table.name} TO {APP_ROLE}")
        op.execute(f"ALTER TABLE smos.{table.name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE smos.{table.name} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"""
            CREATE POLICY own_rows ON smos.{table.name} TO {APP_ROLE}
            USING (tenant_id = current_setting('smos.tenant_id', true))
            WITH CHECK (tenant_id = current_setting('smos.tenant_id', true))
            """
        )
