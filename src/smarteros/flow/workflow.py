"""The life of one message, on one screen: resolve, decide, call_tools, reply, audit (``receive`` is in the edge).

Each step is durable: after a crash the turn goes on behind the last finished one. A turn never ends in silence: what
cannot be answered is handed to a person.
"""

from __future__ import annotations

from smarteros.domain.errors import SmosError
from smarteros.domain.turns import DecidedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStart
from smarteros.flow.audit import AuditStep
from smarteros.flow.call_tools import CallToolsStep
from smarteros.flow.decide import DecideStep
from smarteros.flow.engine import step
from smarteros.flow.escalate import EscalateStep
from smarteros.flow.fence import MOST_ROUNDS
from smarteros.flow.parts import Parts
from smarteros.flow.reply import ReplyStep
from smarteros.flow.resolve import ResolveStep
from smarteros.flow.step_aside import StepAsideStep


class TurnWorkflow:
    """Runs one turn. The steps know Protocols, never vendors."""

    def __init__(self, parts: Parts) -> None:
        self._resolve = ResolveStep(parts)
        self._decide = DecideStep(parts)
        self._call_tools = CallToolsStep(parts)
        self._reply = ReplyStep(parts)
        self._escalate = EscalateStep(parts)
        self._step_aside = StepAsideStep(parts)
        self._audit = AuditStep(parts)

    def run(self, start: TurnStart) -> str:
        """Answer the customer's message that opened the turn; returns the outcome."""
        if start.cause != "message":
            return self._finish(start, ResolvedTurn(), None, ToolsCalled(), self._without_answer(start))
        resolved, decided, called, replied = ResolvedTurn(), None, ToolsCalled(), Replied(outcome="failed")
        try:
            for round_number in range(1, MOST_ROUNDS + 1):
                resolved = step("resolve", self._resolve, start, round_number)
                if resolved.stop:
                    replied = Replied(outcome=resolved.stop, reason=resolved.reason, state=resolved.state)
                    break
                decided = step("decide", self._decide, start, resolved)
                called = step("call_tools", self._call_tools, start, resolved, decided)
                replied = step("reply", self._reply, start, resolved, decided, called)
                if not replied.again:
                    break
        except SmosError as error:
            replied = self._last_resort(start, resolved, error)
        return self._finish(start, resolved, decided, called, replied)

    def _without_answer(self, start: TurnStart) -> Replied:
        try:
            return step("reply", self._step_aside, start)
        except SmosError as error:
            return Replied(outcome="failed", reason=error.code)

    def _last_resort(self, start: TurnStart, resolved: ResolvedTurn, error: SmosError) -> Replied:
        """Nothing is tried after this: a turn that fails for good ends with a record that says so."""
        try:
            return step("reply", self._escalate, start, resolved, error)
        except SmosError as second:
            return Replied(outcome="failed", reason=f"{error.code}; {second.code}", state=resolved.state)

    def _finish(
        self,
        start: TurnStart,
        resolved: ResolvedTurn,
        decided: DecidedTurn | None,
        called: ToolsCalled,
        replied: Replied,
    ) -> str:
        step("audit", self._audit, start, resolved, decided, called, replied)
        return replied.outcome
