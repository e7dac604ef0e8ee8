"""A brain over the small shop, with a model that says what a test wants, and everything in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from tests.support import MemorySecrets
from tests.unit.agents.talk import SCOPE, TEXTS

from smarteros.agents.llm.agent import LlmAgent
from smarteros.agents.llm.memory_ledger import MemoryLlmLedger
from smarteros.agents.llm.protocol import LanguageModel, LlmLedger
from smarteros.agents.llm.pydantic_ai_model import PydanticAiModel
from smarteros.agents.native import NativeAgent
from smarteros.contracts.loader import ContractSet, load_contracts
from smarteros.contracts.models import Contract
from smarteros.domain.decisions import AgentContext, AgentMessage, AgentRequest, Decision
from smarteros.domain.llm import LlmSettings
from smarteros.domain.messages import Contact
from smarteros.kit.clock import FixedClock
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
KEY = "llm-key-9f8e7d6c5b4a"
SETTINGS = LlmSettings(provider="openai", model="gpt-4o-mini", monthly_usd_cents=500, timeout_ms=20_000)
CONTRACTS_DIR = Path(__file__).parents[4] / "contracts"
# What a scripted model makes of the prompt it is given: the object the schema asks for, or raw text.
Script = Callable[[dict[str, Any]], dict[str, Any] | str]


@cache
def contracts() -> ContractSet:
    return load_contracts(CONTRACTS_DIR)


def patient(strict: ContractSet) -> ContractSet:
    """The contracts with time for everything: a busy machine is no fault of the brain."""

    def relaxed(contract: Contract) -> Contract:
        return contract.model_copy(update={"slo": contract.slo.model_copy(update={"latency_p95_ms": 100_000})})

    by_id = {flow_id: relaxed(contract) for flow_id, contract in strict.by_id.items()}
    return ContractSet(by_id=by_id, default_flow=by_id[strict.default_flow.flow_id])


def knowledge_with(**more: str) -> EmbeddedKnowledgeBase:
    """The small shop's texts and further ones by name."""
    base = EmbeddedKnowledgeBase(MemoryDocumentStore())
    texts = {**TEXTS, **{f"{name}.md": text for name, text in more.items()}}
    base.replace(SCOPE, tuple(parse_markdown(name, text) for name, text in texts.items()))
    return base


@cache
def small_shop() -> NativeAgent:
    return NativeAgent(knowledge_with())


@dataclass
class ScriptedModel:
    """LanguageModel by pydantic-ai's FunctionModel: a script in place of a provider."""

    script: Script
    prompts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    instructions: list[str] = field(default_factory=list[str])

    def as_model(self) -> PydanticAiModel:
        return PydanticAiModel(lambda _settings, _key: FunctionModel(self._answer))

    def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        prompt = json.loads(str(messages[-1].parts[-1].content))  # pyright: ignore[reportAttributeAccessIssue]
        self.prompts.append(prompt)
        self.instructions.append(info.instructions or "")
        said = self.script(prompt)
        return ModelResponse(parts=[TextPart(said if isinstance(said, str) else json.dumps(said))])


def says(reply: str, *citations: int, answerable: bool = True) -> Script:
    """A model that answers with these words whatever it is asked."""
    return lambda _prompt: {"answerable": answerable, "reply": reply, "citations": list(citations or (1,))}


def first_passage(prompt: dict[str, Any]) -> dict[str, Any]:
    """A well-behaved model: it answers with the first passage."""
    if "passages" not in prompt:
        return {"query": prompt["customer_message"][:40], "color": "", "size": "", "brand": "", "invoice_number": ""}
    return {"answerable": True, "reply": prompt["passages"][0]["text"], "citations": [1]}


@dataclass
class Brain:
    """The agent under test and what stands around it."""

    agent: LlmAgent
    ledger: LlmLedger
    scripted: ScriptedModel

    @property
    def asked(self) -> int:
        return len(self.scripted.prompts)

    def ask(self, text: str, *, message_id: int = 1, tenant_id: str = SCOPE.tenant_id, **context: Any) -> Decision:
        return self.agent.decide(request(text, message_id=message_id, tenant_id=tenant_id, **context))


def request(
    text: str,
    *,
    message_id: int = 1,
    tenant_id: str = SCOPE.tenant_id,
    contact: Contact | None = None,
    message: dict[str, Any] | None = None,
    **context: Any,
) -> AgentRequest:
    return AgentRequest(
        tenant_id=tenant_id,
        channel="whatsapp",
        conversation_id=7,
        contact=contact or Contact(id=3, name="Rosa Fuentes", phone="+56979540471", email="rosa@correo.cl"),
        message=AgentMessage(id=message_id, content=text, **(message or {})),
        context=AgentContext(**context),
    )


def brain(
    script: Script = first_passage,
    *,
    settings: LlmSettings | None = SETTINGS,
    native: NativeAgent | None = None,
    model: LanguageModel | None = None,
    ledger: LlmLedger | None = None,
    key: str | None = KEY,
    in_force: ContractSet | None = None,
    **options: Any,
) -> Brain:
    """Put a brain together; what is not given is scripted and in memory."""
    scripted = ScriptedModel(script)
    ledger = ledger or MemoryLlmLedger()
    secrets = MemorySecrets({} if key is None else {(SCOPE.tenant_id, "llm/api_key"): key})
    agent = LlmAgent(
        native or small_shop(),
        lambda _tenant_id: settings,
        model or scripted.as_model(),
        ledger,
        secrets,
        in_force or patient(contracts()),
        clock=FixedClock(NOW),
        **options,
    )
    return Brain(agent, ledger, scripted)
