"""Playing recorded turns again: models answer what they answered, nothing is asked, counted or written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from smarteros.agents.llm.agent import flow_of, request_hash
from smarteros.agents.llm.protocol import LlmLedger
from smarteros.agents.llm.tasks import DiscardedError, task_for
from smarteros.agents.protocol import Agent
from smarteros.contracts.loader import ContractSet
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.errors import PermanentError
from smarteros.domain.llm import LlmProvider
from smarteros.domain.tenants import TenantScope


@dataclass(frozen=True)
class RecordedLlmAgent:
    """Agent that decides a message as it was decided, whatever brain the tenant has today.

    A message without a recorded call is decided by the embedded brain; so is one whose call failed then.
    """

    native: Agent
    ledger: LlmLedger
    contracts: ContractSet

    def decide(self, request: AgentRequest) -> Decision:
        """Decide one turn again. PermanentError ``llm_not_recorded`` when the model would be asked something else."""
        decision = self.native.decide(request)
        scope = TenantScope(tenant_id=request.tenant_id)
        recorded = self.ledger.calls(scope, request.conversation_id, request.message.id)
        calls = [call for call in recorded if call.provider in get_args(LlmProvider)]
        if not calls:
            return decision
        contract = flow_of(self.contracts, request, decision)
        doubtful = decision.confidence < contract.agent.thresholds.of(decision.intent)
        task = None if doubtful else task_for(request, decision, contract)
        if task is None:
            return decision
        asked = request_hash(task.question)
        call = next((call for call in calls if call.request_hash == asked), None)
        if call is None:
            raise PermanentError(
                "llm_not_recorded", "The model would be asked something else now; what it would say is not known."
            )
        if call.output is None:
            return decision
        try:
            return task.applied(decision, call.output)
        except DiscardedError:
            return decision
