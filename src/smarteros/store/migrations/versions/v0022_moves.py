"""Tenants may move to an installation of their own: their webhooks are kept meanwhile, their rows stand still."""

from __future__ import annotations

from alembic import op

from smarteros.store.kept_tables import TENANT_TABLES, metadata
from smarteros.store.migrations.own_rows import keep_to_own_rows

revision = "0022"
down_revision = "0021"

# Called by triggers that exist for one tenant, from the copying of its rows on: whoever has not heard of the move yet
# is refused here. Nobody else pays for it.
_REFUSE = """
CREATE FUNCTION smos.refuse_change_of_moved() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'tenant % has moved to another installation: its rows here stand still', TG_ARGV[0]
    USING ERRCODE = 'object_not_in_prerequisite_state';
END $$
"""


def upgrade() -> None:
    """Create the table, and what refuses changes."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name)
        # The owner's loop passes on the webhooks of all tenants.
        op.execute(f"CREATE POLICY all_rows ON smos.{table.name} TO CURRENT_ROLE USING (true) WITH CHECK (true)")
    op.execute(_REFUSE)
