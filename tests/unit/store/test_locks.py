"""What one of all processes on a PostgreSQL does at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from smarteros.store.database import owner_engine
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.locks import OneProcess


@pytest.fixture
def two(postgres: EmbeddedPostgres) -> Iterator[tuple[OneProcess, OneProcess]]:
    """Two that want to do the same, each with connections of its own."""
    pair = (
        OneProcess(owner_engine(postgres.url()), "watering-the-plants"),
        OneProcess(owner_engine(postgres.url()), "watering-the-plants"),
    )
    yield pair
    for each in pair:
        each.close()


def test_one_of_two_does_it_until_it_lets_the_other(two: tuple[OneProcess, OneProcess]) -> None:
    first, second = two
    assert [first.is_this(), second.is_this(), first.is_this()] == [True, False, True]
    first.let_another()
    assert [second.is_this(), first.is_this()] == [True, False]


def test_when_one_is_gone_the_other_takes_its_place(two: tuple[OneProcess, OneProcess]) -> None:
    first, second = two
    assert first.is_this()
    first.close()
    assert second.is_this()


def test_who_loses_the_connection_knows_and_the_other_may(
    two: tuple[OneProcess, OneProcess], postgres: EmbeddedPostgres
) -> None:
    first, second = two
    assert first.is_this()
    owner = sa.create_engine(postgres.url(), poolclass=sa.NullPool)
    with owner.connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(l.pid, 20000) FROM pg_locks l WHERE l.locktype = 'advisory' AND"
                " (l.classid::bigint << 32) | l.objid::bigint = hashtextextended('watering-the-plants', 0)"
            )
        )

    with pytest.raises(SQLAlchemyError):
        first.is_this()
    assert [second.is_this(), first.is_this()] == [True, False]


def test_different_things_are_done_side_by_side(two: tuple[OneProcess, OneProcess], postgres: EmbeddedPostgres) -> None:
    other = OneProcess(owner_engine(postgres.url()), "feeding-the-cat")
    assert two[0].is_this()
    assert other.is_this()
    other.close()
