"""Agent with a shop's own bot: the bot decides, and whatever goes wrong with it costs nothing but its help.

The embedded brain's decision is there before the bot is asked, as with a language model (``agents.llm.agent``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from smarteros.agents.botpress.contract import Asked, Judged, asked_of, call_of, judged
from smarteros.agents.botpress.metrics import CALLS, SECONDS
from smarteros.agents.botpress.protocol import PROVIDER, BotFault, Bots
from smarteros.agents.llm.agent import flow_of, time_limit_s
from smarteros.agents.llm.protocol import LlmCall, LlmLedger
from smarteros.agents.outside import MOST_AT_ONCE, NotAskedError, a_place
from smarteros.agents.protocol import Agent
from smarteros.contracts.loader import ContractSet
from smarteros.domain.botpress import BOT_KEY_PATH, BotpressSettings
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock, SystemClock
from smarteros.observability.tracing import traced
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.breaker import CircuitBreaker

_log = structlog.get_logger()

# Faults of the bot's side: after some of them in a row it is left alone for a while.
_BREAKING = frozenset({"timeout", "unavailable", "rate_limited", "rejected"})


@dataclass
class BotpressAgent:
    """Agent over another agent that decides where a tenant has no bot, and where its bot gives no usable answer.

    ``settings_of`` tells a tenant's bot, None for tenants without. Every question is kept in ``ledger`` with what
    became of it; a question that was answered is not asked again. ``places`` are those of threads that may wait for
    somebody outside at once, whoever waits.
    """

    native: Agent
    settings_of: Callable[[str], BotpressSettings | None]
    bots: Bots
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
        asked = None if settings is None else asked_of(request, decision, self.contracts)
        if settings is None or asked is None:
            return decision
        scope = TenantScope(tenant_id=request.tenant_id)
        known = call_of(self.ledger.calls(scope, request.conversation_id, request.message.id), asked)
        if known is not None and known.output is not None:
            return judged(asked, decision, known.output).decision
        return self._by_the_bot(request, settings, asked, decision)

    def _by_the_bot(
        self, request: AgentRequest, settings: BotpressSettings, asked: Asked, decision: Decision
    ) -> Decision:
        started, called_at = time.perf_counter(), self.clock.now()
        try:
            came = judged(asked, decision, self._output(request, settings, asked, decision))
        except BotFault as fault:
            came = Judged(fault.kind, decision)
        except NotAskedError as reason:
            came = Judged(str(reason), decision)
        seconds = time.perf_counter() - started
        call = LlmCall(
            conversation_id=request.conversation_id,
            message_id=request.message.id,
            request_hash=asked.hash,
            provider=PROVIDER,
            model=settings.name,
            outcome=came.outcome,
            output=came.kept,
            duration_ms=round(seconds * 1000, 1),
            called_at=called_at,
        )
        self.ledger.keep(TenantScope(tenant_id=request.tenant_id), call)
        CALLS.labels(request.tenant_id, settings.dialect, came.outcome).inc()
        SECONDS.labels(request.tenant_id, settings.dialect).observe(seconds)
        if came.outcome != "used":
            _log.warning("bot_fell_back", tenant=request.tenant_id, dialect=settings.dialect, outcome=came.outcome)
        return came.decision

    def _output(
        self, request: AgentRequest, settings: BotpressSettings, asked: Asked, decision: Decision
    ) -> dict[str, Any]:
        """Return what the bot answers, whatever is in it; BotFault or NotAskedError when there is nothing."""
        service = (request.tenant_id, f"{PROVIDER}:{settings.name}")
        with a_place(self.places, self.breaker, service):
            limit_s = time_limit_s(settings.timeout_ms, flow_of(self.contracts, request, decision))
            return self._asked(service, settings, asked, limit_s)

    def _asked(
        self, service: tuple[str, str], settings: BotpressSettings, asked: Asked, limit_s: float
    ) -> dict[str, Any]:
        tenant_id, _ = service
        try:
            with traced(PROVIDER, tenant_id):
                output = self.bots.ask(settings, self._key(tenant_id), asked.question, limit_s)
        except BotFault as fault:
            (self.breaker.failed if fault.kind in _BREAKING else self.breaker.succeeded)(service)
            raise
        self.breaker.succeeded(service)
        return output

    def _key(self, tenant_id: str) -> str | None:
        try:
            return self.secrets.find(TenantScope(tenant_id=tenant_id), BOT_KEY_PATH)
        except SmosError as error:
            raise BotFault("misconfigured", error.code) from error
