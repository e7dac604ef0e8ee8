"""Which agent decides for a tenant: the native one, a language model over it, or the shop's own bot."""

from __future__ import annotations

import threading

from smarteros.agents.botpress.agent import BotpressAgent
from smarteros.agents.botpress.protocol import Bots
from smarteros.agents.botpress.recorded import RecordedBotpressAgent
from smarteros.agents.llm.agent import LlmAgent
from smarteros.agents.llm.protocol import LanguageModel, LlmLedger
from smarteros.agents.llm.recorded import RecordedLlmAgent
from smarteros.agents.native import NativeAgent
from smarteros.agents.tenant_agents import TenantAgents
from smarteros.contracts.loader import ContractSet
from smarteros.domain.botpress import BotpressSettings
from smarteros.domain.decisions import Intent
from smarteros.domain.llm import LlmSettings
from smarteros.secrets.protocol import SecretStore
from smarteros.settings import Settings
from smarteros.tenants.directory import TenantDirectory


def tenant_agents(
    native: NativeAgent,
    model: LanguageModel,
    bots: Bots,
    ledger: LlmLedger,
    tenants: TenantDirectory,
    secrets: SecretStore,
    contracts: ContractSet,
    settings: Settings,
) -> TenantAgents:
    """Return the agent of every tenant: its own bot, or the native one, improved by a language model if it has one."""

    def bot_of(tenant_id: str) -> BotpressSettings | None:
        tenant = tenants.find(tenant_id)
        return tenant.botpress if tenant is not None else None

    def model_of(tenant_id: str) -> LlmSettings | None:
        tenant = tenants.find(tenant_id)
        return tenant.llm if tenant is not None and tenant.botpress is None else None

    # Turns that wait for somebody outside never hold all threads.
    places = threading.BoundedSemaphore(max(1, settings.worker_threads // 2))
    with_model = LlmAgent(native, model_of, model, ledger, secrets, contracts, places=places)
    return TenantAgents(
        native,
        with_model,
        BotpressAgent(with_model, bot_of, bots, ledger, secrets, contracts, places=places),
        recorded=RecordedBotpressAgent(RecordedLlmAgent(native, ledger, contracts), ledger, contracts),
    )


def contract_examples(contracts: ContractSet) -> dict[Intent, tuple[str, ...]]:
    """Gather the example messages of all contracts."""
    gathered: dict[Intent, tuple[str, ...]] = {}
    for contract in contracts.by_id.values():
        for intent, texts in contract.agent.examples.items():
            gathered[intent] = (*gathered.get(intent, ()), *texts)
    return gathered
