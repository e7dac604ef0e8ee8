"""Every table, those of tomorrow too: whoever has the application's role reaches the rows of one tenant, or none.

The tables are asked of PostgreSQL's own catalogue, not of our code: a table somebody forgot to protect is found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from smarteros.store.database import NO_TENANT
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.migrations.own_rows import APP_ROLE

OURS, THEIRS = "ROWS_OF_OURS", "ROWS_OF_THEIRS"
# The directory is read before it is known whose a request is. It holds settings, never a secret or a customer.
DIRECTORY = {"tenants"}
WITH_TENANT = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced, pg_get_userbyid(c.relowner) AS owner
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'smos'
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') ORDER BY 1
"""
COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
     WHERE table_schema = 'smos' AND table_name = :table AND is_generated = 'NEVER' AND is_nullable = 'NO'
       AND column_default IS NULL AND is_identity = 'NO' AND column_name <> 'tenant_id'
"""
A_VALUE = {
    "text": "'x'", "character varying": "'x'", "bigint": "1", "integer": "1", "smallint": "1", "jsonb": "'{}'",
    "timestamp with time zone": "now()", "boolean": "true", "bytea": "'x'", "double precision": "1", "real": "1",
    "numeric": "1", "date": "current_date", "uuid": "gen_random_uuid()", "ARRAY": "'{}'", "interval": "'1 s'",
}  # fmt: skip


@pytest.fixture(scope="module")
def owner(postgres: EmbeddedPostgres) -> Iterator[sa.Engine]:
    engine = sa.create_engine(postgres.url(), poolclass=sa.NullPool)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def tables(owner: sa.Engine) -> list[str]:
    with owner.connect() as connection:
        return [row.relname for row in connection.execute(sa.text(WITH_TENANT)) if row.relname not in DIRECTORY]


@pytest.fixture(scope="module")
def seeded(owner: sa.Engine, tables: list[str]) -> Iterator[sa.Connection]:
    """A transaction, never committed, in which each of two tenants has a row in every table."""
    with owner.connect() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))  # no foreign keys, no triggers
        for tenant_id in (OURS, THEIRS):
            for table in tables:
                connection.execute(sa.text(_insert(connection, table, tenant_id)))
        connection.execute(sa.text("SET LOCAL session_replication_role = origin"))
        yield connection
        connection.rollback()


def _insert(connection: sa.Connection, table: str, tenant_id: str) -> str:
    columns = connection.execute(sa.text(COLUMNS), {"table": table}).all()
    values = {"tenant_id": f"'{tenant_id}'"}
    for column in columns:
        value = A_VALUE.get(column.data_type, "''")
        # Names are unique over all tenants: each tenant's row has its own.
        values[column.column_name] = f"'{tenant_id}'" if value == "'x'" and column.data_type != "bytea" else value
    return f"INSERT INTO smos.{table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"


class AsApplication:
    """The seeded transaction as the application's role, in a scope; what is done is undone."""

    def __init__(self, connection: sa.Connection, scope: str | None) -> None:
        self.connection, self.scope = connection, scope

    def __enter__(self) -> sa.Connection:
        self.save = self.connection.begin_nested()
        self.connection.execute(sa.text(f"SET LOCAL ROLE {APP_ROLE}"))
        self.connection.execute(sa.text("SELECT set_config('smos.tenant_id', :scope, true)"), {"scope": self.scope})
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.save.rollback()


def test_there_are_tables_to_look_at(tables: list[str]) -> None:
    assert {"turns", "audit_events", "kb_documents", "waiting_turns", "conversation_months"} <= set(tables)


def test_row_level_security_is_forced_on_every_table_with_a_tenant(owner: sa.Engine) -> None:
    with owner.connect() as connection:
        found = connection.execute(sa.text(WITH_TENANT)).all()

    assert [row.relname for row in found if not row.forced and row.relname not in DIRECTORY] == []


def test_every_policy_for_the_application_asks_for_the_transactions_tenant(owner: sa.Engine, tables: list[str]) -> None:
    asked = sa.text(
        "SELECT tablename, qual, with_check FROM pg_policies WHERE schemaname = 'smos'"
        " AND (:role = ANY(roles) OR 'public' = ANY(roles))"
    )
    with owner.connect() as connection:
        policies = connection.execute(asked, {"role": APP_ROLE}).all()

    own = "(tenant_id = current_setting('smos.tenant_id'::text, true))"
    assert {policy.tablename for policy in policies} >= set(tables)
    odd = [p for p in policies if p.tablename in tables and {p.qual, p.with_check} - {None} != {own}]
    assert odd == []


def test_the_applications_role_owns_nothing_and_is_above_no_rule(owner: sa.Engine) -> None:
    rights = sa.text(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,"
        " (SELECT count(*) FROM pg_auth_members m WHERE m.member = r.oid) AS memberships,"
        " (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid) AS tables,"
        " (SELECT count(*) FROM pg_proc p WHERE p.proowner = r.oid) AS functions,"
        " has_schema_privilege(r.oid, 'smos', 'CREATE') AS creates FROM pg_roles r WHERE rolname = :role"
    )
    with owner.connect() as connection:
        found = connection.execute(rights, {"role": APP_ROLE}).one()

    assert not any(found)


def test_a_function_that_runs_as_the_owner_has_its_search_path_set(owner: sa.Engine) -> None:
    asked = sa.text(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'smos'"
        " WHERE p.prosecdef AND NOT coalesce(p.proconfig::text LIKE '%search_path=%', false)"
    )
    with owner.connect() as connection:
        assert connection.execute(asked).scalars().all() == []


@settings(max_examples=12, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scope=st.one_of(
        st.sampled_from([OURS, None, "", NO_TENANT, OURS.lower(), f"{OURS} ", f"{OURS}%", "%", "ROWS_OF_OUR_"]),
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
    )
)
def test_a_scope_shows_its_own_rows_of_every_table_and_any_other_none(
    seeded: sa.Connection, tables: list[str], scope: str | None
) -> None:
    seen: dict[str, set[str]] = {}
    with AsApplication(seeded, scope) as connection:
        for table in tables:
            rows = connection.execute(sa.text(f"SELECT DISTINCT tenant_id FROM smos.{table}"))
            seen[table] = set(rows.scalars())

    own = {OURS, THEIRS} & {scope or ""}
    assert {table: ids & {OURS, THEIRS} for table, ids in seen.items()} == dict.fromkeys(tables, own)
    assert all(ids <= {scope} for ids in seen.values())


@pytest.mark.parametrize("scope", [THEIRS, None, "", NO_TENANT])
def test_no_row_of_another_tenant_is_changed_or_removed(
    seeded: sa.Connection, tables: list[str], scope: str | None
) -> None:
    for table in tables:
        for statement in (
            f"UPDATE smos.{table} SET tenant_id = tenant_id WHERE tenant_id = '{OURS}'",
            f"DELETE FROM smos.{table} WHERE tenant_id = '{OURS}'",
        ):
            with AsApplication(seeded, scope) as connection:
                assert _touched(connection, statement) == 0


@pytest.mark.parametrize("scope", [THEIRS, None, "", NO_TENANT])
def test_no_row_is_written_under_another_tenants_name(
    seeded: sa.Connection, tables: list[str], scope: str | None
) -> None:
    for statement in [_insert(seeded, table, OURS) for table in tables]:
        with (
            AsApplication(seeded, scope) as connection,
            pytest.raises(DBAPIError, match=r"row-level security|permission denied"),
        ):
            connection.execute(sa.text(statement))


def test_no_table_can_be_emptied_or_its_protection_lifted(seeded: sa.Connection, tables: list[str]) -> None:
    for table in tables:
        for statement in (
            f"TRUNCATE smos.{table}",
            f"ALTER TABLE smos.{table} NO FORCE ROW LEVEL SECURITY",
            f"DROP POLICY own_rows ON smos.{table}",
        ):
            with (
                AsApplication(seeded, OURS) as connection,
                pytest.raises(DBAPIError, match=r"must be owner|permission denied"),
            ):
                connection.execute(sa.text(statement))


def _touched(connection: sa.Connection, statement: str) -> int:
    try:
        return connection.execute(sa.text(statement)).rowcount
    except DBAPIError as error:
        if not re.search("permission denied", str(error)):
            raise
        return 0
