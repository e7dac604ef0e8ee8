"""Tenant data is reached through a scope only; without one there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from smarteros.domain.knowledge import Document
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database, migrate
from smarteros.store.documents import PostgresDocumentStore
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.tables import TENANT_TABLES, kb_documents

SHOES = TenantScope(tenant_id="STORE_SHOES")
HATS = TenantScope(tenant_id="STORE_HATS")
HOURS = Document(name="horarios.md", title="Horarios", markdown="Lunes a viernes")


def test_one_tenant_does_not_see_the_documents_of_another(database: Database) -> None:
    documents = PostgresDocumentStore(database)
    documents.save(SHOES, (HOURS,))

    assert documents.load(SHOES) == (HOURS,)
    assert documents.load(HATS) == ()


def test_a_query_without_a_tenant_condition_still_sees_only_the_rows_of_the_scope(database: Database) -> None:
    PostgresDocumentStore(database).save(SHOES, (HOURS,))

    with database.tenant(HATS) as connection:
        assert connection.execute(sa.select(kb_documents)).all() == []


def test_without_a_scope_there_are_no_rows_in_any_tenant_table(database: Database) -> None:
    PostgresDocumentStore(database).save(SHOES, (HOURS,))

    with database.installation() as connection:
        for table in TENANT_TABLES:
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0


def test_a_row_of_another_tenant_cannot_be_written(database: Database) -> None:
    foreign: dict[str, Any] = {"tenant_id": "STORE_SHOES", "name": "x", "position": 0, "document": {}}

    with pytest.raises(ProgrammingError, match="row-level security"), database.tenant(HATS) as connection:
        connection.execute(sa.insert(kb_documents).values(**foreign))


def test_every_import_raises_the_revision_of_its_tenant_only(database: Database) -> None:
    documents = PostgresDocumentStore(database)
    before, other = documents.revision(SHOES), documents.revision(HATS)
    documents.save(SHOES, (HOURS,))

    assert documents.revision(SHOES) == before + 1
    assert documents.revision(HATS) == other


def test_migrating_twice_changes_nothing(postgres: EmbeddedPostgres) -> None:
    migrate(postgres.url())


def test_every_table_with_a_tenant_is_protected(postgres: EmbeddedPostgres) -> None:
    engine = sa.create_engine(postgres.url(), poolclass=sa.NullPool)
    query = """
        SELECT c.relname FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'smos'
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relkind = 'r' AND c.relname <> 'tenants' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    """
    with engine.connect() as connection:
        assert connection.execute(sa.text(query)).all() == []
    engine.dispose()


@pytest.fixture
def single(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A pool of one connection: the next user gets what the last one left."""
    opened = Database(postgres.url(), postgres.url("smos_app"), pool_size=1)
    yield opened
    opened.dispose()


def scope_of(connection: sa.Connection) -> str | None:
    return connection.execute(sa.text("SELECT current_setting('smos.tenant_id', true)")).scalar_one()


def test_what_a_transaction_wrote_is_there_when_it_ends_and_not_when_it_fails(single: Database) -> None:
    row: dict[str, Any] = {"tenant_id": HATS.tenant_id, "position": 0, "document": {}}
    with single.tenant(HATS) as connection:
        connection.execute(sa.insert(kb_documents).values(**row, name="kept"))
    with pytest.raises(ZeroDivisionError), single.tenant(HATS) as connection:
        connection.execute(sa.insert(kb_documents).values(**row, name="lost"))
        raise ZeroDivisionError

    with single.tenant(HATS) as connection:
        assert connection.execute(sa.select(kb_documents.c.name)).scalars().all() == ["kept"]
        connection.execute(sa.delete(kb_documents))


@pytest.mark.parametrize("fault", [None, ZeroDivisionError, KeyboardInterrupt])
def test_a_scope_does_not_stay_with_the_connection_it_was_opened_on(
    single: Database, fault: type[BaseException] | None
) -> None:
    PostgresDocumentStore(single).save(SHOES, (HOURS,))
    with suppress(ZeroDivisionError, KeyboardInterrupt), single.tenant(SHOES) as connection:
        assert scope_of(connection) == SHOES.tenant_id
        if fault is not None:
            raise fault

    for opened in (single.installation, single.statement):
        with opened() as connection:
            assert scope_of(connection) in (None, "")
            assert connection.execute(sa.select(kb_documents)).all() == []


def test_a_scope_does_not_stay_after_a_statement_that_failed(single: Database) -> None:
    with pytest.raises(ProgrammingError), single.tenant(SHOES) as connection:
        connection.execute(sa.text("SELECT * FROM smos.nowhere"))

    with single.statement() as connection:
        assert scope_of(connection) in (None, "")


def test_transactions_that_are_nested_have_their_own_scopes(database: Database) -> None:
    with database.tenant(SHOES) as outer, database.tenant(HATS) as inner:
        assert (scope_of(outer), scope_of(inner)) == (SHOES.tenant_id, HATS.tenant_id)


@pytest.mark.parametrize(
    "tenant_id",
    [
        "x'; SET LOCAL smos.tenant_id = 'STORE_SHOES",
        "x'; RESET ROLE; DROP TABLE smos.tenants; --",
        "x\\'; SELECT 1; --",
        "\\",
        "''",
        "ñandú 👟 %s %(x)s",
        "",
    ],
)
def test_a_tenant_id_cannot_break_out_of_the_statement_that_opens_its_scope(single: Database, tenant_id: str) -> None:
    PostgresDocumentStore(single).save(SHOES, (HOURS,))
    unchecked = TenantScope.model_construct(tenant_id=tenant_id)
    with single.tenant(unchecked) as connection:
        assert scope_of(connection) == tenant_id
        assert connection.execute(sa.select(kb_documents)).all() == []

    with single.installation() as connection:
        connection.execute(sa.text("SELECT count(*) FROM smos.tenants"))
