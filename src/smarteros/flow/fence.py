"""The fence: what makes a reply impossible between its draft and its POST.

A turn may speak while it holds the conversation's newest token, no person leads, and its messages are what the
customer wants answered. All of it is asked in the transaction that writes the reply down, with the conversation
locked, and once more right before each request that posts.
"""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.domain.ids import reply_id
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import Replied, ResolvedTurn, TurnStart
from smarteros.flow.loop_guard import LOOK_BACK_S, is_loop
from smarteros.flow.parts import Parts
from smarteros.flow.turn_taking import MOST_BURST_S
from smarteros.store.events import burst_age_s, held_messages, newer_message_waits, release_messages
from smarteros.store.turns import (
    Leadership,
    confirm_reply,
    intend_reply,
    leadership,
    posted_message,
    reply_ages_s,
    reply_intended,
    take_fence,
    turn_finished,
)

# A customer who goes on changing his words is answered nevertheless, on the third draft at the latest.
MOST_ROUNDS = 3
_LOOKS = 120
_LOOK_EVERY_S = 0.25


class FencedError(Exception):
    """The reply must not be posted; ``replied`` is how the turn ends instead."""

    def __init__(self, replied: Replied) -> None:
        super().__init__(replied.reason)
        self.replied = replied


class OvertakenError(Exception):
    """Another worker has begun to reply in this conversation: this one was taken for dead."""


class Fence:
    """One turn's right to post its one reply."""

    def __init__(self, parts: Parts, tenant: Tenant, start: TurnStart, resolved: ResolvedTurn) -> None:
        self._parts = parts
        self._tenant = tenant
        self._start = start
        self._resolved = resolved
        self._reply_id = reply_id(start.turn_id)
        self._token: int | None = None

    def take(self) -> None:
        """Take the conversation's newest token; whoever held it before may post no more."""
        with self._parts.database.tenant(self._tenant.scope) as connection:
            self._take(connection)

    def look(self) -> None:
        """Take the token; raise FencedError when the draft is not worth posting. ``send`` asks again."""
        with self._parts.database.tenant(self._tenant.scope) as connection:
            self._take(connection)
            if reply_intended(connection, self._tenant.tenant_id, self._reply_id):
                posted = posted_message(connection, self._tenant.tenant_id, self._reply_id) is not None
                silenced = None
            else:
                posted = False
                who = leadership(connection, self._tenant.tenant_id, self._start.conversation_id)
                silenced = self._silenced(connection, who)
        # A reply that is in the channel is carried through, whoever has the conversation now.
        if not posted:
            silenced = silenced or person_leads(self._parts, self._tenant, self._start)
        if silenced is not None:
            raise FencedError(silenced)

    def send(self, text: str) -> None:
        """Post the reply exactly once. Raises FencedError when it must not be posted."""
        if self._token is None:
            self.take()
        while True:
            try:
                self._send(text)
                return
            except OvertakenError:
                # As a zombie has no right to end the turn, it waits for what the living worker makes of it.
                if self._posted_by_another():
                    return
                self.take()

    def _send(self, text: str) -> None:
        tenant, start = self._tenant, self._start
        reply = OutgoingReply(
            reply_id=self._reply_id,
            conversation_id=start.conversation_id,
            account_id=start.account_id,
            text=text,
        )
        intended_before = self._intend(reply)
        if intended_before is None:
            return
        posted = self._parts.patiently(
            lambda: self._parts.channel.post(tenant, reply, maybe_sent=intended_before, before_post=self._require_right)
        )
        with self._parts.database.tenant(tenant.scope) as connection:
            confirm_reply(connection, reply.reply_id, posted.message_id, self._parts.clock.now())

    def _intend(self, reply: OutgoingReply) -> bool | None:
        """Write the reply down; tells whether an earlier attempt may have posted it, None when it surely has."""
        silenced: Replied | None = None
        with self._parts.database.tenant(self._tenant.scope) as connection:
            who = self._require_token(connection, lock=True)
            if not reply_intended(connection, self._tenant.tenant_id, reply.reply_id):
                silenced = self._silenced(connection, who) or self._looped(connection)
            if silenced is None:
                intended = intend_reply(connection, self._tenant.tenant_id, self._start.turn_id, reply)
                return None if intended.channel_message_id is not None else intended.before
        raise FencedError(silenced)

    def _require_right(self) -> None:
        """Called right before a POST: since the reply was written down, a worker may have slept and a person come."""
        with self._parts.database.tenant(self._tenant.scope) as connection:
            who = self._require_token(connection, lock=False)
            if who.muted_reason is None:
                return
        raise FencedError(Replied(outcome="muted", reason=who.muted_reason))

    def _take(self, connection: sa.Connection) -> None:
        turn_id = self._start.turn_id
        self._token = take_fence(connection, self._tenant.tenant_id, self._start.conversation_id, turn_id)

    def _require_token(self, connection: sa.Connection, *, lock: bool) -> Leadership:
        who = leadership(connection, self._tenant.tenant_id, self._start.conversation_id, lock=lock)
        if who.fence != self._token:
            raise OvertakenError(self._start.turn_id)
        return who

    def _silenced(self, connection: sa.Connection, who: Leadership) -> Replied | None:
        """A person leads, or the customer has changed what he said, or goes on saying it."""
        tenant_id, conversation_id = self._tenant.tenant_id, self._start.conversation_id
        drafted = self._resolved.messages
        if who.muted_reason is not None:
            return Replied(outcome="muted", reason=who.muted_reason)
        if not drafted:
            return None
        now = held_messages(connection, tenant_id, conversation_id, self._start.turn_id)
        if not now:
            return Replied(outcome="merged", reason="message_deleted")
        if now != drafted and self._resolved.round < MOST_ROUNDS:
            return Replied(outcome="merged", reason="message_changed", again=True)
        young = burst_age_s(connection, tenant_id, conversation_id, self._start.turn_id) < MOST_BURST_S
        if young and newer_message_waits(connection, tenant_id, conversation_id, drafted[-1].id):
            release_messages(connection, tenant_id, self._start.turn_id)
            return Replied(outcome="merged", reason="newer_message")
        return None

    def _looped(self, connection: sa.Connection) -> Replied | None:
        ages = reply_ages_s(connection, self._tenant.tenant_id, self._start.conversation_id, LOOK_BACK_S)
        return Replied(outcome="escalated", reason="loop_guard") if is_loop(ages) else None

    def _posted_by_another(self) -> bool:
        """Wait until the worker that overtook this one has posted the reply; False when it has died as well.

        FencedError when the token went to another turn: this one has been ended by somebody else.
        """
        for _ in range(_LOOKS):
            with self._parts.database.tenant(self._tenant.scope) as connection:
                if posted_message(connection, self._tenant.tenant_id, self._reply_id) is not None:
                    return True
                who = leadership(connection, self._tenant.tenant_id, self._start.conversation_id)
                ended = turn_finished(connection, self._tenant.tenant_id, self._start.turn_id)
            if ended or who.fence_turn != self._start.turn_id:
                raise FencedError(Replied(outcome="merged", reason="another_worker"))
            self._parts.pause(_LOOK_EVERY_S)
        return False


def person_leads(parts: Parts, tenant: Tenant, start: TurnStart) -> Replied | None:
    """Read the conversation again; when a person leads it, or nothing can be sent any more, say how the turn ends."""
    now = parts.patiently(
        lambda: parts.channel.conversation(tenant, start.conversation_id, account_id=start.account_id)
    )
    if now.assigned_to_human:
        return Replied(outcome="muted", reason="human_assigned")
    if now.status != "pending":
        return Replied(outcome="muted", reason=f"conversation_{now.status}")
    if not now.can_reply:
        return Replied(outcome="escalated", reason="outside_window")
    return None
