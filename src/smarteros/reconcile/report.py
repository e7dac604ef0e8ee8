"""What one look through a tenant's Chatwoot found."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smarteros.domain.model import Model

Found = Literal[
    "accepted",     # taken as if its webhook had come
    "duplicate",    # its webhook came while we were looking
    "ignored",      # not answered by the usual rules: our own reply, a person's, a private note…
    "apologised",   # too late for an answer: the customer was told, a person has it
    "left",         # too old even for that: a private note, nothing else
    "unreadable",   # not what Chatwoot sends
]  # fmt: skip
Sweep = Literal["done", "incomplete", "busy", "recent", "no_user_token"]


class ReconcileReport(Model):
    """The result of one run for one tenant.

    ``busy``: another process is at it; ``recent``: one has just been; ``incomplete``: the rest comes with the next
    run (``postponed`` conversations were too many, or could not be read).
    """

    tenant_id: str
    outcome: Sweep
    conversations: int = Field(default=0, description="Conversations whose messages were compared")
    waiting: int = Field(default=0, description="Messages so fresh that their webhook may be on its way")
    postponed: int = Field(default=0, description="Conversations left for the next run")
    found: dict[Found, int] = Field(default_factory=dict[Found, int], description="Messages nobody had told us about")
