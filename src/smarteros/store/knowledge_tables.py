"""Tables of the knowledge base's versions."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

kb_versions = sa.Table(
    "kb_versions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # The revision (``kb_revisions``) that these documents had when they were the newest.
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("documents", JSONB, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("saved_at", INSTANT, nullable=False, server_default=sa.func.now()),
)

TENANT_TABLES = (kb_versions,)
