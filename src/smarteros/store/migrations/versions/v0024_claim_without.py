"""A worker claims turns without those of tenants that have their share of it (``flow.shares``)."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"

# As in v0004, but for the tenants that are left out.
_CLAIM = """
CREATE FUNCTION smos.claim_turns(p_worker text, p_most integer, p_most_slow integer, p_without text[])
RETURNS SETOF smos.waiting_turns LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(772302);
  RETURN QUERY
  WITH quick AS (
    SELECT w.turn_id, w.due_at FROM smos.waiting_turns w
     WHERE w.worker IS NULL AND w.lane = 'quick' AND w.not_before <= clock_timestamp()
       AND w.tenant_id <> ALL (p_without) AND NOT EXISTS (
       SELECT FROM smos.waiting_turns e
        WHERE e.tenant_id = w.tenant_id AND e.conversation_id = w.conversation_id AND e.turn_id <> w.turn_id
          AND (e.worker IS NOT NULL OR e.turn_id < w.turn_id))
     ORDER BY w.due_at LIMIT p_most FOR UPDATE SKIP LOCKED
  ), slow AS (
    SELECT w.turn_id, w.due_at FROM smos.waiting_turns w
     WHERE w.worker IS NULL AND w.lane = 'slow' AND w.not_before <= clock_timestamp()
       AND w.tenant_id <> ALL (p_without) AND NOT EXISTS (
       SELECT FROM smos.waiting_turns e
        WHERE e.tenant_id = w.tenant_id AND e.conversation_id = w.conversation_id AND e.turn_id <> w.turn_id
          AND (e.worker IS NOT NULL OR e.turn_id < w.turn_id))
     ORDER BY w.due_at LIMIT least(p_most, p_most_slow) FOR UPDATE SKIP LOCKED
  ), next AS (
    SELECT turn_id FROM (SELECT * FROM quick UNION ALL SELECT * FROM slow) AS both_lanes ORDER BY due_at LIMIT p_most
  )
  UPDATE smos.waiting_turns t SET worker = p_worker, claims = t.claims + 1, tries = t.tries + 1
    FROM next WHERE t.turn_id = next.turn_id
  RETURNING t.*;
END $$
"""

# The name without the list stays, for workers of the version before.
_FOR_OLDER_WORKERS = """
CREATE OR REPLACE FUNCTION smos.claim_turns(p_worker text, p_most integer, p_most_slow integer)
RETURNS SETOF smos.waiting_turns LANGUAGE sql AS $$
  SELECT * FROM smos.claim_turns(p_worker, p_most, p_most_slow, '{}')
$$
"""


def upgrade() -> None:
    """Create the new function; only the owner may call it, as before."""
    op.execute(_CLAIM)
    op.execute("REVOKE EXECUTE ON FUNCTION smos.claim_turns(text, integer, integer, text[]) FROM PUBLIC")
    op.execute(_FOR_OLDER_WORKERS)
