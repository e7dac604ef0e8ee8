"""What an agent must be able to do."""

from __future__ import annotations

from typing import Protocol

from smarteros.domain.decisions import AgentRequest, Decision


class Agent(Protocol):
    """Understands a message and decides what to do about it."""

    def decide(self, request: AgentRequest) -> Decision:
        """Decide one turn.

        Uses only the knowledge base and catalogue words of ``request.tenant_id``. Never raises for odd input: what
        is not understood is a Decision with intent ``ambiguous`` or ``out_of_scope``. TransientError when a remote
        agent cannot be reached.
        """
        ...
