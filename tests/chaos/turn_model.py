"""What a turn's protocol is made of, step by step over the real store; ``test_protocol_model`` plays it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa
from tests.support import claim_messages, heard, whatsapp_message

from smarteros.domain.ids import reply_id, turn_id
from smarteros.domain.messages import IncomingMessage, OutgoingReply
from smarteros.domain.tenants import TenantScope
from smarteros.domain.turns import ClaimedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStart, TurnStory
from smarteros.flow.lanes import PLACES
from smarteros.store.database import Database
from smarteros.store.events import ReceivedEvent, burst, release_messages
from smarteros.store.queue import Place, accept_message, claim_turns, end_turn, give_back, is_ours, keep_draft
from smarteros.store.turns import confirm_reply, intend_reply, lock_conversation

SCOPE = TenantScope(tenant_id="PROTOCOL_SHOP")
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_names = itertools.count(1)

PostResult = Literal["posted", "saved_then_error", "not_saved"]


class Killed(Exception):
    """The process dies inside a transaction."""


class Overtaken(Exception):
    """The turn is in other hands: its transaction is rolled back."""


@dataclass
class Work:
    """What a process knows of a turn it runs. ``looked``: it has seen just now that the turn is its own."""

    turn: ClaimedTurn
    stage: Literal["begun", "taken", "intended", "posted"] = "begun"
    covers: tuple[int, ...] = ()
    maybe_sent: bool = False
    looked: bool = False
    message_id: int = 0


@dataclass
class Process:
    """A worker. ``awake``: it does not stand still."""

    name: str = field(default_factory=lambda: f"model-{next(_names)}")
    works: list[Work] = field(default_factory=list[Work])
    awake: bool = True


@dataclass
class ModelChannel:
    """Keeps what was posted: conversation, marker and the messages the reply answers."""

    posted: list[tuple[int, str, tuple[int, ...]]] = field(default_factory=list[tuple[int, str, tuple[int, ...]]])

    def find(self, marker: str) -> int | None:
        return next((at for at, (_, known, _) in enumerate(self.posted) if known == marker), None)


@dataclass
class World:
    """The store, the channel and what processes do with them."""

    database: Database
    owner: sa.Engine
    channel: ModelChannel = field(default_factory=ModelChannel)

    def accept(self, written: tuple[int, int]) -> bool:
        with self.database.statement() as connection:
            return accept_message(connection, *accepted(*written))

    def claim(self, process: Process, most: int) -> int:
        with self.owner.connect() as connection:
            claimed = claim_turns(connection, process.name, most, most)
        for turn in claimed:
            work = Work(turn)
            if turn.draft is not None:
                covers = tuple(message.id for message in turn.draft.resolved.messages)
                work = Work(turn, stage="intended", covers=covers, maybe_sent=True)
            process.works.append(work)
        return len(claimed)

    def give_back(self, name: str) -> None:
        with self.owner.connect() as connection:
            give_back(connection, name)

    def time_passes(self) -> None:
        """No turn is too early any more."""
        with self.owner.connect() as connection:
            connection.execute(sa.text("UPDATE smos.waiting_turns SET not_before = clock_timestamp()"))

    def step(self, process: Process, work: Work, result: PostResult, *, gives_way: bool) -> None:
        """Do what comes next. ``gives_way``: to a newer message, whose turn then answers both."""
        match work.stage:
            case "begun":
                self.take(process, work)
            case "taken":
                self.write_down(process, work, gives_way=gives_way)
            case "intended":
                self.post(process, work, result)
            case "posted":
                self.end(process, work)

    def take(self, process: Process, work: Work) -> None:
        start = work.turn.start
        held: tuple[IncomingMessage, ...] = ()
        with self._unless_overtaken(process, work) as connection:
            held = claim_messages(connection, SCOPE.tenant_id, start.conversation_id, start.turn_id)
            if not is_ours(connection, work.turn):
                raise Overtaken
        if work not in process.works:
            return
        work.covers, work.stage = tuple(message.id for message in held), "taken"
        if not held:
            self.end(process, work)

    def write_down(self, process: Process, work: Work, *, gives_way: bool) -> None:
        """Reply and draft, or the messages back to the turn of a newer one."""
        number, turn = work.turn.start.conversation_id, work.turn.start.turn_id
        silenced = False
        with self._unless_overtaken(process, work) as connection:
            _, intended = lock_conversation(connection, SCOPE.tenant_id, number, reply_id(turn))
            found = burst(connection, SCOPE.tenant_id, number, turn)
            held = tuple(entry.message for entry in found if entry.held)
            newer = any(not entry.held and entry.message.id > work.covers[-1] for entry in found)
            if not intended and (not held or (newer and gives_way)):
                release_messages(connection, SCOPE.tenant_id, turn)
                silenced = True
            else:
                work.maybe_sent = intend_reply(connection, SCOPE.tenant_id, turn, reply(work)) is not None
            ours = is_ours(connection, work.turn) if silenced else keep_draft(connection, work.turn, story(held))
            if not ours:
                raise Overtaken
        if work not in process.works:
            return
        if silenced:
            self.end(process, work)
        else:
            work.stage, work.looked = "intended", True

    def post(self, process: Process, work: Work, result: PostResult) -> None:
        marker = reply_id(work.turn.start.turn_id)
        found = self.channel.find(marker) if work.maybe_sent else None
        if found is None:
            if not work.looked:
                with self._unless_overtaken(process, work) as connection:
                    if not is_ours(connection, work.turn):
                        raise Overtaken
                if work not in process.works:
                    return
            if result != "not_saved":
                self.channel.posted.append((work.turn.start.conversation_id, marker, work.covers))
                found = len(self.channel.posted) - 1
        if result != "posted" or found is None:
            work.maybe_sent = True
            return
        work.message_id, work.stage = found + 1, "posted"

    def end(self, process: Process, work: Work) -> None:
        with self._unless_overtaken(process, work) as connection:
            if work.message_id:
                confirm_reply(connection, reply_id(work.turn.start.turn_id), work.message_id, NOW)
            if not end_turn(connection, work.turn):
                raise Overtaken
        if work in process.works:
            process.works.remove(work)

    @contextmanager
    def _unless_overtaken(self, process: Process, work: Work) -> Generator[sa.Connection]:
        try:
            with self.database.tenant(SCOPE) as connection:
                yield connection
        except Overtaken:
            process.works.remove(work)

    def killed(self, work: Callable[[sa.Connection], object]) -> None:
        try:
            with self.database.tenant(SCOPE) as connection:
                work(connection)
                raise Killed
        except Killed:
            pass


def accepted(conversation_id: int, message_id: int) -> tuple[ReceivedEvent, TurnStart, Place]:
    """What the edge makes of a message."""
    return _event(conversation_id, message_id), _start(conversation_id, message_id), PLACES["quick"]


def story(messages: tuple[IncomingMessage, ...]) -> TurnStory:
    replied = Replied(outcome="answered", text="respuesta")
    return TurnStory(resolved=ResolvedTurn(messages=messages), decided=None, called=ToolsCalled(), replied=replied)


def reply(work: Work) -> OutgoingReply:
    start = work.turn.start
    return OutgoingReply(
        reply_id=reply_id(start.turn_id), conversation_id=start.conversation_id, account_id=1, text="respuesta"
    )


def _start(conversation_id: int, message_id: int) -> TurnStart:
    return TurnStart(
        turn_id=turn_id(SCOPE.tenant_id, conversation_id, message_id),
        tenant_id=SCOPE.tenant_id,
        account_id=1,
        conversation_id=conversation_id,
        message_id=message_id,
        received_at=NOW,
    )


def _event(conversation_id: int, message_id: int) -> ReceivedEvent:
    return heard(whatsapp_message(SCOPE.tenant_id, conversation_id, message_id, f"mensaje {message_id}"))
