"""``escalate``: a turn that cannot be answered is handed to a person, and the customer is told so."""

from __future__ import annotations

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStory
from smarteros.flow.fence import MOST_ROUNDS
from smarteros.flow.links import Links
from smarteros.flow.parts import Parts
from smarteros.flow.reply import post
from smarteros.flow.summary import summary_for_agent
from smarteros.flow.wording import SORRY
from smarteros.observability.steps import watched


class EscalateStep:
    """The last resort of a turn: it ends ``escalated``, or ``failed`` when even that was impossible."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, turn: ClaimedTurn, resolved: ResolvedTurn, error: SmosError) -> Replied:
        """Hand the conversation over because of ``error``."""
        start = turn.start
        with watched("reply", start.tenant_id, start.turn_id) as watch:
            try:
                tenant = self._parts.tenants.get(start.tenant_id)
                replied = post(self._parts, tenant, turn, _sorry(self._parts.links, tenant, resolved, error))
            except SmosError as second:
                replied = Replied(outcome="failed", reason=f"{error.code}; {second.code}", state=resolved.state)
        return replied.model_copy(update={"duration_ms": watch.duration_ms})


def _sorry(links: Links, tenant: Tenant, resolved: ResolvedTurn, error: SmosError) -> TurnStory:
    summary = f"{summary_for_agent(links, tenant, resolved, None, ToolsCalled())}\n• No pude responder: {error.code}"
    replied = Replied(
        outcome="escalated",
        reason=error.code,
        rule="error",
        text=SORRY[resolved.state.language or "es"],
        state=resolved.state,
    )
    # It is the turn's last word: nothing can make it begin anew.
    resolved = resolved.model_copy(update={"round": MOST_ROUNDS})
    return TurnStory(resolved=resolved, decided=None, called=ToolsCalled(), replied=replied, summary=summary)
