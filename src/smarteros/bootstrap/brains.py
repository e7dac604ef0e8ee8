"""Which agent decides for a tenant: the native one, or a language model over it."""

from __future__ import annotations

from smarteros.agents.llm.agent import LlmAgent
from smarteros.agents.llm.protocol import LanguageModel, LlmLedger
from smarteros.agents.llm.recorded import RecordedLlmAgent
from smarteros.agents.native import NativeAgent
from smarteros.agents.tenant_agents import TenantAgents
from smarteros.contracts.loader import ContractSet
from smarteros.domain.decisions import Intent
from smarteros.domain.llm import LlmSettings
from smarteros.secrets.protocol import SecretStore
from smarteros.settings import Settings
from smarteros.tenants.directory import TenantDirectory


def tenant_agents(
    native: NativeAgent,
    model: LanguageModel,
    ledger: LlmLedger,
    tenants: TenantDirectory,
    secrets: SecretStore,
    contracts: ContractSet,
    settings: Settings,
) -> TenantAgents:
    """Return the agent of every tenant: the native one, improved by a language model where the tenant has one."""

    def model_of(tenant_id: str) -> LlmSettings | None:
        tenant = tenants.find(tenant_id)
        return tenant.llm if tenant is not None else None

    places = max(1, settings.worker_threads // 2)  # turns that wait for a model never hold all threads
    with_model = LlmAgent(native, model_of, model, ledger, secrets, contracts, most_at_once=places)
    return TenantAgents(native, with_model, recorded=RecordedLlmAgent(native, ledger, contracts))


def contract_examples(contracts: ContractSet) -> dict[Intent, tuple[str, ...]]:
    """Gather the example messages of all contracts."""
    gathered: dict[Intent, tuple[str, ...]] = {}
    for contract in contracts.by_id.values():
        for intent, texts in contract.agent.examples.items():
            gathered[intent] = (*gathered.get(intent, ()), *texts)
    return gathered
