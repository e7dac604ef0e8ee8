"""The tables of privacy; created by migration 0014, with row-level security like all others."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # Account and contact in the channel, as in ``document_claims``; never a name or number of a person.
    sa.Column("contact", sa.Text, primary_key=True),
    # What opens the personal part of his audit events; NULL once it was destroyed.
    sa.Column("key", sa.LargeBinary),
    sa.Column("key_id", sa.Text),
    # Which key of the tenant's, in the secret store, it is wrapped in; NULL for one that is not wrapped (yet).
    sa.Column("wrapped_by", sa.Text),
    # The bot does not write to him since then, and who wanted it so: opted_out or shop.
    sa.Column("blocked_at", INSTANT),
    sa.Column("blocked_by", sa.Text),
    sa.Column("seen_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Index("contacts_by_seen_at", "tenant_id", "seen_at"),
)

contact_erasures = sa.Table(
    "contact_erasures",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("erasure_id", sa.Text, primary_key=True),
    # Costly hashes (scrypt) of what the person is known by, with the tenant's salt: a request that names the same is
    # recognised, and nobody is named.
    sa.Column("known_by", ARRAY(sa.Text), nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    # Rows by table, ids of destroyed keys.
    sa.Column("proof", JSONB, nullable=False),
    sa.Column("erased_at", INSTANT, nullable=False, server_default=sa.func.now()),
)

TENANT_TABLES = (contacts, contact_erasures)
