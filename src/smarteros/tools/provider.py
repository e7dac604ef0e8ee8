"""The embedded tool provider: checks the parameters, keeps the time, and answers from memory when a system is away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import structlog
from pydantic import ValidationError

from smarteros.domain.errors import RejectedInputError, SmosError, TransientError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolOutcome, ToolResult
from smarteros.observability.metrics import TOOL_FAULTS, TOOL_SECONDS, UPSTREAM_FAILURES
from smarteros.observability.tracing import traced
from smarteros.tools.breaker import CircuitBreaker
from smarteros.tools.deadline import Deadline, DeadlineError, Monotonic, run_within
from smarteros.tools.inputs import ToolInput
from smarteros.tools.protocol import ToolContext, ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun

_log = structlog.get_logger()

WORK_SHARE = 0.95
"""Part of the time-out given to the system behind; the rest is kept for answering from memory in time."""


class EmbeddedToolProvider:
    """Runs the tools in this process. Safe to call from many threads."""

    def __init__(
        self,
        tools: Sequence[EmbeddedTool[Any]],
        *,
        breaker: CircuitBreaker | None = None,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self._breaker = breaker or CircuitBreaker(monotonic=monotonic)
        self._monotonic = monotonic

    def specs(self) -> tuple[ToolSpec, ...]:
        """List the tools offered."""
        return tuple(tool.spec for tool in self._tools.values())

    def call(
        self, tenant: Tenant, call: ToolCall, context: ToolContext, *, timeout_ms: int, fallback: bool
    ) -> ToolResult:
        """Call one tool; see ToolProvider."""
        started = self._monotonic()
        name = call.tool if call.tool in self._tools else "unknown"
        deadline = Deadline(started + timeout_ms / 1000 * WORK_SHARE, self._monotonic)
        with traced(f"tool {name}", tenant.tenant_id) as span:
            answer, outcome, error = self._answer(call, ToolRun(tenant, context, deadline), fallback=fallback)
            span.set_attribute("smos.outcome", outcome)
        seconds = self._monotonic() - started
        TOOL_SECONDS.labels(tenant.tenant_id, name, outcome).observe(seconds)
        return ToolResult(
            tool=call.tool,
            outcome=outcome,
            data=None if answer is None else answer.model_dump(mode="json"),
            error_code=None if error is None else error.code,
            retryable=answer is None and isinstance(error, TransientError),
            duration_ms=seconds * 1000,
        )

    def _answer(
        self, call: ToolCall, run: ToolRun, *, fallback: bool
    ) -> tuple[Model | None, ToolOutcome, SmosError | None]:
        try:
            tool, params = self._checked(call)
        except RejectedInputError as error:
            return None, "refused", error
        try:
            return self._run(tool, params, run), "ok", None
        except RejectedInputError as error:
            return None, "refused", error
        except SmosError as error:
            _tell_operator(tool, run.tenant, error)
            remembered = tool.recall(params, run) if fallback and tool.recall else None
            if remembered is not None:
                return remembered, "fallback", error
            return None, "timeout" if isinstance(error, DeadlineError) else "error", error

    def _checked(self, call: ToolCall) -> tuple[EmbeddedTool[Any], ToolInput]:
        tool = self._tools.get(call.tool)
        if tool is None:
            raise RejectedInputError("unknown_tool", "There is no such tool.")
        try:
            return tool, tool.input_model.model_validate(call.params)
        except ValidationError:
            raise RejectedInputError("invalid_params", "The parameters do not fit the tool.") from None

    def _run(self, tool: EmbeddedTool[Any], params: ToolInput, run: ToolRun) -> Model:
        """Run a tool under its circuit breaker. Only a system that does not answer counts against it."""
        circuit = (run.tenant.tenant_id, tool.service)
        failures = UPSTREAM_FAILURES.labels(*circuit)
        if not self._breaker.allows(circuit):
            failures.inc()
            raise TransientError("circuit_open", f"{tool.service} failed repeatedly and is left alone for a while.")
        try:
            answer = run_within(run.deadline, lambda: tool.run(params, run))
        except TransientError as error:
            self._breaker.failed(circuit)
            failures.inc()
            if run.deadline.passed:
                raise DeadlineError from error
            raise
        except SmosError:
            self._breaker.succeeded(circuit)
            failures.set(0)
            raise
        self._breaker.succeeded(circuit)
        failures.set(0)
        return answer


def _tell_operator(tool: EmbeddedTool[Any], tenant: Tenant, error: SmosError) -> None:
    """Count the fault. One that will not pass by itself (a refused token, another currency) is logged as well.

    Customers may be answered from memory all the same; without this nobody would hear of it for 24 hours.
    """
    TOOL_FAULTS.labels(tenant.tenant_id, tool.service, error.code).inc()
    if not isinstance(error, TransientError):
        _log.warning(
            "tool_system_needs_the_operator",
            tenant=tenant.tenant_id,
            service=tool.service,
            code=error.code,
            reason=error.operator_message,
            remedy=f"Run `smos doctor --tenant {tenant.tenant_id}`.",
        )
