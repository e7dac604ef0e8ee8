"""Whoever gets hold of the application's role gets no turn of another tenant, and none to run."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, ProgrammingError

from smarteros.domain.ids import turn_id
from smarteros.domain.tenants import TenantScope
from smarteros.domain.turns import TurnStart
from smarteros.flow.lanes import PLACES
from smarteros.store.database import Database
from smarteros.store.queue import claim_turns, enqueue_turn, give_back

VICTIM, THIEF = TenantScope(tenant_id="ATTACKED_SHOP"), TenantScope(tenant_id="ATTACKING_SHOP")
_numbers = itertools.count(1)


@pytest.fixture
def turn(database: Database) -> TurnStart:
    """A turn of the victim that waits."""
    number = next(_numbers)
    start = TurnStart(
        turn_id=turn_id(VICTIM.tenant_id, number, 1),
        tenant_id=VICTIM.tenant_id,
        account_id=1,
        conversation_id=number,
        message_id=1,
        received_at=datetime.now(UTC),
    )
    with database.tenant(VICTIM) as connection:
        enqueue_turn(connection, start, PLACES["quick"])
    return start


def waits(database: Database, turn: TurnStart) -> bool:
    with database.tenant(VICTIM) as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM smos.waiting_turns WHERE turn_id = %s AND worker IS NULL AND news = 0",
            (turn.turn_id,),
        )
        return found.scalar_one() == 1


def test_the_application_cannot_claim_turns(database: Database, turn: TurnStart) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), database.statement() as connection:
        claim_turns(connection, "thief", 10, 10)
    with pytest.raises(ProgrammingError, match="permission denied"), database.tenant(VICTIM) as connection:
        claim_turns(connection, "thief", 10, 10)

    assert waits(database, turn)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE smos.waiting_turns SET worker = 'thief'",
        "UPDATE smos.waiting_turns SET tenant_id = 'ATTACKING_SHOP'",
        "DELETE FROM smos.waiting_turns",
        "SELECT * FROM smos.waiting_turns FOR UPDATE",
    ],
)
def test_another_tenants_turns_are_neither_read_nor_changed(
    database: Database, turn: TurnStart, statement: str
) -> None:
    for opened in (lambda: database.tenant(THIEF), database.unclaimed, database.installation, database.statement):
        with opened() as connection:
            assert connection.execute(sa.text(statement)).rowcount == 0

    assert waits(database, turn)


def test_another_tenants_conversation_cannot_be_disturbed(database: Database, turn: TurnStart) -> None:
    own = turn.model_copy(update={"turn_id": f"{THIEF.tenant_id}:1", "tenant_id": THIEF.tenant_id})
    with database.tenant(THIEF) as connection:
        enqueue_turn(connection, own, PLACES["quick"])
        give_back(connection, "")

    assert waits(database, turn)


def test_a_turn_cannot_be_moved_to_another_tenant(database: Database, turn: TurnStart) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), database.tenant(VICTIM) as connection:
        connection.execute(sa.text("UPDATE smos.waiting_turns SET tenant_id = 'ATTACKING_SHOP'"))

    assert waits(database, turn)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE smos.waiting_turns DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON smos.waiting_turns",
        "GRANT EXECUTE ON FUNCTION smos.claim_turns(text, integer, integer) TO smos_app",
        "GRANT EXECUTE ON FUNCTION smos.claim_turns(text, integer, integer, text[]) TO smos_app",
        "CREATE OR REPLACE FUNCTION smos.claim_turns(text, integer, integer) RETURNS SETOF smos.waiting_turns"
        " LANGUAGE sql AS 'SELECT * FROM smos.waiting_turns'",
        "TRUNCATE smos.waiting_turns",
        "SET ROLE postgres",
    ],
)
def test_the_application_cannot_lift_the_protection(database: Database, turn: TurnStart, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"must be owner|permission denied"), database.statement() as connection:
        connection.execute(sa.text(statement))

    assert waits(database, turn)


def test_a_turn_of_ones_own_with_anothers_name_changes_nothing(database: Database, turn: TurnStart) -> None:
    squatted = turn.model_copy(update={"tenant_id": THIEF.tenant_id})
    with database.tenant(THIEF) as connection:
        enqueue_turn(connection, squatted, PLACES["quick"])

    assert waits(database, turn)
