"""Which customer has shown which document; created by migration 0009, with row-level security like all others."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

# Metadata of its own: the first migration creates everything it finds in that of ``tables``.
metadata = sa.MetaData(schema="smos")

document_claims = sa.Table(
    "document_claims",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # Issuer, type and folio of a genuine timbre: unique in Chile.
    sa.Column("document_key", sa.Text, primary_key=True),
    # Account and contact in the channel, never a name or number of a person.
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("conversation_id", sa.BigInteger, nullable=False),
    sa.Column("claimed_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
)

TENANT_TABLES = (document_claims,)
