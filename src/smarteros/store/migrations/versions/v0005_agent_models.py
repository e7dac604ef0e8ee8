"""The tenants' own examples, in versions."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import keep_to_own_rows

revision = "0005"
down_revision = "0004"


_TABLES = {
    "agent_models": """
        CREATE TABLE smos.agent_models (
          tenant_id text NOT NULL,
          version bigint NOT NULL,
          examples jsonb NOT NULL,
          report jsonb NOT NULL,
          note text NOT NULL DEFAULT '',
          created_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (tenant_id, version)
        )""",
    "agent_active_models": """
        CREATE TABLE smos.agent_active_models (
          tenant_id text PRIMARY KEY,
          version bigint NOT NULL,
          revision bigint NOT NULL
        )""",
}


def upgrade() -> None:
    """Create the tables and keep every tenant to its own rows."""
    for name, statement in _TABLES.items():
        op.execute(statement)
        keep_to_own_rows(name)
