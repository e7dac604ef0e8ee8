"""The protocol of a turn against every order of messages, claims, crashes and unclear posts, over the real store.

The model plays two conversations: the queue of turns, worker processes that claim from it, a channel that keeps what
was posted. Between any two steps a process may die, in a transaction too, or stand still and be taken for dead; others
take its turns up, and one that only stood still wakes and goes on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.chaos.turn_model import NOW, SCOPE, PostResult, Process, Work, World, accepted, reply, story
from tests.support import claim_messages

from smarteros.domain.ids import reply_id
from smarteros.store.database import Database
from smarteros.store.queue import (
    accept_message,
    claim_turns,
    end_turn,
    give_back,
    keep_draft,
    put_off,
)
from smarteros.store.turns import confirm_reply, intend_reply, lock_conversation

CONVERSATIONS = 2
MOST_AWAKE = 2
LATER_S = 1000.0
_conversations = itertools.count(50_000)
_messages = itertools.count(1)

SLOW_STORE = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
RESULTS: tuple[PostResult, ...] = ("posted", "saved_then_error", "not_saved")
_DOUBLE = sa.text(
    "SELECT conversation_id FROM smos.waiting_turns WHERE worker IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
)


class TurnProtocol(RuleBasedStateMachine):
    """Two conversations, and as many processes as die."""

    database: Database
    owner: sa.Engine

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[int, list[int]] = {next(_conversations): [] for _ in range(CONVERSATIONS)}
        self.processes: list[Process] = []
        self.gone: list[str] = []
        self.world = World(self.database, self.owner)

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """Draw what is possible. One rule, because turns must come far enough, again and again, to be doubled."""
        begun, working = bool(self._working("begun")), bool(self._working())
        possible: list[tuple[int, Callable[[st.DataObject], None], bool]] = [
            (3, self.customer_writes, True),
            (1, self.webhook_goes_wrong, True),
            (4, self.worker_claims, True),
            (8, self.worker_goes_on, working),
            (1, self.worker_puts_off, begun),
            (1, self.process_dies, bool(self.processes)),
            (1, self.process_dies_in_its_transaction, begun),
            (4, self.process_stands_still, working),
            (6, self.process_wakes_up, bool(self._asleep())),
            (2, self.dead_process_is_noticed, bool(self.gone)),
            (1, self.answer_to_a_claim_is_lost, bool(self._awake())),
        ]
        weighted = [deed for weight, deed, is_possible in possible if is_possible for _ in range(weight)]
        data.draw(st.sampled_from(weighted))(data)

    # --- the customer and Chatwoot

    def customer_writes(self, data: st.DataObject) -> None:
        self.world.accept(self._write(data))

    def webhook_goes_wrong(self, data: st.DataObject) -> None:
        """It comes twice, or the edge dies before it commits: nothing is there, and it is sent again."""
        written = self._write(data)
        if data.draw(st.booleans()):
            self.world.accept(written)
            assert not self.world.accept(written)
            return
        self.world.killed(lambda connection: accept_message(connection, *accepted(*written)))
        assert self.world.accept(written)

    # --- the workers

    def worker_claims(self, data: st.DataObject) -> None:
        if len(self._awake()) < MOST_AWAKE:
            self.processes.append(Process())
        self.world.claim(data.draw(st.sampled_from(self._awake())), data.draw(st.integers(1, 3)))

    def worker_goes_on(self, data: st.DataObject) -> None:
        process, work = data.draw(st.sampled_from(self._working()))
        for _ in range(data.draw(st.sampled_from((1, 1, 2, 3, 4)))):
            if work in process.works:
                result = data.draw(st.sampled_from(RESULTS)) if work.stage == "intended" else "posted"
                gives_way = work.stage != "taken" or data.draw(st.booleans())
                self.world.step(process, work, result, gives_way=gives_way)

    def worker_puts_off(self, data: st.DataObject) -> None:
        for_long = data.draw(st.booleans())
        process, work = data.draw(st.sampled_from(self._working("begun")))
        process.works.remove(work)
        with self.owner.connect() as connection:
            put_off(connection, work.turn, LATER_S if for_long else 0.0)
        if for_long and data.draw(st.booleans()):
            self.world.time_passes()

    # --- what goes wrong

    def process_dies(self, data: st.DataObject) -> None:
        process = data.draw(st.sampled_from(self.processes))
        self._is_gone(process, noticed=data.draw(st.booleans()))

    def process_dies_in_its_transaction(self, data: st.DataObject) -> None:
        process, work = data.draw(st.sampled_from(self._working("begun")))

        def everything(connection: sa.Connection) -> None:
            number, turn = work.turn.start.conversation_id, work.turn.start.turn_id
            claim_messages(connection, SCOPE.tenant_id, number, turn)
            lock_conversation(connection, SCOPE.tenant_id, number, reply_id(turn))
            intend_reply(connection, SCOPE.tenant_id, turn, reply(work))
            keep_draft(connection, work.turn, story(()))
            confirm_reply(connection, reply_id(turn), 1, NOW)
            end_turn(connection, work.turn)

        self.world.killed(everything)
        self._is_gone(process, noticed=data.draw(st.booleans()))

    def process_stands_still(self, data: st.DataObject) -> None:
        """And is taken for dead, when its connection was cut too: another has its turns before it wakes."""
        process, _ = data.draw(st.sampled_from(self._working()))
        process.awake = False
        for work in process.works:
            work.looked = False
        if data.draw(st.sampled_from((True, True, False))):
            self.world.give_back(process.name)
            self.worker_claims(data)

    def process_wakes_up(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self._asleep())).awake = True

    def dead_process_is_noticed(self, _: st.DataObject) -> None:
        self.world.give_back(self.gone.pop())

    def answer_to_a_claim_is_lost(self, data: st.DataObject) -> None:
        """The worker then gives back what it has and does not run."""
        process = data.draw(st.sampled_from(self._awake()))
        with self.owner.connect() as connection:
            claim_turns(connection, process.name, 3, 3)
            give_back(connection, process.name, [work.turn.start.turn_id for work in process.works])

    # --- what must hold

    @invariant()
    def no_marker_is_posted_twice(self) -> None:
        markers = [marker for _, marker, _ in self.world.channel.posted]
        assert len(markers) == len(set(markers))

    @invariant()
    def no_message_is_answered_twice(self) -> None:
        answered = [message for _, _, covers in self.world.channel.posted for message in covers]
        assert len(answered) == len(set(answered))

    @invariant()
    def replies_are_in_order(self) -> None:
        for number in self.written:
            replies = [covers for conversation_id, _, covers in self.world.channel.posted if conversation_id == number]
            assert replies == sorted(replies)

    @invariant()
    def of_one_conversation_never_two_turns_are_claimed(self) -> None:
        with self.owner.connect() as connection:
            assert connection.execute(_DOUBLE).all() == []

    def teardown(self) -> None:
        """In the end somebody lives long enough: every message has its one reply, and the queue is empty."""
        for name in (*self.gone, *(process.name for process in self.processes)):
            self.world.give_back(name)
        last = Process()
        self.world.time_passes()
        while self.world.claim(last, 10):
            while last.works:
                self.world.step(last, last.works[0], "posted", gives_way=True)
        answered = sorted(message for _, _, covers in self.world.channel.posted for message in covers)
        assert answered == sorted(message for messages in self.written.values() for message in messages)
        with self.owner.connect() as connection:
            assert connection.execute(sa.text("SELECT turn_id FROM smos.waiting_turns")).all() == []
        self.no_marker_is_posted_twice()
        self.replies_are_in_order()

    # --- the pieces

    def _awake(self) -> list[Process]:
        return [process for process in self.processes if process.awake]

    def _asleep(self) -> list[Process]:
        return [process for process in self.processes if not process.awake]

    def _working(self, stage: str = "") -> list[tuple[Process, Work]]:
        works = [(process, work) for process in self._awake() for work in process.works]
        return [(process, work) for process, work in works if stage in ("", work.stage)]

    def _is_gone(self, process: Process, *, noticed: bool) -> None:
        self.processes.remove(process)
        if noticed:
            self.world.give_back(process.name)
        else:
            self.gone.append(process.name)

    def _write(self, data: st.DataObject) -> tuple[int, int]:
        number, message_id = data.draw(st.sampled_from(sorted(self.written))), next(_messages)
        self.written[number].append(message_id)
        return number, message_id


@pytest.fixture
def owner(database: Database) -> Generator[sa.Engine]:
    engine = sa.create_engine(database.owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("DELETE FROM smos.waiting_turns"))
    yield engine
    engine.dispose()


def test_every_message_has_exactly_one_reply_whatever_dies_in_between(database: Database, owner: sa.Engine) -> None:
    TurnProtocol.database, TurnProtocol.owner = database, owner
    run_state_machine_as_test(
        TurnProtocol,
        settings=settings(max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=SLOW_STORE),
    )
