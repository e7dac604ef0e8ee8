"""The queue of turns: one row per accepted turn, gone when the turn has ended."""

from __future__ import annotations

from alembic import op

from smarteros.store.migrations.own_rows import keep_to_own_rows

revision = "0004"
down_revision = "0003"

_TABLE = """
CREATE TABLE smos.waiting_turns (
  turn_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  conversation_id bigint NOT NULL,
  lane text NOT NULL,
  start jsonb NOT NULL,
  enqueued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When the reply is due: the order in which turns are taken.
  due_at timestamptz NOT NULL,
  -- Until then the customer is given time to finish, or a broken attempt time to pass.
  not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- What has happened in the conversation since: a turn that is put off sees that it must not be.
  news integer NOT NULL DEFAULT 0,
  worker text,
  claims integer NOT NULL DEFAULT 0,
  tries integer NOT NULL DEFAULT 0,
  draft jsonb
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)
"""
_INDEXES = (
    "CREATE INDEX waiting_turns_by_due ON smos.waiting_turns (lane, due_at) WHERE worker IS NULL",
    "CREATE INDEX waiting_turns_by_tenant ON smos.waiting_turns (tenant_id, lane, due_at) WHERE worker IS NULL",
    "CREATE INDEX waiting_turns_by_conversation ON smos.waiting_turns (tenant_id, conversation_id)",
    "CREATE INDEX waiting_turns_by_worker ON smos.waiting_turns (worker) WHERE worker IS NOT NULL",
)

# A tenant's next turn is due no earlier than ``p_share`` after the one before it that still waits: however many
# messages one shop gets, the turns of the others are due before most of them.
_ENQUEUE = """
CREATE FUNCTION smos.enqueue_turn(
  p_turn_id text, p_tenant_id text, p_conversation_id bigint, p_lane text, p_start jsonb,
  p_due_within interval, p_share interval
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO smos.waiting_turns (turn_id, tenant_id, conversation_id, lane, start, due_at)
  SELECT p_turn_id, p_tenant_id, p_conversation_id, p_lane, p_start, greatest(
    clock_timestamp() + p_due_within,
    (SELECT max(w.due_at) + p_share FROM smos.waiting_turns w
      WHERE w.tenant_id = p_tenant_id AND w.lane = p_lane AND w.worker IS NULL)
  )
  ON CONFLICT DO NOTHING;
  UPDATE smos.waiting_turns SET news = news + 1, not_before = least(not_before, clock_timestamp())
   WHERE turn_id IN (
     SELECT e.turn_id FROM smos.waiting_turns e
      WHERE e.tenant_id = p_tenant_id AND e.conversation_id = p_conversation_id AND e.turn_id <> p_turn_id
      ORDER BY e.turn_id FOR UPDATE);
  PERFORM pg_notify('smos_turns', '');
END $$
"""

# A customer's message, stored once and enqueued, in one statement that is its own transaction: the edge makes one round
# trip for a webhook. The scope is set inside, for the same policies hold.
_ACCEPT = """
CREATE FUNCTION smos.accept_message(
  p_tenant_id text, p_event_key text, p_event text, p_delivery_id text, p_conversation_id bigint, p_message_id bigint,
  p_message jsonb, p_turn_id text, p_lane text, p_start jsonb, p_due_within interval, p_share interval
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('smos.tenant_id', p_tenant_id, true);
  INSERT INTO smos.received_events (tenant_id, event_key, event, delivery_id, conversation_id, message_id, message)
  VALUES (p_tenant_id, p_event_key, p_event, p_delivery_id, p_conversation_id, p_message_id, p_message)
  ON CONFLICT ON CONSTRAINT received_events_once DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM smos.enqueue_turn(p_turn_id, p_tenant_id, p_conversation_id, p_lane, p_start, p_due_within, p_share);
  RETURN true;
END $$
"""

# Claims come one after the other (the lock ends with the statement, even if the claimant freezes), so that of one
# conversation never two turns are taken: only its first, and only while none of it runs. Rows somebody is changing
# are left for the next claim.
_CLAIM = """
CREATE FUNCTION smos.claim_turns(p_worker text, p_most integer, p_most_slow integer)
RETURNS SETOF smos.waiting_turns LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(772302);
  RETURN QUERY
  WITH quick AS (
    SELECT w.turn_id, w.due_at FROM smos.waiting_turns w
     WHERE w.worker IS NULL AND w.lane = 'quick' AND w.not_before <= clock_timestamp() AND NOT EXISTS (
       SELECT FROM smos.waiting_turns e
        WHERE e.tenant_id = w.tenant_id AND e.conversation_id = w.conversation_id AND e.turn_id <> w.turn_id
          AND (e.worker IS NOT NULL OR e.turn_id < w.turn_id))
     ORDER BY w.due_at LIMIT p_most FOR UPDATE SKIP LOCKED
  ), slow AS (
    SELECT w.turn_id, w.due_at FROM smos.waiting_turns w
     WHERE w.worker IS NULL AND w.lane = 'slow' AND w.not_before <= clock_timestamp() AND NOT EXISTS (
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

# The lock comes first and the look at the chain's end in a statement of its own: it sees what the last writer wrote.
_CHAIN = """
CREATE FUNCTION smos.lock_audit_chain(p_tenant_id text) RETURNS TABLE (chain_position bigint, chain_hash text)
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('audit:' || p_tenant_id, 0));
  RETURN QUERY SELECT a.position, a.hash FROM smos.audit_events a
    WHERE a.tenant_id = p_tenant_id ORDER BY a.position DESC LIMIT 1;
END $$
"""


def upgrade() -> None:
    """Create the queue; the tables of the engine before it go, and with them the conversations' fence."""
    op.execute(_TABLE)
    for statement in (*_INDEXES, _ENQUEUE, _ACCEPT, _CLAIM, _CHAIN):
        op.execute(statement)
    keep_to_own_rows("waiting_turns")
    # The owner, who alone may call ``claim_turns``, takes the turns of all tenants.
    op.execute("CREATE POLICY all_rows ON smos.waiting_turns TO CURRENT_ROLE USING (true) WITH CHECK (true)")
    op.execute("REVOKE EXECUTE ON FUNCTION smos.claim_turns FROM PUBLIC")
    op.execute("ALTER TABLE smos.conversations DROP COLUMN IF EXISTS fence, DROP COLUMN IF EXISTS fence_turn")
    op.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
