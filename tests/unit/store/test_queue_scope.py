"""Accepting a message is one statement of the application's role, which sees the turns of one tenant only."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, ProgrammingError
from tests.support import heard, whatsapp_message
from tests.unit.store.queued import TurnQueue, a_start

from smarteros.domain.tenants import TenantScope
from smarteros.flow.lanes import PLACES
from smarteros.store.database import Database
from smarteros.store.events import ReceivedEvent, burst
from smarteros.store.queue import accept_message, end_turn, enqueue_turn
from smarteros.store.turns import muted_reason

SHOES, HATS = TenantScope(tenant_id="QUEUE_SHOES"), TenantScope(tenant_id="QUEUE_HATS")
_keys = itertools.count(1)
COUNT = sa.text("SELECT count(*) FROM smos.waiting_turns")


def written(scope: TenantScope, message_id: int, conversation_id: int = 1) -> ReceivedEvent:
    message = whatsapp_message(scope.tenant_id, conversation_id, message_id, '¿Tienen "zapatillas" 42? \\ \' %s 👟')
    return heard(message, f"1:message_created:{conversation_id}-{message_id}-{next(_keys)}")


def accept(database: Database, event: ReceivedEvent) -> bool:
    start = a_start(event.tenant_id, event.conversation_id or 0, event.message_id or 0)
    with database.statement() as connection:
        return accept_message(connection, event, start, PLACES["quick"])


def count(database: Database, scope: TenantScope) -> int:
    with database.tenant(scope) as connection:
        return connection.execute(COUNT).scalar_one()


def test_a_message_is_stored_together_with_its_turn(database: Database, turn_queue: TurnQueue) -> None:
    event = written(SHOES, 1)
    assert accept(database, event)

    turn = turn_queue.claim_one()
    assert turn.start.message_id == 1
    with database.tenant(SHOES) as connection:
        (found,) = [e.message for e in burst(connection, SHOES.tenant_id, 1, "any") if e.message == event.message]
    assert found == event.message


def test_a_message_that_comes_twice_is_stored_once_and_opens_no_second_turn(
    database: Database, turn_queue: TurnQueue
) -> None:
    event = written(SHOES, 2)
    assert accept(database, event)
    with database.tenant(SHOES) as connection:
        assert end_turn(connection, turn_queue.claim_one())

    assert not accept(database, event)
    assert turn_queue.starts() == []


def test_a_duplicate_is_no_news_for_the_turns_of_its_conversation(database: Database, turn_queue: TurnQueue) -> None:
    event = written(SHOES, 3)
    accept(database, event)
    turn_queue.put_off(turn_queue.claim_one(), 60.0)
    accept(database, event)

    assert turn_queue.claim() == []


def test_a_message_whose_turn_cannot_be_enqueued_is_not_stored(database: Database, turn_queue: TurnQueue) -> None:
    event = written(SHOES, 4, conversation_id=404)
    turn_queue.ask("ALTER TABLE smos.waiting_turns ADD CONSTRAINT refused CHECK (conversation_id <> 404)")
    try:
        with pytest.raises(IntegrityError):
            accept(database, event)
    finally:
        turn_queue.ask("ALTER TABLE smos.waiting_turns DROP CONSTRAINT refused")

    assert turn_queue.starts() == []
    assert accept(database, event)


def test_the_scope_of_an_accepted_message_ends_with_its_statement(database: Database, turn_queue: TurnQueue) -> None:
    with database.statement() as connection:
        accept_message(connection, written(SHOES, 5), a_start(SHOES.tenant_id, 1, 5), PLACES["quick"])
        assert connection.execute(COUNT).scalar_one() == 0
        assert muted_reason(connection, SHOES.tenant_id, 1) is None
    assert count(database, SHOES) == 1


def test_a_tenant_sees_its_own_turns_only(database: Database, turn_queue: TurnQueue) -> None:
    accept(database, written(SHOES, 6))

    assert (count(database, SHOES), count(database, HATS)) == (1, 0)
    with database.installation() as connection:
        assert connection.execute(COUNT).scalar_one() == 0


def test_a_turn_cannot_be_ended_or_written_to_under_another_tenants_scope(
    database: Database, turn_queue: TurnQueue
) -> None:
    accept(database, written(SHOES, 7))
    turn = turn_queue.claim_one()
    with database.tenant(HATS) as connection:
        assert not end_turn(connection, turn)
        assert connection.execute(sa.text("UPDATE smos.waiting_turns SET tries = 9")).rowcount == 0
        assert connection.execute(sa.text("DELETE FROM smos.waiting_turns")).rowcount == 0
    assert turn_queue.is_ours(turn)


def test_a_turn_of_another_tenant_cannot_be_enqueued(database: Database, turn_queue: TurnQueue) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), database.tenant(HATS) as connection:
        enqueue_turn(connection, a_start(SHOES.tenant_id, 1), PLACES["quick"])
    assert turn_queue.starts() == []


def test_a_turn_exists_exactly_when_the_transaction_that_opened_it_does(
    database: Database, turn_queue: TurnQueue
) -> None:
    with pytest.raises(ZeroDivisionError), database.tenant(SHOES) as connection:
        enqueue_turn(connection, a_start(SHOES.tenant_id, 1), PLACES["quick"])
        raise ZeroDivisionError
    assert turn_queue.starts() == []


def test_the_end_of_a_turn_that_is_rolled_back_leaves_it_in_its_workers_hands(
    database: Database, turn_queue: TurnQueue
) -> None:
    accept(database, written(SHOES, 8))
    turn = turn_queue.claim_one()
    with pytest.raises(ZeroDivisionError), database.tenant(SHOES) as connection:
        assert end_turn(connection, turn)
        raise ZeroDivisionError

    assert turn_queue.is_ours(turn)


def test_what_a_message_costs_does_not_grow_with_the_queue(database: Database, turn_queue: TurnQueue) -> None:
    """Also when PostgreSQL counted the queue while it was empty, and plans for no rows at all."""
    turn_queue.ask("VACUUM (ANALYZE) smos.waiting_turns")
    read = sa.text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'waiting_turns'")
    rows: list[int] = []
    with database.tenant(SHOES) as connection:  # one transaction, whose statistics are its own
        for conversation_id in range(1, 101):
            enqueue_turn(connection, a_start(SHOES.tenant_id, conversation_id), PLACES["quick"])
            rows.append(connection.execute(read).scalar_one())

    assert rows[-1] - rows[49] <= rows[49] - rows[0] + 50
