"""Everything held of a tenant is exported, and erased; which tables that is, is asked of the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.tenants.installation import Installation, Outside, opened

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant
from smarteros.store.database import Database, migrate
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.tenants.erasure import Eraser
from smarteros.tenants.held_rows import held_tables
from smarteros.tenants.noting import note_change

CANARY = "canary-in-every-table"
# The audit's tables are filled by what is done to a tenant: only events that follow the chain's end are taken.
_BY_THEMSELVES = {"tenants", "audit_events", "audit_chains"}
_NEEDED = """
SELECT table_name, column_name, data_type FROM information_schema.columns
 WHERE table_schema = 'smos' AND column_name <> :tenant AND is_identity = 'NO'
   AND (is_nullable = 'NO' AND column_default IS NULL OR data_type IN ('text', 'bytea'))
"""
_VALUES: dict[str, str] = {
    "text": f"'{CANARY}'",
    "bytea": f"'{CANARY}'::bytea",
    "jsonb": "'{}'",
    "ARRAY": "'{}'",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "date": "now()",
    "tsvector": "''",
}


def fill(url: str, tenant_id: str) -> set[str]:
    """Put a row of the tenant into every table that can hold one; returns the tables."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        tables = {table.name: table for table in held_tables(connection)}
        needed: dict[str, dict[str, str]] = {name: {} for name in tables}
        for row in connection.execute(sa.text(_NEEDED), {"tenant": "tenant_id"}):
            if row.table_name in needed:
                needed[row.table_name][row.column_name] = _VALUES.get(row.data_type, "1")
        for name, table in tables.items():
            if name in _BY_THEMSELVES:
                continue
            values = {**needed[name], **dict.fromkeys(table.owners[-1:], f"'{tenant_id}'")}
            # What is unique over all tenants must not be the canary twice.
            values |= {key: f"'{CANARY} {tenant_id}'" for key in table.key if values.get(key) == f"'{CANARY}'"}
            columns, said = ", ".join(f'"{each}"' for each in values), ", ".join(values.values())
            connection.exec_driver_sql(f"INSERT INTO {table.qualified} ({columns}) VALUES ({said})")
    engine.dispose()
    return set(tables)


@pytest.fixture(autouse=True)
def nothing_stays(installation: Installation) -> Iterator[None]:
    """Other tests share the database, and a canary is no language, no role and no turn."""
    yield
    engine = sa.create_engine(installation.database.owner_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # in any order
        for table in held_tables(connection):
            if table.name not in _BY_THEMSELVES:
                owner = f'"{table.owners[-1]}"'
                connection.exec_driver_sql(f"DELETE FROM {table.qualified} WHERE starts_with({owner}, 'DATA_')")
    engine.dispose()


def mentions(url: str, tenant_id: str) -> dict[str, int]:
    """Count the rows of every table of the schema in which the id stands anywhere."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        names = connection.scalars(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'smos'")).all()
        counts = {
            name: connection.execute(
                sa.text(f'SELECT count(*) FROM smos."{name}" AS held WHERE held::text LIKE :id'),
                {"id": f"%{tenant_id}%"},
            ).scalar_one()
            for name in names
        }
    engine.dispose()
    return {name: count for name, count in counts.items() if count}


def taken_on(installation: Installation, name: str) -> tuple[Tenant, dict[str, Any]]:
    wanted = installation.application(name)
    installation.add(wanted)
    return installation.tenants.get(name), wanted


def test_an_export_has_every_table_and_no_key(installation: Installation, tmp_path: Path) -> None:
    tenant, _ = taken_on(installation, "DATA_EXPORT")
    other, _ = taken_on(installation, "DATA_OTHER")
    tables = fill(installation.database.owner_url, tenant.tenant_id)
    fill(installation.database.owner_url, other.tenant_id)
    out = tmp_path / "export"
    manifest = installation.asked("tenant", "export", tenant.tenant_id, "--out", str(out))

    files = {file["name"]: file for file in manifest["files"]}
    assert set(files) == {f"{name}.jsonl" for name in tables - {"tenants"}} | {"settings.json"}
    assert [name for name, file in files.items() if file["rows"] == 0] == []
    for name, file in files.items():
        content = (out / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    text = "".join(path.read_text("utf-8") for path in out.iterdir())
    held = [installation.secrets.read(tenant.scope, entry.path) for entry in installation.secrets.entries(tenant.scope)]
    assert len(held) > 5
    assert [secret for secret in (*held, tenant.tenant_key, other.tenant_id) if secret in text.replace("/", "")] == []
    assert {entry["path"] for entry in manifest["secrets_left_out"]} >= {"chatwoot/hmac_secret", "shopify/client_id"}
    for name, column in (("people", "password_hash"), ("people_sessions", "token_hash"), ("contacts", "key")):
        row = json.loads((out / f"{name}.jsonl").read_text("utf-8"))
        assert column not in row
        assert column in files[f"{name}.jsonl"]["left_out"]
    assert {oct(path.stat().st_mode & 0o77) for path in (out, *out.iterdir())} == {"0o0"}


def test_an_export_begins_with_an_empty_directory(installation: Installation, tmp_path: Path) -> None:
    taken_on(installation, "DATA_TWICE")
    (tmp_path / "kept.txt").write_text("something")
    done = installation.smos("tenant", "export", "DATA_TWICE", "--out", str(tmp_path))
    assert isinstance(done.exception, ConfigError)
    assert done.exception.code == "export_exists"
    assert not (tmp_path / "settings.json").exists()


def test_an_erased_tenant_leaves_its_tombstone_and_nothing_else(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smarteros.tenants.erasure.FRESH_FOR_S", 0)
    # A row in every table is also a turn that seems to run, and nobody is there to end it.
    monkeypatch.setattr("smarteros.tenants.erasure._LOOK_EVERY_S", 0)
    tenant, wanted = taken_on(installation, "DATA_GONE")
    neighbour, _ = taken_on(installation, "DATA_STAYS")
    url = installation.database.owner_url
    fill(url, tenant.tenant_id)
    fill(url, neighbour.tenant_id)
    before = mentions(url, neighbour.tenant_id)
    told = installation.asked("tenant", "erase", tenant.tenant_id, "--yes")

    assert mentions(url, tenant.tenant_id) == {"audit_events": 1, "outbox": 1}
    assert mentions(url, neighbour.tenant_id) == before
    with installation.database.unclaimed() as connection:
        tombstone = connection.execute(
            sa.text("SELECT event FROM smos.audit_events WHERE event->>'kind' = 'tenant_erased'"
                    " AND event->'details'->>'erased' = 'DATA_GONE'")
        ).scalar_one()  # fmt: skip
    assert tombstone["details"]["chain"]["position"] >= 2
    assert tombstone["details"]["rows"]["conversations"] == told["rows"]["conversations"] == 1
    assert (told["left"], installation.secrets.entries(tenant.scope)) == ([], ())
    assert installation.outside.bots(wanted["account_id"]) == []
    assert installation.tenants.find(tenant.tenant_id) is None
    assert installation.tenants.get(neighbour.tenant_id).active


def test_who_types_something_else_erases_nothing(installation: Installation) -> None:
    tenant, _ = taken_on(installation, "DATA_TYPED")
    done = installation.smos("tenant", "erase", tenant.tenant_id, stdin="data_typed\n")
    assert isinstance(done.exception, ConfigError)
    assert installation.tenants.get(tenant.tenant_id).active
    assert installation.secrets.entries(tenant.scope)


def test_a_chatwoot_that_is_away_keeps_nobody_from_being_erased(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smarteros.tenants.erasure.FRESH_FOR_S", 0)
    tenant, _ = taken_on(installation, "DATA_AWAY")
    installation.tenants.save(tenant.model_copy(update={"chatwoot_url": "http://127.0.0.1:1"}))
    told = installation.asked("tenant", "erase", tenant.tenant_id, "--yes")
    assert "by hand" in told["left"][0]
    assert installation.tenants.find(tenant.tenant_id) is None


def test_other_processes_get_time_to_see_it_before_anything_is_removed(installation: Installation) -> None:
    tenant, _ = taken_on(installation, "DATA_WAIT")
    seen: list[tuple[float, bool, int]] = []

    def sleep(seconds: float) -> None:
        elsewhere = type(installation.tenants)(installation.database)
        seen.append(
            (seconds, elsewhere.is_suspended(tenant.tenant_id), len(installation.secrets.entries(tenant.scope)))
        )

    parts = (installation.database, installation.tenants, installation.secrets, installation.http)
    Eraser(*parts, sleep=sleep).erase(tenant)
    assert [(seconds, suspended) for seconds, suspended, _ in seen] == [(2.0, True)]
    assert seen[0][2] > 0


@contextmanager
def database_of_plain_owner(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database whose owner is no superuser: row-level security holds for him too."""
    superuser = sa.create_engine(postgres.url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with superuser.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE plain_owner LOGIN CREATEROLE")
        connection.exec_driver_sql("CREATE DATABASE plain OWNER plain_owner")
    owner = sa.make_url(postgres.url("plain_owner")).set(database="plain").render_as_string(hide_password=False)
    app = sa.make_url(postgres.url("smos_app")).set(database="plain").render_as_string(hide_password=False)
    migrate(owner)
    database = Database(owner, app)
    yield database
    database.dispose()
    with superuser.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE plain")
        connection.exec_driver_sql("DROP ROLE plain_owner")
    superuser.dispose()


def test_an_owner_under_row_security_erases_as_well(
    postgres: EmbeddedPostgres, outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    superuser = sa.make_url(postgres.url()).set(database="plain").render_as_string(hide_password=False)
    with (
        database_of_plain_owner(postgres) as database,
        opened(database, outside, tmp_path, monkeypatch) as installation,
    ):
        tenant, _ = taken_on(installation, "DATA_PLAIN")
        fill(superuser, tenant.tenant_id)
        note_change(database, tenant.scope, "tenant_changed", changes=["something"])
        parts = (database, installation.tenants, installation.secrets, installation.http)
        Eraser(*parts, sleep=lambda _: None).erase(tenant)

        assert mentions(superuser, tenant.tenant_id) == {"audit_events": 1, "outbox": 1}
        engine = sa.create_engine(superuser, poolclass=sa.NullPool)
        with engine.connect() as connection:
            left = connection.scalars(sa.text("SELECT tablename FROM pg_policies WHERE policyname = 'erased_rows'"))
            assert left.all() == []
        engine.dispose()
