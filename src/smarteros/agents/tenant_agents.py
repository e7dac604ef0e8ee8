"""The agent of every tenant: the embedded brain, a language model on top of it, or the tenant's own bot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smarteros.agents.native import NativeAgent
from smarteros.agents.protocol import Agent
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.knowledge import Category


@dataclass(frozen=True)
class TenantAgents:
    """Agent that picks by tenant. ``recorded`` decides recorded turns again without asking anybody.

    ``with_model`` and ``with_bot`` look at the tenant themselves: without a model the embedded brain decides, without a
    bot ``with_model`` does.
    """

    native: NativeAgent
    with_model: Agent
    with_bot: Agent
    recorded: Agent

    @property
    def ready(self) -> bool:
        """Whether the embedded brain has learnt what it needs; nobody outside is waited for."""
        return self.native.ready

    @property
    def usable(self) -> bool:
        """Whether questions are answered, the first perhaps after some seconds."""
        return self.native.usable

    def learn_soon(self) -> None:
        """Begin to learn in the background; see ``NativeAgent.learn_soon``."""
        self.native.learn_soon()

    def prepare_soon(self, tenant_ids: Sequence[str]) -> None:
        """Make tenants' best models in the background; see ``NativeAgent.prepare_soon``."""
        self.native.prepare_soon(tenant_ids)

    def wait_until_ready(self) -> None:
        """Return when the embedded brain has learnt; raises what went wrong."""
        self.native.wait_until_ready()

    def prepare(self, tenant_id: str) -> None:
        """Return when the embedded brain's answers to this tenant are the best it can give."""
        self.native.prepare(tenant_id)

    def category_priors(self, tenant_id: str, text: str) -> dict[Category, float]:
        """Return the probability that a message on its own wants each category of passages."""
        return self.native.category_priors(tenant_id, text)

    def decide(self, request: AgentRequest) -> Decision:
        """Decide one turn; see ``Agent.decide``."""
        return self.with_bot.decide(request)
