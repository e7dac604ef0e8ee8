"""A conversation as Chatwoot remembers it, in the order of its message ids."""

from __future__ import annotations

import re
from typing import Literal

from smarteros.domain.model import Model

# What an entry is. The last five are signs of who leads the conversation.
Kind = Literal["customer", "bot", "note", "human", "taken", "handed", "outage", "bot_again", "other"]

_SIGNS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"due to an error with the agent bot"), "outage"),
    (re.compile(r"was marked as pending by"), "bot_again"),
    (re.compile(r"was (?:reopened|marked resolved|snoozed) by"), "taken"),
    (re.compile(r"^Assigned to "), "taken"),
)


class Entry(Model):
    """One message. Times are real seconds since 1970, whatever the account's clock says; None: not known."""

    id: int
    kind: Kind
    text: str = ""
    # Our own marker of a reply, and the customer's messages it says it answers.
    marker: str | None = None
    answers: tuple[int, ...] = ()
    # The scripted turn a customer's message is part of.
    turn: int | None = None
    at: float | None = None
    # When the message had certainly reached us: an upper bound, so that nobody is found guilty of a late webhook.
    arrived: float | None = None


class ScriptedTurn(Model):
    """What the script knows of a turn. ``expects``: any of these texts shows that the whole turn was answered."""

    number: int
    messages: int
    expects: tuple[str, ...] = ()


class Transcript(Model):
    """One conversation, ready to be judged."""

    tenant_id: str
    conversation_id: int
    entries: tuple[Entry, ...]
    turns: tuple[ScriptedTurn, ...] = ()
    # Faults that slow this account's requests down, as (since, seconds): so much later may a reply arrive.
    slowed: tuple[tuple[float, float], ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return it for people, one message a line."""
        first = next((entry.at for entry in self.entries if entry.at is not None), 0.0)
        return tuple(_line(entry, first) for entry in self.entries)


def sign_of(activity: str, bot_name: str) -> Kind:
    """Tell who leads the conversation after an activity line of Chatwoot."""
    for pattern, kind in _SIGNS:
        if pattern.search(activity):
            if kind != "taken":
                return kind
            if f"Assigned to {bot_name}" in activity:
                return "bot_again"
            return "handed" if activity.endswith(f" by {bot_name}") else "taken"
    return "other"


def _line(entry: Entry, first: float) -> str:
    when = "      " if entry.at is None else f"{entry.at - first:6.1f}"
    of_turn = "" if entry.turn is None else f" (turn {entry.turn})"
    answers = f" (to {', '.join(map(str, entry.answers))})" if entry.answers else ""
    return f"{when} {entry.id:>7} {entry.kind:<9} {' '.join(entry.text.split())[:110]}{of_turn}{answers}"
