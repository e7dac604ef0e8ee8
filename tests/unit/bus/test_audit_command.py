"""`smos audit`: verify, list, export and prune, with exit codes for machines."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support import migrated_postgres
from typer.testing import CliRunner, Result

from smarteros.bootstrap.audit import audit_seal, event_bus
from smarteros.cli.audit import app
from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent, chain_hash
from smarteros.domain.audit_chain import ChainRow
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpClient
from smarteros.settings import Settings
from smarteros.store.audit import append_event
from smarteros.store.audit_chain import seal_chains
from smarteros.store.audit_tables import GENESIS
from smarteros.store.database import Database, owner_engine
from smarteros.store.embedded import EmbeddedPostgres

SHOP = TenantScope(tenant_id="AUDIT_COMMAND")


@dataclass
class Opened:
    """What the commands open: the tables are real."""

    database: Database


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of our own: --all must find our chains and no others."""
    with migrated_postgres(tmp_path_factory.mktemp("audit")) as server:
        yield server


@pytest.fixture(scope="module")
def installation(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of an installation with two sealed chains: a shop's, and that of refused senders."""
    data_dir = tmp_path_factory.mktemp("data")
    database = Database(server.url(), server.url("smos_app"))
    for number in range(1, 6):
        with database.tenant(SHOP) as connection:
            append_event(connection, event(number, SHOP.tenant_id))
    with database.unclaimed() as connection:
        append_event(connection, event(6, None))
    owner = owner_engine(server.url())
    seal_chains(owner, audit_seal(Settings(data_dir=data_dir)))
    owner.dispose()

    @contextmanager
    def services(_settings: object) -> Generator[Opened]:
        yield Opened(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smarteros.bootstrap.open_services", services)
        yield data_dir
    database.dispose()


def event(number: int, tenant_id: str | None) -> AuditEvent:
    return AuditEvent(
        event_id=f"command-{number}",
        topic=SECURITY_TOPIC,
        kind="turn" if tenant_id else "webhook_refused",
        tenant_id=tenant_id,
        conversation_id=number % 2 if tenant_id else None,
        timestamp=datetime(2026, 11, 23, tzinfo=UTC),
        details={"outcome": "answered"},
    )


def smos_audit(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(data_dir)])


def test_a_whole_installation_verifies_with_exit_code_zero(installation: Path) -> None:
    told = smos_audit(installation, "verify", "--all")
    assert told.exit_code == 0, told.output
    assert told.output.splitlines() == [
        "-: whole, 1 events, sealed up to 1",
        "AUDIT_COMMAND: whole, 5 events, sealed up to 5",
    ]


def test_events_are_listed_by_conversation(installation: Path) -> None:
    listed = json.loads(
        smos_audit(installation, "list", "--tenant", "AUDIT_COMMAND", "--conversation", "1", "--json").stdout
    )
    assert [each["event_id"] for each in listed] == ["command-1", "command-3", "command-5"]
    assert "webhook_refused" in smos_audit(installation, "list", "--tenant", "-").stdout


def test_an_export_can_be_recomputed_by_anybody(installation: Path, tmp_path: Path) -> None:
    file = tmp_path / "chain.jsonl"
    assert smos_audit(installation, "export", "--tenant", "AUDIT_COMMAND", "--out", str(file)).exit_code == 0

    previous = GENESIS
    for line in file.read_text("utf-8").splitlines():
        row = ChainRow.model_validate_json(line)
        assert row.hash == chain_hash(previous, row.event)
        previous = row.hash
    assert row.position == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify",),
        ("verify", "--all", "--tenant", "AUDIT_COMMAND"),
        ("verify", "--tenant", "x' OR '1'='1"),
        ("list", "--tenant", ""),
        ("prune", "--all", "--before", "2100-01-01"),
    ],
)
def test_what_cannot_be_meant_is_refused(installation: Path, arguments: tuple[str, ...]) -> None:
    assert smos_audit(installation, *arguments).exit_code == 2


def test_another_key_an_earlier_report_and_a_changed_event_end_in_exit_code_one(
    installation: Path, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    elsewhere = smos_audit(tmp_path / "without-the-key", "verify", "--tenant", "AUDIT_COMMAND")
    assert elsewhere.exit_code == 1
    assert "seal_broken" in elsewhere.output

    report = tmp_path / "report.json"
    report.write_text(smos_audit(installation, "verify", "--all", "--json").stdout)
    assert smos_audit(installation, "verify", "--all", "--earlier", str(report)).exit_code == 0
    engine = sa.create_engine(server.url(), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("DELETE FROM smos.audit_events WHERE tenant_id = '-'"))
        connection.execute(sa.text("DELETE FROM smos.audit_chains WHERE tenant_id = '-'"))
        connection.execute(sa.text("UPDATE smos.audit_events SET event = event - 'kind' WHERE event_id = 'command-3'"))
    told = smos_audit(installation, "verify", "--all", "--earlier", str(report))

    assert told.exit_code == 1
    assert "-: NOT WHOLE" in told.output
    assert "cut at 1" in told.output
    assert "changed at 3" in told.output
    pruned = smos_audit(installation, "prune", "--tenant", "AUDIT_COMMAND", "--before", "2026-01-01")
    assert "not whole at position 3" in str(pruned.exception)


@pytest.mark.parametrize("bus", ["kafka", "redpanda-http"])
def test_a_bus_without_an_address_is_told_in_one_sentence(bus: str) -> None:
    http = HttpClient()
    with pytest.raises(ConfigError) as missing:
        event_bus(Settings.model_validate({"bus": bus}), http)
    http.close()
    assert missing.value.code == "bus_not_configured"
