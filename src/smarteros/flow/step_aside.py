"""Turns that answer nobody: they put a conversation into a person's hands, durably, because of something we heard."""

from __future__ import annotations

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, Replied, TurnStart
from smarteros.flow.parts import Parts
from smarteros.flow.reply import hand_over
from smarteros.observability.steps import watched
from smarteros.store.turns import failure_of, remembered


class StepAsideStep:
    """Runs in the place of ``reply`` when a person has answered, or when our reply did not reach the customer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, turn: ClaimedTurn) -> Replied:
        """Give the conversation to people; ``failed`` when even that was impossible."""
        start = turn.start
        with watched("reply", start.tenant_id, start.turn_id) as watch:
            try:
                tenant = self._parts.tenants.get(start.tenant_id)
                replied = self._by_cause(tenant, start)
            except SmosError as error:
                replied = Replied(outcome="failed", reason=error.code)
        return replied.model_copy(update={"duration_ms": watch.duration_ms})

    def _by_cause(self, tenant: Tenant, start: TurnStart) -> Replied:
        if start.cause == "human_reply":
            self._open_for_people(tenant, start)
            return Replied(outcome="muted", reason="human_reply")
        with self._parts.database.tenant(tenant.scope) as connection:
            failure = failure_of(connection, start.tenant_id, start.conversation_id)
            known = remembered(connection, start.tenant_id, start.conversation_id)
        text, reason = failure or ("", "")
        asked = known.history[-1] if known.history else "(sin texto)"
        note = (
            f"**Resumen del bot**\n• Mi respuesta no llegó al cliente: {reason}"
            f"\n• Escribió: {asked}\n• Respuesta que no llegó: {text}"
        )
        hand_over(self._parts, tenant, start, note, rule="delivery_failed")
        return Replied(outcome="escalated", reason="delivery_failed", rule="delivery_failed", state=known.state)

    def _open_for_people(self, tenant: Tenant, start: TurnStart) -> None:
        """A pending conversation is in nobody's list; a person's answer alone does not open it."""

        with self._parts.database.tenant(tenant.scope) as connection:
            known = remembered(connection, start.tenant_id, start.conversation_id)
        if known.muted_reason is None:
            return  # this turn comes late: the person has given the conversation back meanwhile

        def open_if_pending() -> None:
            channel, conversation_id, account_id = self._parts.channel, start.conversation_id, start.account_id
            if channel.conversation(tenant, conversation_id, account_id=account_id).status == "pending":
                channel.open_conversation(tenant, conversation_id, account_id=account_id)

        self._parts.patiently(open_if_pending)
