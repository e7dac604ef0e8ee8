"""Shadow mode: a second agent decides every live turn too, and nobody but the operator hears of it."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress

import structlog

from smarteros.agents.protocol import Agent
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.observability.bounded import Counter
from smarteros.observability.metrics import REGISTRY

_log = structlog.get_logger()

SHADOWED = Counter(
    "smos_shadow_decisions_total",
    "Turns a second agent decided too, by how it compares",
    ["tenant", "outcome"],
    registry=REGISTRY,
)
# More than this waits for nobody: a slow second agent must not fill the memory of a busy first one.
MOST_WAITING = 64
# What is compared. The confidences of two agents are on scales of their own, and are no difference.
COMPARED = ("intent", "route", "language", "entities", "actions", "reply")


class ShadowAgent:
    """An Agent that answers like ``first`` and lets ``second`` decide the same on a thread of its own.

    The reply never depends on ``second``: it is asked after ``first`` has answered, its errors are counted and its
    slowness costs only comparisons. Log and metrics name what differs, never the customer's words.
    """

    def __init__(self, first: Agent, second: Agent, *, most_waiting: int = MOST_WAITING) -> None:
        self._first = first
        self._second = second
        self._waiting: queue.Queue[tuple[AgentRequest, Decision] | None] = queue.Queue(most_waiting)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow-agent", daemon=True)
        self._thread.start()

    def decide(self, request: AgentRequest) -> Decision:
        """Decide by the first agent; see ``Agent.decide``."""
        decision = self._first.decide(request)
        try:
            self._waiting.put_nowait((request, decision))
        except queue.Full:
            SHADOWED.labels(request.tenant_id, "skipped").inc()
        return decision

    def close(self) -> None:
        """Compare no more; what waits is forgotten. Waits for the comparison that runs, not longer than 10 s."""
        self._closing.set()
        with suppress(queue.Full):  # the thread has work then, and sees the flag before it does it
            self._waiting.put_nowait(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None and not self._closing.is_set():
            request, decision = item
            try:
                outcome = self._compare(request, decision)
            except Exception as error:  # whatever a second agent does, the first one goes on
                _log.warning("shadow_failed", tenant=request.tenant_id, error=type(error).__name__)
                outcome = "error"
            SHADOWED.labels(request.tenant_id, outcome).inc()

    def _compare(self, request: AgentRequest, decision: Decision) -> str:
        other = self._second.decide(request)
        differs = [name for name in COMPARED if getattr(decision, name) != getattr(other, name)]
        if not differs:
            return "same"
        _log.warning(
            "shadow_differs",
            tenant=request.tenant_id,
            conversation=request.conversation_id,
            message=request.message.id,
            differs=differs,
            intent=(decision.intent, other.intent),
            route=(decision.route, other.route),
        )
        return "different"
