"""Keys of contacts, whom the bot leaves alone, and the proofs of erasures."""

from __future__ import annotations

from alembic import op

from smarteros.store.contact_tables import TENANT_TABLES, contact_erasures, metadata
from smarteros.store.migrations.own_rows import APP_ROLE, keep_to_own_rows

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the tables and keep every tenant to its own rows; a proof is neither changed nor removed."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
    # What a customer asked a model may be erased, and the claim to a document is his as well.
    op.execute(f"GRANT DELETE ON smos.llm_calls, smos.document_claims TO {APP_ROLE}")
    op.execute(f"REVOKE UPDATE, DELETE ON smos.{contact_erasures.name} FROM {APP_ROLE}")
