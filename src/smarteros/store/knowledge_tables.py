"""Tables of the knowledge base's versions."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = sa.MetaData(schema="smos")

kb_versions = sa.Table(
    "kb_versions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # The revision (``kb_revisions``) that these documents had when they were the newest.
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("documents", JSONB, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("saved_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
)

TENANT_TABLES = (kb_versions,)
