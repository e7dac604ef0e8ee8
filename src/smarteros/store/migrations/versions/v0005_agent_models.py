"""The tenants' own examples, in versions."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

APP_ROLE = "smos_app"

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
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON smos.{name} TO {APP_ROLE}")
        op.execute(f"ALTER TABLE smos.{name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE smos.{name} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"""
            CREATE POLICY own_rows ON smos.{name} TO {APP_ROLE}
            USING (tenant_id = current_setting('smos.tenant_id', true))
            WITH CHECK (tenant_id = current_setting('smos.tenant_id', true))
            """
        )
