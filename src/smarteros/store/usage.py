"""How much a tenant has used in a month: what its limits are held against, and what it is billed by."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.domain.model import Model
from smarteros.store.statements import run


class CountedTurn(Model):
    """How a turn counts in its month (``2026-11``, of Chile's calendar): as one of either kind."""

    month: str
    turns: int = 0
    refused: int = 0


class Standing(Model):
    """Turns of one conversation in a month: those the bot worked in, and those a limit gave to a person."""

    turns: int = 0
    refused: int = 0


class MonthOfConversations(Model):
    """A tenant's month: conversations the bot answered in and its turns in them; what a limit gave to people."""

    conversations: int = 0
    turns: int = 0
    refused_conversations: int = 0
    refused_turns: int = 0


_STANDING = """
SELECT turns, refused FROM smos.conversation_months
 WHERE tenant_id = %(tenant_id)s AND month = %(month)s AND conversation_id = %(conversation_id)s
"""
_ANSWERED = """
SELECT count(*) AS conversations FROM (
  SELECT FROM smos.conversation_months
   WHERE tenant_id = %(tenant_id)s AND month = %(month)s AND turns > 0 LIMIT %(most)s) AS answered
"""
_MONTH = """
SELECT count(*) FILTER (WHERE turns > 0) AS conversations, coalesce(sum(turns), 0)::bigint AS turns,
       count(*) FILTER (WHERE refused > 0) AS refused_conversations, coalesce(sum(refused), 0)::bigint AS refused_turns
  FROM smos.conversation_months WHERE tenant_id = %(tenant_id)s AND month = %(month)s
"""
# Part of the statement that remembers the conversation (``store.turns``): a turn is counted without one of its own.
COUNT_TURN = """
counted AS (
  INSERT INTO smos.conversation_months AS known (tenant_id, month, conversation_id, turns, refused)
  VALUES (%(tenant_id)s, %(month)s, %(conversation_id)s, %(turns)s, %(refused)s)
  ON CONFLICT (tenant_id, month, conversation_id)
  DO UPDATE SET turns = known.turns + excluded.turns, refused = known.refused + excluded.refused)
"""


def standing(connection: sa.Connection, tenant_id: str, conversation_id: int, month: str) -> Standing:
    """Return where a conversation stands before its next turn."""
    values = {"tenant_id": tenant_id, "conversation_id": conversation_id, "month": month}
    row = run(connection, _STANDING, values).fetchone()
    return Standing() if row is None else Standing(turns=row.turns, refused=row.refused)


def conversations_answered(connection: sa.Connection, tenant_id: str, month: str, most: int) -> int:
    """Count the conversations of a month in which the bot has answered, not beyond ``most``; reads every one."""
    row = run(connection, _ANSWERED, {"tenant_id": tenant_id, "month": month, "most": most}).fetchone()
    return 0 if row is None else int(row.conversations)


def month_of_conversations(connection: sa.Connection, tenant_id: str, month: str) -> MonthOfConversations:
    """Count a month."""
    row = run(connection, _MONTH, {"tenant_id": tenant_id, "month": month}).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return MonthOfConversations.model_validate(row._asdict())
