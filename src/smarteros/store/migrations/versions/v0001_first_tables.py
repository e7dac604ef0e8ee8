"""The first tables, the application's role, and row-level security on every tenant table."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import APP_ROLE, MAKE_APP_ROLE, keep_to_own_rows
from smarteros.store.tables import TENANT_TABLES, metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.execute(MAKE_APP_ROLE)
    op.execute(f"GRANT USAGE ON SCHEMA smos TO {APP_ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA smos TO {APP_ROLE}")
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
    # Append-only: the application can neither change nor remove what it has written to the audit.
    op.execute(f"REVOKE UPDATE, DELETE ON smos.audit_events FROM {APP_ROLE}")
