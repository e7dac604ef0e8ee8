"""Who has a conversation, a person or the bot: the webhooks' signs, and the channel's word where they may be old."""

from __future__ import annotations

from smarteros.domain.messages import HUMAN_REPLY, IncomingMessage, seen_in_state
from smarteros.domain.tenants import TENANT_SUSPENDED, Tenant
from smarteros.domain.turns import Replied, TurnStart
from smarteros.flow.parts import Parts
from smarteros.store.turns import lift_mute


def person_leads(
    parts: Parts, tenant: Tenant, start: TurnStart, messages: tuple[IncomingMessage, ...]
) -> Replied | None:
    """Read the conversation again; when a person leads it, or nothing may be sent any more, say how the turn ends.

    A person who first replied after the turn's messages has taken them over, though his webhook be late or lost.
    """
    now = parts.patiently(
        lambda: parts.channel.conversation(tenant, start.conversation_id, account_id=start.account_id)
    )
    if now.led_by_person is not None:
        return Replied(outcome="muted", reason=now.led_by_person)
    if now.person_replied and messages and not any(message.after_person for message in messages):
        return Replied(outcome="muted", reason=HUMAN_REPLY)
    if not parts.tenants.get(tenant.tenant_id).active:  # suspended since the turn began
        return Replied(outcome="escalated", reason=TENANT_SUSPENDED)
    if not now.can_reply:
        return Replied(outcome="escalated", reason="outside_window")
    return None


def still_muted(parts: Parts, tenant: Tenant, start: TurnStart, reason: str) -> str | None:
    """Ask the channel whether the person behind a sign still leads; returns why one does, or None for the bot.

    The webhook that gave the bot its turn may be lost, late, or overtaken by the one of an earlier sign.
    A person's reply itself is not to be seen in the conversation's state, so it holds until he gives that back.
    """
    now = parts.patiently(
        lambda: parts.channel.conversation(tenant, start.conversation_id, account_id=start.account_id)
    )
    if now.led_by_person is not None or not (seen_in_state(reason) or _given_back(parts, tenant, start, reason)):
        return reason
    with parts.database.tenant(tenant.scope) as connection:
        return lift_mute(connection, start.tenant_id, start.conversation_id, reason)


def _given_back(parts: Parts, tenant: Tenant, start: TurnStart, reason: str) -> bool:
    return reason == HUMAN_REPLY and parts.patiently(
        lambda: parts.channel.given_back(tenant, start.conversation_id, account_id=start.account_id)
    )
