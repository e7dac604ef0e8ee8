"""The audit on its way to a bus, and what proves that no row of it is missing."""

from __future__ import annotations

from alembic import op

from smarteros.store.audit_tables import TENANT_TABLES, metadata
from smarteros.store.migrations.own_rows import APP_ROLE, keep_to_own_rows

revision = "0013"
down_revision = "0012"

# Rows leave when they are delivered; like the queue's table this one is emptied all the time.
_OUTBOX = """
ALTER TABLE smos.outbox
  ADD COLUMN IF NOT EXISTS enqueued_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN IF NOT EXISTS refused_reason text,
  DROP COLUMN IF EXISTS published_at,
  SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)
"""
_CHAINS_SO_FAR = """
INSERT INTO smos.audit_chains (tenant_id, position, hash)
SELECT DISTINCT ON (tenant_id) tenant_id, position, hash FROM smos.audit_events ORDER BY tenant_id, position DESC
"""
# The end of a chain is what the chain's row says: the events before it may have been pruned. The lock comes first and
# the look in a statement of its own: it sees what the last writer wrote.
_LOCK = """
CREATE OR REPLACE FUNCTION smos.lock_audit_chain(p_tenant_id text)
RETURNS TABLE (chain_position bigint, chain_hash text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('audit:' || p_tenant_id, 0));
  RETURN QUERY SELECT c.position, c.hash FROM smos.audit_chains c WHERE c.tenant_id = p_tenant_id;
END $$
"""
# Runs as the owner: the application may add an event, and only one that follows the end.
_ADVANCE = """
CREATE FUNCTION smos.advance_audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  UPDATE smos.audit_chains SET position = NEW.position, hash = NEW.hash
   WHERE tenant_id = NEW.tenant_id AND position = NEW.position - 1 AND hash = NEW.previous_hash;
  IF NOT FOUND THEN
    IF NEW.position <> 1 OR NEW.previous_hash <> repeat('0', 64)
       OR EXISTS (SELECT FROM smos.audit_chains WHERE tenant_id = NEW.tenant_id) THEN
      RAISE EXCEPTION 'audit event % of % does not follow the end of its chain', NEW.position, NEW.tenant_id
        USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO smos.audit_chains (tenant_id, position, hash) VALUES (NEW.tenant_id, 1, NEW.hash);
  END IF;
  RETURN NULL;
END $$
"""
# Holds for the owner too. A row may go once the chain begins behind it (pruning), or with all of a tenant.
_REFUSE = """
CREATE FUNCTION smos.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF current_setting('smos.erased_tenant', true) = OLD.tenant_id THEN
      RETURN OLD;
    END IF;
    IF TG_TABLE_NAME = 'audit_events' AND EXISTS (
      SELECT FROM smos.audit_chains c WHERE c.tenant_id = OLD.tenant_id AND c.start_position >= OLD.position) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$
"""
_TRIGGERS = (
    "CREATE TRIGGER advance AFTER INSERT ON smos.audit_events FOR EACH ROW EXECUTE FUNCTION smos.advance_audit_chain()",
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON smos.audit_events"
    " FOR EACH ROW EXECUTE FUNCTION smos.refuse_audit_change()",
    "CREATE TRIGGER append_only_all BEFORE TRUNCATE ON smos.audit_events EXECUTE FUNCTION smos.refuse_audit_change()",
    "CREATE TRIGGER stays BEFORE DELETE ON smos.audit_chains FOR EACH ROW EXECUTE FUNCTION smos.refuse_audit_change()",
    "CREATE TRIGGER stays_all BEFORE TRUNCATE ON smos.audit_chains EXECUTE FUNCTION smos.refuse_audit_change()",
)


def upgrade() -> None:
    """Create the chains' ends, make the audit append-only for everybody, and let the outbox be emptied."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    for table in TENANT_TABLES:
        keep_to_own_rows(table.name, "SELECT")
    # The owner's commands and workers check, seal, prune and publish the chains of all tenants.
    for table in ("audit_chains", "audit_events", "outbox"):
        op.execute(f"CREATE POLICY all_rows ON smos.{table} TO CURRENT_ROLE USING (true) WITH CHECK (true)")
    for statement in (_OUTBOX, _CHAINS_SO_FAR, _LOCK, _ADVANCE, _REFUSE, *_TRIGGERS):
        op.execute(statement)
    # What waits for the bus is taken away by the owner's relay only.
    op.execute(f"REVOKE UPDATE, DELETE ON smos.outbox FROM {APP_ROLE}")
