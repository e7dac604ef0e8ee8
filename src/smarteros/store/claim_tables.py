"""Which customer has shown which document; created by migration 0009, with row-level security like all others."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

document_claims = sa.Table(
    "document_claims",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # Issuer, type and folio of a genuine timbre: unique in Chile.
    sa.Column("document_key", sa.Text, primary_key=True),
    # Account and contact in the channel, never a name or number of a person.
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("conversation_id", sa.BigInteger, nullable=False),
    sa.Column("claimed_at", INSTANT, nullable=False, server_default=sa.func.now()),
)

TENANT_TABLES = (document_claims,)
