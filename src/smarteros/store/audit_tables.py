"""Where every audit chain begins and ends; created by migration 0013, with row-level security."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.store.columns import INSTANT, own_metadata

# What the first event of a chain follows.
GENESIS = "0" * 64

metadata = own_metadata()

audit_chains = sa.Table(
    "audit_chains",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # The checkpoint: events up to here were pruned, the next one follows this hash.
    sa.Column("start_position", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("start_hash", sa.Text, nullable=False, server_default=GENESIS),
    # The end; a trigger moves it with every event, and nobody else.
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    # Start and end as a worker signed them a short while ago, with a key that is not in the database.
    sa.Column("sealed_position", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("sealed_hash", sa.Text, nullable=False, server_default=GENESIS),
    sa.Column("seal", sa.Text),
    sa.Column("sealed_at", INSTANT),
)

TENANT_TABLES = (audit_chains,)
