"""How a contract's scenarios went when they were last played; created by migration 0021.

Contracts are the installation's, and so are their runs: the shops that play in them are stand-ins.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

scenario_runs = sa.Table(
    "scenario_runs",
    metadata,
    # The last run only: earlier ones were of contracts that are gone.
    sa.Column("flow_id", sa.Text, primary_key=True),
    sa.Column("contract_version", sa.Text, nullable=False),
    # Of the contract as it was played: a run says nothing about a contract that was changed since.
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("run_by", sa.Text, nullable=False),
    # Address of the stack it was played on; null: one started for it.
    sa.Column("ran_on", sa.Text),
    sa.Column("ended_at", INSTANT, nullable=False),
    sa.Column("scenarios", JSONB, nullable=False),
)

INSTALLATION_TABLES = (scenario_runs,)
