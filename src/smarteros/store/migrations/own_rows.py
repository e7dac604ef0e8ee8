"""Keeping every tenant to its own rows: the one policy all tenant tables have (design, promise 3).

Used by released migrations: what it does for a table that exists already must not change.
"""

from __future__ import annotations

from alembic import op

# The role that serves requests. It owns nothing, so the policy holds for it.
APP_ROLE = "smos_app"
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
# Roles belong to the server, not to a database: a restored one needs it before its rights are given.
MAKE_APP_ROLE = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
    CREATE ROLE {APP_ROLE} LOGIN;
  END IF;
END $$
"""


def keep_to_own_rows(table: str, rights: str = EVERYTHING) -> None:
    """Let the application's role use a table of schema ``smos``, and there the rows of the transaction's tenant only.

    Forced, so that the table's owner has no rows either until another policy says so.
    """
    op.execute(f"GRANT {rights} ON smos.{table} TO {APP_ROLE}")
    op.execute(f"ALTER TABLE smos.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE smos.{table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"""
        CREATE POLICY own_rows ON smos.{table} TO {APP_ROLE}
        USING (tenant_id = current_setting('smos.tenant_id', true))
        WITH CHECK (tenant_id = current_setting('smos.tenant_id', true))
        """
    )
