"""``call_tools``: do what the agent asked for, as far as the contract allows it."""

from __future__ import annotations

from typing import Any

from smarteros.contracts.expressions import value_of
from smarteros.contracts.models import ToolSection
from smarteros.domain.decisions import Action
from smarteros.domain.knowledge import Policy
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, ResolvedTurn, ToolsCalled, TurnStart
from smarteros.flow.context import reply_context
from smarteros.flow.parts import Parts
from smarteros.flow.variants import VARIANT_NOT_FOUND, is_left_to_the_customer, with_found_variants
from smarteros.kit.clock import in_santiago
from smarteros.observability.metrics import TOOL_CALLS
from smarteros.observability.steps import watched
from smarteros.tools.protocol import ToolContext


class CallToolsStep:
    """Calls the allowed tools one after the other. A tool that fails is a result, not an exception."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, turn: ClaimedTurn, resolved: ResolvedTurn, decided: DecidedTurn) -> ToolsCalled:
        """Call the tools of the decision; PutOffError when too many turns are calling tools already."""
        start = turn.start
        if decided.decision.actions:
            slo = self._parts.contracts.by_id[decided.flow_id].slo
            self._parts.slow_lane.take(turn, due_within_s=slo.latency_p95_ms / 1000)
        with watched("call_tools", start.tenant_id, start.turn_id) as watch:
            results: list[ToolResult] = []
            for action in decided.decision.actions:
                if is_left_to_the_customer(action, results):
                    continue
                results.append(self._call(start, resolved, decided, action, results))
        return ToolsCalled(results=tuple(results), duration_ms=watch.duration_ms)

    def _call(
        self, start: TurnStart, resolved: ResolvedTurn, decided: DecidedTurn, action: Action, before: list[ToolResult]
    ) -> ToolResult:
        allowed = self._parts.contracts.by_id[decided.flow_id].tools.get(action.tool)
        if allowed is None:
            result = ToolResult(tool=action.tool, outcome="refused", error_code="tool_not_in_contract")
        elif allowed.answers is not None and resolved.state.pending != allowed.answers:
            # Whatever the agent made of the customer's words: he was not asked, so he has not said yes to it.
            result = ToolResult(tool=action.tool, outcome="refused", error_code="not_confirmed")
        elif (complete := with_found_variants(action, before)) is None:
            result = ToolResult(tool=action.tool, outcome="refused", error_code=VARIANT_NOT_FOUND)
        else:
            result = self._call_allowed(start, resolved, decided, complete, allowed)
        TOOL_CALLS.labels(start.tenant_id, _bounded(action.tool), result.outcome).inc()
        return result

    def _call_allowed(
        self,
        start: TurnStart,
        resolved: ResolvedTurn,
        decided: DecidedTurn,
        action: Action,
        allowed: ToolSection,
    ) -> ToolResult:
        last = resolved.messages[-1]
        context = ToolContext(
            conversation_id=start.conversation_id,
            contact=last.contact,
            today=in_santiago(last.created_at).date(),
        )
        tenant = self._parts.tenants.get(start.tenant_id)
        call = ToolCall(tool=action.tool, params=self._params(tenant, resolved, decided, action, allowed))

        def once() -> ToolResult:
            return self._parts.tools.call(
                tenant, call, context, timeout_ms=allowed.timeout_ms, fallback=allowed.fallback == "cache_24h"
            )

        result, tries_left = once(), allowed.retries
        while tries_left and result.retryable:
            result, tries_left = once(), tries_left - 1
        return result

    def _params(
        self, tenant: Tenant, resolved: ResolvedTurn, decided: DecidedTurn, action: Action, allowed: ToolSection
    ) -> dict[str, Any]:
        """Take the agent's parameters and fill what it left out from the contract's expressions."""
        facts = reply_context(tenant, Policy(), resolved, decided)
        missing = {name: source for name, source in allowed.params.items() if action.params.get(name) is None}
        filled = {name: value_of(source, facts) for name, source in missing.items()}
        return {**action.params, **{name: value for name, value in filled.items() if value is not None}}


def _bounded(tool: str) -> str:
    """Return a label value that a foreign agent cannot multiply."""
    return tool if tool.isidentifier() and len(tool) < 40 else "other"
