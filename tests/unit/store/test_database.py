"""Tenant data is reached through a scope only; without one there is nothing."""

from __future__ import annotations

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
    foreign = {"tenant_id": "STORE_SHOES", "name": "x", "position": 0, "document": {}}

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
