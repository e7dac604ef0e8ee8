"""People who may sign in, and their sessions; the order in which the console lists conversations and turns."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import APP_ROLE, EVERYTHING, keep_to_own_rows
from smarteros.store.people_tables import INSTALLATION_TABLES, TENANT_TABLES, metadata

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the tables, keep every tenant to its own rows, and let lists be read page by page."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
    for table in INSTALLATION_TABLES:
        op.execute(f"GRANT {EVERYTHING} ON smos.{table.name} TO {APP_ROLE}")
    op.execute(
        "CREATE INDEX IF NOT EXISTS conversations_by_age"
        " ON smos.conversations (tenant_id, updated_at DESC, conversation_id DESC)"
    )
    op.execute("CREATE INDEX IF NOT EXISTS turns_by_age ON smos.turns (tenant_id, finished_at DESC)")
