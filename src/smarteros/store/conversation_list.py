"""Lists for people who watch conversations: page by page from the newest, whatever their number.

A page begins behind the last row of the one before it (its age and id), so that the thousandth page costs what the
first one does and nothing is shown twice while conversations move up.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from smarteros.domain.messages import IncomingMessage
from smarteros.domain.model import Model
from smarteros.domain.turns import Outcome, StepTiming
from smarteros.store.statements import run

ConversationStanding = Literal[
    "bot",      # the bot leads
    "waiting",  # a message waits for its answer
    "human",    # a person leads
]  # fmt: skip


class LastTurn(Model):
    """What the list tells of a conversation's last turn."""

    turn_id: str
    flow_id: str
    outcome: Outcome
    intent: str | None
    reply_text: str | None
    steps: tuple[StepTiming, ...]


class ListedConversation(Model):
    """One row of the list. ``last_words`` are the customer's; ``last`` is None before the first turn has ended."""

    tenant_id: str
    conversation_id: int
    at: datetime
    state: ConversationStanding
    muted_reason: str | None = None
    last_words: str = ""
    last: LastTurn | None = None


class ListPosition(Model):
    """The last row of a page: the next one begins behind it."""

    at: datetime
    conversation_id: int


class Said(Model):
    """One thing that was said: the customer's ``message``, or a reply of the bot's."""

    at: datetime
    by: Literal["customer", "bot"]
    text: str
    turn_id: str | None
    photos: int = 0
    failed_reason: str | None = None
    posted: bool = True


class Today(Model):
    """A tenant's turns since an instant."""

    turns: int = 0
    answered: int = 0
    escalated: int = 0
    failed: int = 0
    conversations: int = 0
    median_ms: float | None = None


_STATES = {
    None: "",
    "bot": " AND c.muted_reason IS NULL AND NOT {waits}",
    "human": " AND c.muted_reason IS NOT NULL AND NOT {waits}",
    "waiting": " AND {waits}",
}
_WAITS = (
    "EXISTS (SELECT FROM smos.waiting_turns w"
    " WHERE w.tenant_id = c.tenant_id AND w.conversation_id = c.conversation_id)"
)
_PAGE = """
WITH page AS (
  SELECT c.conversation_id, c.updated_at, c.muted_reason, c.history ->> -1 AS last_words, {waits} AS waits
    FROM smos.conversations c
   WHERE c.tenant_id = %(tenant_id)s{state}{search}{after}
   ORDER BY c.updated_at DESC, c.conversation_id DESC LIMIT %(limit)s
)
SELECT page.*, t.turn_id, t.flow_id, t.outcome, t.record -> 'steps' AS steps,
       t.record #>> '{{decision,intent}}' AS intent, left(t.record ->> 'reply_text', 200) AS reply_text
  FROM page LEFT JOIN LATERAL (
    SELECT * FROM smos.turns t WHERE t.tenant_id = %(tenant_id)s AND t.conversation_id = page.conversation_id
     ORDER BY t.message_id DESC LIMIT 1) t ON true
 ORDER BY page.updated_at DESC, page.conversation_id DESC
"""
_SEARCH = " AND (c.history::text ILIKE %(like)s OR c.conversation_id::text = %(search)s)"
_AFTER = " AND (c.updated_at, c.conversation_id) < (%(at)s, %(conversation_id)s)"
# A first message waits without there being anything remembered of its conversation.
_NEW = """
SELECT w.conversation_id, min(w.enqueued_at) AS at,
       (SELECT e.message ->> 'text' FROM smos.received_events e
         WHERE e.tenant_id = %(tenant_id)s AND e.conversation_id = w.conversation_id AND e.message IS NOT NULL
         ORDER BY e.message_id DESC LIMIT 1) AS last_words
  FROM smos.waiting_turns w
 WHERE w.tenant_id = %(tenant_id)s AND NOT EXISTS (
   SELECT FROM smos.conversations c WHERE c.tenant_id = w.tenant_id AND c.conversation_id = w.conversation_id)
 GROUP BY w.conversation_id ORDER BY at DESC LIMIT %(limit)s
"""


def list_conversations(
    connection: sa.Connection,
    tenant_id: str,
    *,
    state: ConversationStanding | None = None,
    search: str = "",
    after: ListPosition | None = None,
    limit: int = 50,
) -> list[ListedConversation]:
    """Return a tenant's conversations, those that changed last first.

    ``search`` looks in the customer's last messages, and for a conversation's number.
    """
    statement = _PAGE.format(
        waits=_WAITS,
        state=_STATES[state].format(waits=_WAITS),
        search=_SEARCH if search else "",
        after=_AFTER if after else "",
    )
    values: dict[str, Any] = {"tenant_id": tenant_id, "limit": limit, "search": search, "like": _like(search)}
    if after is not None:
        values |= after.model_dump()
    rows = [_listed(tenant_id, row) for row in run(connection, statement, values)]
    if after is None and not search and state in (None, "waiting"):
        rows += [_new(tenant_id, row) for row in run(connection, _NEW, values)]
    return sorted(rows, key=lambda row: (row.at, row.conversation_id), reverse=True)[:limit]


_CHANGE = """
SELECT concat_ws('/',
  (SELECT max(updated_at) FROM smos.conversations WHERE tenant_id = %(tenant_id)s),
  (SELECT string_agg(coalesce(led_at::text, '-'), ',')
     FROM (SELECT led_at FROM smos.conversations WHERE tenant_id = %(tenant_id)s
            ORDER BY updated_at DESC, conversation_id DESC LIMIT 50) AS first_page),
  (SELECT concat(count(*), ':', max(turn_id)) FROM smos.waiting_turns WHERE tenant_id = %(tenant_id)s)) AS state
"""


def state_of_list(connection: sa.Connection, tenant_id: str) -> str:
    """Return a word that is another one when the tenant's list has changed."""
    row = run(connection, _CHANGE, {"tenant_id": tenant_id}).fetchone()
    return "" if row is None else row.state


_SAID = """
SELECT * FROM (
  SELECT e.received_at AS at, 'customer' AS by, e.message, e.turn_id,
         NULL AS text, NULL AS failed_reason, true AS posted
    FROM smos.received_events e
   WHERE e.tenant_id = %(tenant_id)s AND e.conversation_id = %(conversation_id)s AND e.message IS NOT NULL
  UNION ALL
  SELECT coalesce(r.posted_at, r.intended_at), 'bot', NULL, r.turn_id, r.text, r.failed_reason, r.posted_at IS NOT NULL
    FROM smos.replies r WHERE r.tenant_id = %(tenant_id)s AND r.conversation_id = %(conversation_id)s
) AS said ORDER BY at DESC LIMIT %(limit)s
"""


def list_said(connection: sa.Connection, tenant_id: str, conversation_id: int, limit: int = 200) -> list[Said]:
    """Return the last of what customer and bot said, oldest first. What people wrote is in the channel only."""
    values = {"tenant_id": tenant_id, "conversation_id": conversation_id, "limit": limit}
    return [_said(row) for row in run(connection, _SAID, values)][::-1]


_ACCOUNT = """
SELECT (message ->> 'account_id')::bigint AS account_id FROM smos.received_events
 WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s AND message IS NOT NULL
 ORDER BY message_id DESC LIMIT 1
"""


def account_of(connection: sa.Connection, tenant_id: str, conversation_id: int) -> int | None:
    """Return the channel's account of a conversation; None when no message of it was received."""
    row = run(connection, _ACCOUNT, {"tenant_id": tenant_id, "conversation_id": conversation_id}).fetchone()
    return None if row is None else row.account_id


_TRIED = "SELECT 1 FROM smos.replies WHERE turn_id = %(turn_id)s"


def reply_was_tried(connection: sa.Connection, turn_id: str) -> bool:
    """Tell whether a reply of the turn was about to be posted: it may be in the channel."""
    return run(connection, _TRIED, {"turn_id": turn_id}).fetchone() is not None


_TODAY = """
SELECT count(*) AS turns, count(*) FILTER (WHERE outcome = 'answered') AS answered,
       count(*) FILTER (WHERE outcome = 'escalated') AS escalated, count(*) FILTER (WHERE outcome = 'failed') AS failed,
       count(DISTINCT conversation_id) AS conversations,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - received_at) * 1000)
         FILTER (WHERE outcome = 'answered') AS median_ms
  FROM smos.turns WHERE tenant_id = %(tenant_id)s AND finished_at >= %(since)s AND outcome NOT IN ('merged', 'muted')
"""


def count_turns(connection: sa.Connection, tenant_id: str, since: datetime) -> Today:
    """Count a tenant's turns since an instant; those that rightly said nothing are left out."""
    row = run(connection, _TODAY, {"tenant_id": tenant_id, "since": since}).fetchone()
    return Today() if row is None else Today.model_validate(row._asdict())


def _listed(tenant_id: str, row: Any) -> ListedConversation:
    state = "waiting" if row.waits else "bot" if row.muted_reason is None else "human"
    own = {name: getattr(row, name) for name in LastTurn.model_fields} if row.turn_id is not None else None
    return ListedConversation(
        tenant_id=tenant_id,
        conversation_id=row.conversation_id,
        at=row.updated_at,
        state=state,
        muted_reason=row.muted_reason,
        last_words=row.last_words or "",
        last=None if own is None else LastTurn.model_validate(own),
    )


def _new(tenant_id: str, row: Any) -> ListedConversation:
    return ListedConversation(
        tenant_id=tenant_id,
        conversation_id=row.conversation_id,
        at=row.at,
        state="waiting",
        last_words=row.last_words or "",
    )


def _said(row: Any) -> Said:
    values: dict[str, Any] = {name: getattr(row, name) for name in ("at", "by", "turn_id", "failed_reason", "posted")}
    if row.message is None:
        return Said(text=row.text, **values)
    message = IncomingMessage.model_validate(row.message)
    return Said(text=message.text, photos=len(message.attachments), **values)


def _like(search: str) -> str:
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
