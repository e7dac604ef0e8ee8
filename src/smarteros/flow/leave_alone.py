"""Turns of customers who are to be left alone: one confirmation when they say so, then only people write."""

from __future__ import annotations

from smarteros.domain.errors import SmosError
from smarteros.domain.messages import CONTACT_BLOCKED
from smarteros.domain.turns import ClaimedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStory
from smarteros.flow.parts import Parts
from smarteros.flow.reply import hand_over, post
from smarteros.observability.steps import watched
from smarteros.privacy.opt_out import RULE, confirmation, note_for_people


class LeaveAloneStep:
    """Runs in the place of ``reply``. That the contact is blocked is written down with the turn's record."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, turn: ClaimedTurn, resolved: ResolvedTurn) -> Replied:
        """Confirm the wish and tell a person of it."""
        start = turn.start
        with watched("reply", start.tenant_id, start.turn_id) as watch:
            ending = Replied(
                outcome="escalated",
                reason=RULE,
                rule=RULE,
                text=confirmation(resolved.text, resolved.state.language),
                state=resolved.state,
            )
            note = note_for_people(resolved.text, asked=True)
            draft = TurnStory(resolved=resolved, decided=None, called=ToolsCalled(), replied=ending, summary=note)
            replied = post(self._parts, self._parts.tenants.get(start.tenant_id), turn, draft)
        return replied.model_copy(update={"duration_ms": watch.duration_ms})

    def silently(self, turn: ClaimedTurn, resolved: ResolvedTurn) -> Replied:
        """End a turn that is not to be answered; a person gets the conversation of a customer the bot leaves alone."""
        replied = Replied(outcome=resolved.stop or "muted", reason=resolved.reason, state=resolved.state)
        if resolved.reason != CONTACT_BLOCKED:
            return replied
        start = turn.start
        with watched("reply", start.tenant_id, start.turn_id) as watch:
            try:
                tenant = self._parts.tenants.get(start.tenant_id)
                hand_over(self._parts, tenant, start, note_for_people(resolved.text, asked=False))
            except SmosError as error:  # nothing else may be said to him, not even that something went wrong
                replied = replied.model_copy(update={"outcome": "failed", "reason": error.code})
        return replied.model_copy(update={"duration_ms": watch.duration_ms})
