"""Agent with a language model: the embedded brain decides, the model words or fills in, and code has the last word.

Whatever goes wrong with the model costs nothing but its help: the embedded brain's decision is there before it is
asked.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from smarteros.agents.llm.metrics import CALLS, COST, SECONDS, TOKENS, model_label
from smarteros.agents.llm.prices import cost_micro_usd, price_of
from smarteros.agents.llm.protocol import (
    Answered,
    LanguageModel,
    LlmCall,
    LlmFault,
    LlmLedger,
    Question,
    Reservation,
)
from smarteros.agents.llm.tasks import DiscardedError, Task, task_for
from smarteros.agents.outside import MOST_AT_ONCE, NotAskedError, a_place
from smarteros.agents.protocol import Agent
from smarteros.contracts.loader import ContractSet
from smarteros.contracts.models import Contract
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.errors import ConfigError
from smarteros.domain.llm import MICRO_USD_PER_USD, LlmSettings
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock, SystemClock, month_in_chile
from smarteros.observability.tracing import traced
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.breaker import CircuitBreaker

_log = structlog.get_logger()

KEY_PATH = "llm/api_key"
# What a model or a bot may take of the time a flow promises to answer in: the rest is for looking up and posting.
_SHARE_WITHOUT_TOOLS = 0.7
_SHARE_WITH_TOOLS = 0.4
# Tokens a provider adds to a request of its own accord (its words around schemas and tools), generously.
_OVERHEAD_TOKENS = 1000
# Faults of the model's side: after some of them in a row it is left alone for a while.
_BREAKING = frozenset({"timeout", "unavailable", "rate_limited", "rejected"})
_NOT_CHARGED = frozenset({"rate_limited", "rejected", "misconfigured"})


@dataclass
class LlmAgent:
    """Agent over another agent whose decisions it improves where a tenant has a language model.

    ``settings_of`` tells a tenant's model, None for tenants without. A tenant's key is its secret ``llm/api_key``.
    ``places`` are those of threads that may wait for somebody outside at once, whoever waits.
    """

    native: Agent
    settings_of: Callable[[str], LlmSettings | None]
    model: LanguageModel
    ledger: LlmLedger
    secrets: SecretStore
    contracts: ContractSet
    clock: Clock = field(default_factory=SystemClock)
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(MOST_AT_ONCE))

    def decide(self, request: AgentRequest) -> Decision:
        """Decide one turn; see ``Agent.decide``."""
        decision = self.native.decide(request)
        settings = self.settings_of(request.tenant_id)
        if settings is None:
            return decision
        contract = flow_of(self.contracts, request, decision)
        if decision.confidence < contract.agent.thresholds.of(decision.intent):
            return decision  # the flow will ask instead of answering
        task = task_for(request, decision, contract)
        if task is None:
            return decision
        outcome, improved = self._improved(request, settings, contract, task, decision)
        CALLS.labels(request.tenant_id, model_label(settings.model), outcome).inc()
        return improved

    def _improved(
        self, request: AgentRequest, settings: LlmSettings, contract: Contract, task: Task, decision: Decision
    ) -> tuple[str, Decision]:
        try:
            output = self._output(request, settings, contract, task.question)
            return "used", task.applied(decision, output)
        except DiscardedError as discarded:
            _log.warning(
                "llm_discarded", tenant=request.tenant_id, reason=discarded.reason, details=list(discarded.details)
            )
            return f"discarded_{discarded.reason}", decision
        except NotAskedError as reason:
            return str(reason), decision
        except LlmFault as fault:
            _log.warning("llm_fault", tenant=request.tenant_id, kind=fault.kind)
            return fault.kind, decision

    def _output(
        self, request: AgentRequest, settings: LlmSettings, contract: Contract, question: Question
    ) -> dict[str, object]:
        """Return what the model said to this very question of this message, asking it only if it was not asked yet."""
        scope = TenantScope(tenant_id=request.tenant_id)
        asked = request_hash(question)
        for call in self.ledger.calls(scope, request.conversation_id, request.message.id):
            if call.request_hash == asked and call.output is not None:
                return call.output
        with a_place(self.places, self.breaker, _service(request.tenant_id, settings)):
            reservation = self._reserve(scope, settings, question)
            limit_s = time_limit_s(settings.timeout_ms, contract)
            return self._ask(request, settings, question, asked, reservation, limit_s)

    def _reserve(self, scope: TenantScope, settings: LlmSettings, question: Question) -> Reservation:
        price = price_of(settings)
        if price is None and settings.limit.micro_usd is not None:
            raise NotAskedError("price_unknown")
        most_input = most_tokens(question)
        reservation = Reservation(
            month=month_in_chile(self.clock.now()),
            micro_usd=cost_micro_usd(price, most_input, settings.max_output_tokens),
            tokens=most_input + settings.max_output_tokens,
        )
        if not self.ledger.reserve(scope, reservation, settings.limit):
            raise NotAskedError("over_budget")
        return reservation

    def _ask(
        self,
        request: AgentRequest,
        settings: LlmSettings,
        question: Question,
        asked: str,
        reservation: Reservation,
        limit_s: float,
    ) -> dict[str, object]:
        scope = TenantScope(tenant_id=request.tenant_id)
        started, called_at = time.perf_counter(), self.clock.now()
        came = self._asked(scope, settings, question, limit_s)
        seconds = time.perf_counter() - started
        usage = _charged(settings, came, reservation)
        call = LlmCall(
            conversation_id=request.conversation_id,
            message_id=request.message.id,
            request_hash=asked,
            provider=settings.provider,
            model=settings.model,
            outcome="answered" if isinstance(came, Answered) else came.kind,
            output=came.output if isinstance(came, Answered) else None,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            micro_usd=cost_micro_usd(price_of(settings), usage.input_tokens, usage.output_tokens),
            estimated=usage.estimated,
            duration_ms=round(seconds * 1000, 1),
            called_at=called_at,
        )
        self.ledger.settle(scope, reservation, call)
        _count(request.tenant_id, call, seconds)
        if isinstance(came, LlmFault):
            raise came
        return came.output

    def _asked(
        self, scope: TenantScope, settings: LlmSettings, question: Question, limit_s: float
    ) -> Answered | LlmFault:
        service = _service(scope.tenant_id, settings)
        try:
            with traced("llm", scope.tenant_id):
                came: Answered | LlmFault = self.model.ask(
                    settings, self.secrets.find(scope, KEY_PATH), question, limit_s
                )
        except LlmFault as fault:
            came = fault
        except ConfigError as error:
            _log.error("llm_misconfigured", tenant=scope.tenant_id, code=error.code, detail=error.operator_message)
            came = LlmFault("misconfigured", error.code)
        if isinstance(came, LlmFault) and came.kind in _BREAKING:
            self.breaker.failed(service)
        else:
            self.breaker.succeeded(service)
        return came


def _service(tenant_id: str, settings: LlmSettings) -> tuple[str, str]:
    return tenant_id, f"{settings.provider}:{settings.model}"


def request_hash(question: Question) -> str:
    """Return the SHA-256 of everything that is sent, apart from which model it is sent to."""
    schema = json.dumps(question.output.model_json_schema(), sort_keys=True)
    sent = json.dumps([question.instructions, question.prompt, schema], ensure_ascii=False)
    return hashlib.sha256(sent.encode()).hexdigest()


def most_tokens(question: Question) -> int:
    """Return more tokens than a question can have: no tokenizer in use makes two of one byte."""
    schema = json.dumps(question.output.model_json_schema())
    return len((question.instructions + question.prompt + schema).encode()) + _OVERHEAD_TOKENS


@dataclass(frozen=True)
class _Usage:
    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False


def _charged(settings: LlmSettings, came: Answered | LlmFault, reservation: Reservation) -> _Usage:
    """Count what the provider told; where it told nothing but may charge, all that was set aside."""
    told = came.input_tokens + came.output_tokens > 0
    if told or isinstance(came, Answered) or came.kind in _NOT_CHARGED:
        return _Usage(came.input_tokens, came.output_tokens)
    return _Usage(reservation.tokens - settings.max_output_tokens, settings.max_output_tokens, estimated=True)


def _count(tenant_id: str, call: LlmCall, seconds: float) -> None:
    model = model_label(call.model)
    TOKENS.labels(tenant_id, model, "input").inc(call.input_tokens)
    TOKENS.labels(tenant_id, model, "output").inc(call.output_tokens)
    COST.labels(tenant_id, model).inc(call.micro_usd / MICRO_USD_PER_USD)
    SECONDS.labels(tenant_id, model).observe(seconds)


def flow_of(contracts: ContractSet, request: AgentRequest, decision: Decision) -> Contract:
    """Return the flow that will answer, as the step ``decide`` finds it."""
    photo = request.message.type == "image_with_text"
    contract = contracts.flow_for_attachment("image") if photo else None
    contract = contract or contracts.flow_for_intent(decision.intent)
    if any(rule.route == decision.route for rule in contract.reply):
        return contract
    return contracts.flow_for_route(decision.route)


def time_limit_s(timeout_ms: int, contract: Contract) -> float:
    """Return the seconds that somebody outside may take of the time a flow promises to answer in."""
    share = _SHARE_WITH_TOOLS if contract.tools else _SHARE_WITHOUT_TOOLS
    return min(timeout_ms, contract.slo.latency_p95_ms * share) / 1000
