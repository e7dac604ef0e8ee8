"""Where something about a customer is kept, as data: what is told, what is erased, and what ages are one list.

A table that is not in it holds nothing of a conversation (``WITHOUT_PERSONAL_DATA`` says why, where a table names one).
"""

from __future__ import annotations

from dataclasses import dataclass

_CONVERSATIONS = "conversation_id = ANY(%(conversations)s)"


@dataclass(frozen=True)
class Holding:
    """One table. ``of_contact`` finds a customer's rows, ``told`` are the columns he is told.

    ``blank`` empties a row that must stay because others depend on its ids, and ``full`` says that it is not empty yet;
    without them the row is removed. ``age`` is the column that tells how old a row is; None: it does not stay.
    """

    table: str
    told: str
    age: str | None
    of_contact: str = _CONVERSATIONS
    blank: str | None = None
    full: str = "true"

    @property
    def select(self) -> str:
        """Read a customer's rows."""
        return f"SELECT {self.told} FROM smos.{self.table} WHERE {self._own}"  # noqa: S608 - names of ours

    @property
    def count(self) -> str:
        """Count a customer's rows."""
        return f"SELECT count(*) AS rows FROM smos.{self.table} WHERE {self._own}"  # noqa: S608

    @property
    def erase(self) -> str:
        """Remove or empty a customer's rows."""
        return f"{self._gone} WHERE {self._own}"

    @property
    def expire(self) -> str:
        """Remove or empty some rows from before an instant."""
        old = f"tenant_id = %(tenant_id)s AND {self.age} < %(before)s AND {self.full}"
        some = f"SELECT ctid FROM smos.{self.table} WHERE {old} LIMIT %(most)s"  # noqa: S608
        return f"{self._gone} WHERE tenant_id = %(tenant_id)s AND ctid = ANY(ARRAY({some}))"

    @property
    def _own(self) -> str:
        return f"tenant_id = %(tenant_id)s AND {self.of_contact} AND {self.full}"

    @property
    def _gone(self) -> str:
        table = f"smos.{self.table}"
        return f"DELETE FROM {table}" if self.blank is None else f"UPDATE {table} SET {self.blank}"  # noqa: S608


# In the order in which they are erased: a turn that waits or runs goes first, so that nothing new comes of it.
HOLDINGS = (
    Holding("waiting_turns", "turn_id, enqueued_at, start, draft", None),
    Holding(
        # That it was received stays: reconcile would take a message it does not know for a lost one, and answer it.
        "received_events",
        "received_at, event, conversation_id, message_id, message",
        "received_at",
        blank="message = NULL, delivery_id = NULL, ignore_reason = 'erased'",
        full="message IS NOT NULL",
    ),
    Holding(
        "turn_inputs",
        "turn_id, recorded_at, inputs",
        "recorded_at",
        of_contact=f"turn_id IN (SELECT turn_id FROM smos.turns WHERE tenant_id = %(tenant_id)s AND {_CONVERSATIONS})",  # noqa: S608
    ),
    Holding("turns", "turn_id, received_at, finished_at, record", "finished_at"),
    Holding("replies", "turn_id, intended_at, posted_at, text", "intended_at"),
    Holding(
        # Who leads the conversation stays.
        "conversations",
        "conversation_id, updated_at, state, history",
        "updated_at",
        blank="state = '{}', history = '[]'",
        full="(state <> '{}' OR history <> '[]')",
    ),
    Holding("llm_calls", "conversation_id, message_id, called_at, call", "called_at"),
    Holding(
        "document_claims",
        "document_key, conversation_id, claimed_at",
        "claimed_at",
        of_contact="customer = ANY(%(contacts)s)",
    ),
)

WITHOUT_PERSONAL_DATA = {
    "audit_events": "the personal part is sealed with the contact's key, which is destroyed",
    "conversation_months": "how many turns a conversation had in a month, which is billed by",
    "conversions": "order number and amount, which the shop's books need",
    "reconciled_conversations": "the id of a message",
}
"""Tables with the id of a conversation that are left as they are, and why."""
