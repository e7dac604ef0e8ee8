"""``escalate``: a turn that cannot be answered is handed to a person, and the customer is told so."""

from __future__ import annotations

from smarteros.domain.errors import SmosError
from smarteros.domain.turns import Replied, ResolvedTurn, ToolsCalled, TurnStart
from smarteros.flow.fence import Fence, FencedError
from smarteros.flow.parts import Parts
from smarteros.flow.reply import hand_over, stopped
from smarteros.flow.summary import summary_for_agent
from smarteros.observability.steps import watched

# Said when the turn broke before a contract's text could be chosen, so it is in no contract.
_SORRY = {
    "es": "Tuve un problema para responderte. Te conecto con una persona de nuestro equipo.",
    "en": "I had a problem answering you. I'm connecting you with a person from our team.",
}


class EscalateStep:
    """The last resort of a turn: it ends ``escalated``, or ``failed`` when even that was impossible."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, start: TurnStart, resolved: ResolvedTurn, error: SmosError) -> Replied:
        """Hand the conversation over because of ``error``."""
        with watched("reply", start.tenant_id, start.turn_id) as watch:
            replied = self._try(start, resolved, error)
        return replied.model_copy(update={"state": resolved.state, "duration_ms": watch.duration_ms})

    def _try(self, start: TurnStart, resolved: ResolvedTurn, error: SmosError) -> Replied:
        text = _SORRY[resolved.state.language or "es"]
        summary = f"{summary_for_agent(resolved, None, ToolsCalled())}\n• No pude responder: {error.code}"
        try:
            tenant = self._parts.tenants.get(start.tenant_id)
            try:
                fence = Fence(self._parts, tenant, start, resolved)
                fence.look()
                fence.send(text)
            except FencedError as fenced:
                return stopped(self._parts, tenant, start, fenced.replied, summary, text)
            hand_over(self._parts, tenant, start, summary)
        except SmosError as second:
            return Replied(outcome="failed", reason=f"{error.code}; {second.code}")
        return Replied(
            outcome="escalated", reason=error.code, rule="error", text=text, replied_at=self._parts.clock.now()
        )
