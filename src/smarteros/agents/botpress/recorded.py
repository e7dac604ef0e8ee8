"""Playing recorded turns again: bots answer what they answered, nobody is asked and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from smarteros.agents.botpress.contract import asked_of, call_of, judged
from smarteros.agents.botpress.protocol import PROVIDER
from smarteros.agents.llm.protocol import LlmLedger
from smarteros.agents.protocol import Agent
from smarteros.contracts.loader import ContractSet
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.errors import PermanentError
from smarteros.domain.tenants import TenantScope


@dataclass(frozen=True)
class RecordedBotpressAgent:
    """Agent that decides a message as it was decided, whatever brain the tenant has today.

    A message no bot was asked about is decided by ``native``; so is one whose bot gave no usable answer then.
    """

    native: Agent
    ledger: LlmLedger
    contracts: ContractSet

    def decide(self, request: AgentRequest) -> Decision:
        """Decide one turn again. PermanentError ``bot_not_recorded`` when the bot would be asked something else."""
        decision = self.native.decide(request)
        scope = TenantScope(tenant_id=request.tenant_id)
        calls = self.ledger.calls(scope, request.conversation_id, request.message.id)
        asked = asked_of(request, decision, self.contracts)
        if asked is None or not any(call.provider == PROVIDER for call in calls):
            return decision
        call = call_of(calls, asked)
        if call is None:
            raise PermanentError(
                "bot_not_recorded", "The bot would be asked something else now; what it would say is not known."
            )
        return decision if call.output is None else judged(asked, decision, call.output).decision
