"""A queue that was empty when PostgreSQL last counted it is planned for as a long one.

A queue's length changes faster than its statistics. Planned for no rows at all, accepting a message looked at every
waiting turn of its tenant (the scan of row-level security's own condition, which costs the same then), and a burst of a
thousand webhooks waited seconds for it. So the update names the conversation itself, and no plan may read the whole
table.
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"

# As in v0004, except that the conversation's other turns are locked first (in one order, as everywhere) and then
# changed by the same two columns.
_ENQUEUE = """
CREATE OR REPLACE FUNCTION smos.enqueue_turn(
  p_turn_id text, p_tenant_id text, p_conversation_id bigint, p_lane text, p_start jsonb,
  p_due_within interval, p_share interval
) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  INSERT INTO smos.waiting_turns (turn_id, tenant_id, conversation_id, lane, start, due_at)
  SELECT p_turn_id, p_tenant_id, p_conversation_id, p_lane, p_start, greatest(
    clock_timestamp() + p_due_within,
    (SELECT max(w.due_at) + p_share FROM smos.waiting_turns w
      WHERE w.tenant_id = p_tenant_id AND w.lane = p_lane AND w.worker IS NULL)
  )
  ON CONFLICT DO NOTHING;
  PERFORM FROM smos.waiting_turns e
    WHERE e.tenant_id = p_tenant_id AND e.conversation_id = p_conversation_id AND e.turn_id <> p_turn_id
    ORDER BY e.turn_id FOR UPDATE;
  IF FOUND THEN
    UPDATE smos.waiting_turns SET news = news + 1, not_before = least(not_before, clock_timestamp())
     WHERE tenant_id = p_tenant_id AND conversation_id = p_conversation_id AND turn_id <> p_turn_id;
  END IF;
  PERFORM pg_notify('smos_turns', '');
END $$
"""


def upgrade() -> None:
    """Replace the function; ``claim_turns`` keeps its words."""
    op.execute(_ENQUEUE)
    op.execute("ALTER FUNCTION smos.claim_turns SET enable_seqscan = off")
