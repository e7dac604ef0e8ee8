"""A turn beyond what its tenant may use: the customer is told once, a person gets it, and the operator hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from smarteros.agents.intents import base_languages
from smarteros.domain.decisions import Language
from smarteros.domain.errors import SmosError
from smarteros.domain.limits import LimitName
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStart, TurnStory
from smarteros.flow.parts import Parts
from smarteros.flow.reply import hand_over, post
from smarteros.flow.summary import summary_for_agent
from smarteros.kit.clock import Clock, month_in_chile
from smarteros.observability.steps import watched
from smarteros.store.usage import CountedTurn, conversations_answered, standing
from smarteros.tenants.limit_notices import LimitNotices

OVER_LIMIT = "over_limit"
"""Rule, in record and audit, of a turn that a limit gave to a person; its reason is the limit's name."""

# A count serves for this part of the conversations that were left then: a hundred processes together do not let in more
# than those, and the fewer are left, the more often it is counted.
_RECOUNTS = 100
# Said instead of any contract's text: the shop's customers need not know of its plan.
PERSON_COMES = {
    "es": "En este momento no puedo responderte de forma automática. Te conecto con una persona de nuestro equipo,"
    " que te escribirá por aquí.",
    "en": "I can't answer you automatically right now. I'm connecting you with a person from our team,"
    " who will write to you here.",
}
_WHY: dict[LimitName, str] = {
    "requests_per_minute": "llegaron más mensajes por minuto de los que permite el plan de la tienda",
    "conversations_per_month": "la tienda llegó al máximo de conversaciones del mes de su plan",
    "monthly_spend": "la tienda llegó al máximo de gasto del mes",
}


@dataclass
class _Count:
    """The conversations of a month when they were last counted, and the new ones this process has let in since."""

    month: str
    conversations: int
    let_in: int = 0

    def serves(self, month: str, most: int) -> bool:
        """Whether the month need not be counted again: it reads every conversation, and a shop may have thousands."""
        return self.month == month and self.let_in < (most - self.conversations) // _RECOUNTS


class LimitGate:
    """Tells which turns are over a limit of their tenant's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}

    def over(self, connection: sa.Connection, tenant: Tenant, start: TurnStart) -> tuple[LimitName | None, bool]:
        """Return the limit that a turn is over, and whether its customer was told so this month.

        A conversation the bot has worked in this month goes on to its end. Turns that begin at the same instant see
        each other not: a month may have as many conversations more as there are worker threads.
        """
        most = tenant.may_use.conversations_per_month
        if most is None and start.over is None:
            return None, False
        month = month_in_chile(self._clock.now())
        now = standing(connection, tenant.tenant_id, start.conversation_id, month)
        told = now.refused > 0
        if start.over is not None:
            return start.over, told
        if most is not None and now.turns == 0 and self._month_is_full(connection, tenant.tenant_id, month, most):
            return "conversations_per_month", told
        return None, told

    def _month_is_full(self, connection: sa.Connection, tenant_id: str, month: str, most: int) -> bool:
        count = self._counts.get(tenant_id)
        if count is None or not count.serves(month, most):
            count = _Count(month, conversations_answered(connection, tenant_id, month, most))
            self._counts[tenant_id] = count
        count.let_in += 1
        return count.conversations >= most


def counted_turn(story: TurnStory, now: datetime) -> CountedTurn | None:
    """Return how a turn counts in its month; silence (merged, muted) and failures cost the tenant nothing."""
    if story.replied.outcome not in ("answered", "escalated"):
        return None
    refused = story.resolved.over is not None
    return CountedTurn(month=month_in_chile(now), turns=int(not refused), refused=int(refused))


class OverLimitStep:
    """Runs in the place of ``decide`` to ``reply``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._notices = LimitNotices(parts.database, parts.clock)

    def __call__(self, turn: ClaimedTurn, resolved: ResolvedTurn) -> Replied:
        """Tell the customer and hand over; one who was told before is handed over without a second sentence."""
        start, limit = turn.start, resolved.over
        assert limit is not None  # noqa: S101 - the workflow asks only then
        tenant = self._parts.tenants.get(start.tenant_id)
        with watched("reply", start.tenant_id, start.turn_id) as watch:
            self._notices.tell(tenant.scope, limit)
            replied = self._handed_over(tenant, turn, resolved, limit)
        return replied.model_copy(update={"duration_ms": watch.duration_ms})

    def _handed_over(self, tenant: Tenant, turn: ClaimedTurn, resolved: ResolvedTurn, limit: LimitName) -> Replied:
        summary = summary_for_agent(self._parts.links, tenant, resolved, None, ToolsCalled())
        summary = f"{summary}\n• No respondí: {_WHY[limit]}"
        ending = Replied(outcome="escalated", reason=limit, rule=OVER_LIMIT, state=resolved.state)
        if not resolved.told:
            said = ending.model_copy(update={"text": PERSON_COMES[_language(tenant, resolved)]})
            draft = TurnStory(resolved=resolved, decided=None, called=ToolsCalled(), replied=said, summary=summary)
            return post(self._parts, tenant, turn, draft)
        try:
            hand_over(self._parts, tenant, turn.start, summary, rule=OVER_LIMIT)
        except SmosError as error:
            return ending.model_copy(update={"outcome": "failed", "reason": error.code})
        return ending


def _language(tenant: Tenant, resolved: ResolvedTurn) -> Language:
    current = resolved.state.language or ("en" if tenant.language == "en" else "es")
    return base_languages().detect(resolved.text, current=current, history=resolved.history)
