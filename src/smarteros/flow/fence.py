"""The fence: what makes a reply impossible between its draft and its POST.

A turn may speak while its claim is the newest, no person leads, and its messages are what the customer wants answered.
All of it is asked in the transaction that writes the reply down, with the conversation locked; claim and leadership
once more right before each request that posts.
"""

from __future__ import annotations

import time

import sqlalchemy as sa

from smarteros.domain.ids import reply_id
from smarteros.domain.messages import CONTACT_BLOCKED, HUMAN_REPLY, OutgoingReply, PostedReply, seen_in_state
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, Replied, ResolvedTurn, TurnStory
from smarteros.flow.given_back import OvertakenError
from smarteros.flow.leadership import person_leads, still_muted
from smarteros.flow.loop_guard import LOOK_BACK_S, is_loop
from smarteros.flow.parts import Parts
from smarteros.flow.turn_taking import MOST_BURST_S
from smarteros.store.events import BurstMessage, burst, release_messages
from smarteros.store.queue import is_ours, keep_draft
from smarteros.store.turns import intend_reply, lock_conversation, muted_reason, reply_ages_s

# A customer who goes on changing his words is answered nevertheless, on the third draft at the latest.
MOST_ROUNDS = 3
_NEWER = "newer_message"
# A look at claim and leadership is good for so long: the request that posts follows within a millisecond, unless this
# process was stopped in between.
_LOOK_IS_GOOD_FOR_S = 0.05


class FencedError(Exception):
    """The reply must not be posted; ``replied`` is how the turn ends instead."""

    def __init__(self, replied: Replied) -> None:
        super().__init__(replied.reason)
        self.replied = replied


class Fence:
    """One turn's right to post its one reply.

    Every method may raise FencedError, and OvertakenError when the turn is in other hands.
    """

    def __init__(self, parts: Parts, tenant: Tenant, turn: ClaimedTurn) -> None:
        self._parts = parts
        self._tenant = tenant
        self._turn = turn
        self._start = turn.start
        self._reply_id = reply_id(turn.start.turn_id)
        self._looked_at = 0.0

    def send(self, draft: TurnStory) -> tuple[str, PostedReply]:
        """Read the conversation again, write the reply down and post it exactly once; returns what was posted.

        That is an earlier attempt's text when that attempt turns out to have reached the channel.
        """
        silenced = self._person_leads(draft)
        try:
            earlier = self._write_down(draft, silenced)
        except FencedError as fenced:
            if silenced is not None or not self._sign_is_over(fenced.replied):
                raise
            earlier = self._write_down(draft, None)
        posted = self._post(draft, maybe_sent=earlier is not None)
        return (earlier if earlier and posted.already_there else _words(draft)), posted

    def carry_through(self, draft: TurnStory) -> tuple[str, PostedReply]:
        """Post the reply an earlier attempt has written down, unless it is in the channel already."""
        return _words(draft), self._post(draft, maybe_sent=True, resumed=True)

    def _post(self, draft: TurnStory, *, maybe_sent: bool, resumed: bool = False) -> PostedReply:
        reply = self._reply(draft)

        def before_post() -> None:
            if maybe_sent and (silenced := self._person_leads(draft)) is not None:
                raise FencedError(silenced)
            if resumed:
                self._require_last_words(draft.resolved)
            self._require_right()

        return self._parts.patiently(
            lambda: self._parts.channel.post(self._tenant, reply, maybe_sent=maybe_sent, before_post=before_post)
        )

    def _person_leads(self, draft: TurnStory) -> Replied | None:
        return person_leads(self._parts, self._tenant, self._start, draft.resolved.messages)

    def _reply(self, draft: TurnStory) -> OutgoingReply:
        return OutgoingReply(
            reply_id=self._reply_id,
            conversation_id=self._start.conversation_id,
            account_id=self._start.account_id,
            text=_words(draft),
            # A turn that broke before it was resolved knows only the message it was opened by.
            answers=tuple(message.id for message in draft.resolved.messages) or (self._start.message_id,),
        )

    def _write_down(self, draft: TurnStory, silenced: Replied | None) -> str | None:
        """Keep draft and reply; returns the text of an earlier attempt that may have posted."""
        tenant_id, conversation_id = self._tenant.tenant_id, self._start.conversation_id
        earlier: str | None = None
        with self._parts.database.tenant(self._tenant.scope) as connection:
            muted, intended = lock_conversation(connection, tenant_id, conversation_id, self._reply_id)
            if intended:
                silenced = None  # it may be in the channel: it is carried through, whoever has the conversation now
            else:
                silenced = silenced or (None if muted is None else Replied(outcome="muted", reason=muted))
                silenced = silenced or self._superseded(connection, draft.resolved) or self._looped(connection)
            if silenced is None:
                earlier = intend_reply(connection, tenant_id, self._start.turn_id, self._reply(draft))
            if not (keep_draft(connection, self._turn, draft) if silenced is None else is_ours(connection, self._turn)):
                raise OvertakenError(self._start.turn_id)
        if silenced is not None:
            raise FencedError(silenced)
        if earlier is None:  # of an earlier attempt nobody asked who leads: it is asked if that did not post
            self._looked_at = time.monotonic()
        return earlier

    def _require_last_words(self, drafted: ResolvedTurn) -> None:
        """Nobody has read an earlier attempt's reply, and meanwhile the customer may have gone on.

        A draft whose words were edited is posted: its turn is not begun anew from here.
        """
        tenant_id, conversation_id = self._tenant.tenant_id, self._start.conversation_id
        with self._parts.database.tenant(self._tenant.scope) as connection:
            lock_conversation(connection, tenant_id, conversation_id, self._reply_id)
            if not is_ours(connection, self._turn):
                raise OvertakenError(self._start.turn_id)
            gone_on = self._superseded(connection, drafted)
        if gone_on is not None and not gone_on.again:
            raise FencedError(gone_on)

    def _require_right(self) -> None:
        """Since the reply was written down, this worker may have slept and a person come."""
        if time.monotonic() - self._looked_at < _LOOK_IS_GOOD_FOR_S:
            return
        with self._parts.database.tenant(self._tenant.scope) as connection:
            if not is_ours(connection, self._turn):
                raise OvertakenError(self._start.turn_id)
            muted = muted_reason(connection, self._tenant.tenant_id, self._start.conversation_id)
        if muted is not None:
            silenced = Replied(outcome="muted", reason=muted)
            if not self._sign_is_over(silenced):
                raise FencedError(silenced)
        self._looked_at = time.monotonic()

    def _sign_is_over(self, silenced: Replied) -> bool:
        """A sign that was heard now may be an old one: a webhook that was slower than the one that gave back."""
        if silenced.outcome != "muted" or silenced.reason is None or not seen_in_state(silenced.reason):
            return False
        return still_muted(self._parts, self._tenant, self._start, silenced.reason) is None

    def _superseded(self, connection: sa.Connection, drafted: ResolvedTurn) -> Replied | None:
        """The customer has changed what he said, or goes on saying it."""
        if not drafted.messages:
            return None
        tenant_id, turn_id = self._tenant.tenant_id, self._start.turn_id
        found = burst(connection, tenant_id, self._start.conversation_id, turn_id)
        ended = _changed(found, drafted) or _gone_on(found, drafted)
        if ended is not None and ended.reason == _NEWER:
            release_messages(connection, tenant_id, turn_id)
        return ended

    def _looped(self, connection: sa.Connection) -> Replied | None:
        ages = reply_ages_s(connection, self._tenant.tenant_id, self._start.conversation_id, LOOK_BACK_S)
        return Replied(outcome="escalated", reason="loop_guard") if is_loop(ages) else None


def _changed(found: tuple[BurstMessage, ...], drafted: ResolvedTurn) -> Replied | None:
    """What was to be answered is not said any more, or in other words, or by somebody who is left alone."""
    held = [entry for entry in found if entry.held]
    if not held:
        return Replied(outcome="merged", reason="message_deleted")
    if any(entry.blocked for entry in held):
        return Replied(outcome="muted", reason=CONTACT_BLOCKED)
    asks = tuple(entry.message for entry in held if not entry.answered)
    if not asks:
        return Replied(outcome="muted", reason=HUMAN_REPLY)
    if asks != drafted.messages and drafted.round < MOST_ROUNDS:
        return Replied(outcome="merged", reason="message_changed", again=True)
    return None


def _gone_on(found: tuple[BurstMessage, ...], drafted: ResolvedTurn) -> Replied | None:
    """Messages wait that the draft does not know."""
    waiting = [entry.message.id for entry in found if not entry.held and not entry.answered]
    if waiting and max(entry.age_s for entry in found if entry.held) < MOST_BURST_S:
        return Replied(outcome="merged", reason=_NEWER)
    # A webhook that came late: its message stands before the last one, and must not be answered after it.
    if any(waits < drafted.messages[-1].id for waits in waiting) and drafted.round < MOST_ROUNDS:
        return Replied(outcome="merged", reason="late_message", again=True)
    return None


def _words(draft: TurnStory) -> str:
    return draft.replied.text or ""
