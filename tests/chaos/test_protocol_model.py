"""The protocol of a turn against every order of messages, crashes and unclear posts, over the real store.

The model plays one conversation: a queue of turns, one worker at a time, a channel that keeps what was posted. Between
any two steps the worker may die, in a transaction too, and another begins its turn again; a worker that was only
taken for dead may wake up and go on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from smarteros.domain.ids import reply_id, turn_id
from smarteros.domain.messages import Contact, IncomingMessage, OutgoingReply
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.events import (
    ReceivedEvent,
    claim_messages,
    newer_message_waits,
    release_messages,
    store_event,
)
from smarteros.store.turns import confirm_reply, intend_reply, leadership, take_fence

SCOPE = TenantScope(tenant_id="PROTOCOL_SHOP")
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_conversations = itertools.count(50_000)
_messages = itertools.count(1)

PostResult = Literal["posted", "saved_then_error", "not_saved"]
SLOW_STORE = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
RESULTS: tuple[PostResult, ...] = ("posted", "saved_then_error", "not_saved")


class Killed(Exception):
    """The worker dies inside a transaction."""


@dataclass
class Worker:
    """What a process knows of the turn it runs; a crash forgets it."""

    turn: str
    claimed: tuple[int, ...] = ()
    token: int = 0
    maybe_sent: bool = False
    stage: Literal["begun", "claimed", "intended", "posted"] = "begun"
    message_id: int = 0


@dataclass
class ModelChannel:
    """Keeps what was posted: the marker and the messages the reply answers."""

    posted: list[tuple[str, tuple[int, ...]]] = field(default_factory=list[tuple[str, tuple[int, ...]]])

    def find(self, marker: str) -> int | None:
        return next((at for at, (known, _) in enumerate(self.posted) if known == marker), None)


class TurnProtocol(RuleBasedStateMachine):
    """One conversation."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.conversation_id = next(_conversations)
        self.written: list[int] = []
        self.queue: list[str] = []
        self.worker: Worker | None = None
        self.zombies: list[Worker] = []
        self.channel = ModelChannel()

    # --- the customer and Chatwoot

    @rule()
    def customer_writes(self) -> None:
        message_id = next(_messages)
        self.written.append(message_id)
        self._deliver(message_id)

    @rule()
    def webhook_is_killed_before_the_answer(self) -> None:
        """Nothing is stored when the edge dies before it commits: Chatwoot has no 200 and sends it again."""
        message_id = next(_messages)
        self.written.append(message_id)
        self._killed(lambda connection: store_event(connection, self._event(message_id)))
        self._deliver(message_id)

    @precondition(lambda self: bool(self.written))
    @rule(data=st.data())
    def webhook_comes_again(self, data: st.DataObject) -> None:
        self._deliver(data.draw(st.sampled_from(self.written)))

    # --- the worker

    @precondition(lambda self: self.worker is None and bool(self.queue))
    @rule()
    def worker_begins(self) -> None:
        self.worker = Worker(self.queue[0])

    @precondition(lambda self: self.worker is not None and self.worker.stage == "begun")
    @rule()
    def worker_claims(self) -> None:
        worker = self._current()
        with self.database.tenant(SCOPE) as connection:
            held = claim_messages(connection, SCOPE.tenant_id, self.conversation_id, worker.turn)
        worker.claimed = tuple(message.id for message in held)
        if not held:
            self._end_turn()
            return
        with self.database.tenant(SCOPE) as connection:
            worker.token = take_fence(connection, SCOPE.tenant_id, self.conversation_id, worker.turn)
        worker.stage = "claimed"

    @precondition(lambda self: self.worker is not None and self.worker.stage == "claimed")
    @rule()
    def worker_intends(self) -> None:
        """Write the reply down, or give the messages back to the turn of a newer one."""
        worker = self._current()
        if self.channel.find(self._reply(worker).reply_id) is None and self._steps_back(worker):
            self._end_turn()
            return
        with self.database.tenant(SCOPE) as connection:
            intended = intend_reply(connection, SCOPE.tenant_id, worker.turn, self._reply(worker))
        worker.maybe_sent = intended.before
        worker.stage = "intended"

    @precondition(lambda self: self.worker is not None and self.worker.stage == "intended")
    @rule(result=st.sampled_from(RESULTS))
    def worker_posts(self, result: PostResult) -> None:
        worker = self._current()
        self._post(worker, result)

    @precondition(lambda self: self.worker is not None and self.worker.stage == "posted")
    @rule()
    def worker_confirms(self) -> None:
        worker = self._current()
        with self.database.tenant(SCOPE) as connection:
            confirm_reply(connection, self._reply(worker).reply_id, worker.message_id, NOW)
        self._end_turn()

    # --- what goes wrong

    @precondition(lambda self: self.worker is not None)
    @rule()
    def worker_dies(self) -> None:
        self.worker = None

    @precondition(lambda self: self.worker is not None)
    @rule()
    def worker_dies_in_its_transaction(self) -> None:
        worker = self._current()

        def everything(connection: sa.Connection) -> None:
            claim_messages(connection, SCOPE.tenant_id, self.conversation_id, worker.turn)
            intend_reply(connection, SCOPE.tenant_id, worker.turn, self._reply(worker))
            release_messages(connection, SCOPE.tenant_id, worker.turn)

        self._killed(everything)
        self.worker = None

    @precondition(lambda self: self.worker is not None and self.worker.stage in ("claimed", "intended"))
    @rule()
    def worker_is_taken_for_dead(self) -> None:
        self.zombies.append(self._current())
        self.worker = None

    @precondition(lambda self: bool(self.zombies))
    @rule()
    def zombie_wakes_up(self) -> None:
        """It may do what it was about to do, if nobody has begun to reply since."""
        zombie = self.zombies.pop(0)
        with self.database.tenant(SCOPE) as connection:
            who = leadership(connection, SCOPE.tenant_id, self.conversation_id, lock=True)
        if who.fence != zombie.token or self.queue[:1] != [zombie.turn]:
            return
        if self.worker is None:
            self.worker = zombie

    # --- what must hold

    @invariant()
    def no_marker_is_posted_twice(self) -> None:
        markers = [marker for marker, _ in self.channel.posted]
        assert len(markers) == len(set(markers))

    @invariant()
    def no_message_is_answered_twice(self) -> None:
        answered = [message for _, covers in self.channel.posted for message in covers]
        assert len(answered) == len(set(answered))

    @invariant()
    def replies_are_in_order(self) -> None:
        assert [covers for _, covers in self.channel.posted] == sorted(covers for _, covers in self.channel.posted)

    def teardown(self) -> None:
        """In the end somebody lives long enough: every message has its one reply."""
        while self.queue:
            self.worker = Worker(self.queue[0])
            self.worker_claims()
            if self.worker is not None:
                self.worker_intends()
            if self.worker is not None:
                self.worker_posts("posted")
                self.worker_confirms()
        answered = sorted(message for _, covers in self.channel.posted for message in covers)
        assert answered == sorted(self.written)
        self.no_marker_is_posted_twice()

    # --- the pieces

    def _current(self) -> Worker:
        assert self.worker is not None
        return self.worker

    def _deliver(self, message_id: int) -> None:
        with self.database.tenant(SCOPE) as connection:
            stored = store_event(connection, self._event(message_id))
        if stored is not None:
            # In the same transaction in the product; the engine's queue is the model's here.
            self.queue.append(turn_id(SCOPE.tenant_id, self.conversation_id, message_id))

    def _steps_back(self, worker: Worker) -> bool:
        with self.database.tenant(SCOPE) as connection:
            newer = newer_message_waits(connection, SCOPE.tenant_id, self.conversation_id, worker.claimed[-1])
            if newer:
                release_messages(connection, SCOPE.tenant_id, worker.turn)
        return newer

    def _post(self, worker: Worker, result: PostResult) -> None:
        marker = self._reply(worker).reply_id
        found = self.channel.find(marker) if worker.maybe_sent else None
        if found is None and result != "not_saved":
            self.channel.posted.append((marker, worker.claimed))
            found = len(self.channel.posted) - 1
        if result != "posted" or found is None:
            worker.maybe_sent = True
            return
        worker.message_id, worker.stage = found + 1, "posted"

    def _end_turn(self) -> None:
        self.queue.pop(0)
        self.worker = None

    def _killed(self, work: Callable[[sa.Connection], object]) -> None:
        try:
            with self.database.tenant(SCOPE) as connection:
                work(connection)
                raise Killed
        except Killed:
            pass

    def _reply(self, worker: Worker) -> OutgoingReply:
        return OutgoingReply(
            reply_id=reply_id(worker.turn), conversation_id=self.conversation_id, account_id=1, text="respuesta"
        )

    def _event(self, message_id: int) -> ReceivedEvent:
        message = IncomingMessage(
            id=message_id,
            tenant_id=SCOPE.tenant_id,
            account_id=1,
            conversation_id=self.conversation_id,
            inbox_id=7,
            channel="whatsapp",
            contact=Contact(id=5, name="Ana"),
            text=f"mensaje {message_id}",
            created_at=NOW,
        )
        return ReceivedEvent(
            tenant_id=SCOPE.tenant_id,
            event_key=f"1:message_created:{message_id}",
            event="message_created",
            delivery_id=None,
            conversation_id=self.conversation_id,
            message_id=message_id,
            message=message,
            ignore_reason=None,
        )


def test_every_message_has_exactly_one_reply_whatever_dies_in_between(database: Database) -> None:
    TurnProtocol.database = database
    run_state_machine_as_test(
        TurnProtocol,
        settings=settings(max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=SLOW_STORE),
    )
