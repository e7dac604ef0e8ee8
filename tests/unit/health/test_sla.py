"""What probes saw and what became of messages, as a month's report."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from smarteros.cli.main import app
from smarteros.domain.tenants import Tenant
from smarteros.health.probing import Probe, Probing
from smarteros.health.report import sla_report
from smarteros.kit.clock import FixedClock
from smarteros.store.database import NO_TENANT, Database
from smarteros.store.health import stretches
from smarteros.store.tables import turns
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.status import status_of

MONTH, BEGINS = "2025-03", datetime(2025, 3, 1, 3, tzinfo=UTC)
TENANT = Tenant(
    tenant_id="SLA_SHOP",
    name="Zapatería Ñandú",
    rut="76123456-0",
    tenant_key="s" * 24,
    chatwoot_url="http://127.0.0.1:1",
    chatwoot_account_ids=(1,),
)


@dataclass
class Seen:
    """A world in which a service is up unless it is named."""

    clock: FixedClock
    down: set[str]
    probing: Probing

    def minutes(self, count: int) -> None:
        """Probe every 30 seconds for so long."""
        for _ in range(count * 2):
            self.probing.round()
            self.clock.instant += timedelta(seconds=30)


@pytest.fixture
def seen(database: Database) -> Seen:
    with sa.create_engine(database.owner_url, poolclass=sa.NullPool).begin() as owner:
        owner.exec_driver_sql("DELETE FROM smos.health_stretches")
    clock, down = FixedClock(BEGINS), set[str]()

    def is_up(service: str) -> bool:
        if service == "chatwoot" and service in down:
            raise ConnectionError("nobody there")
        return service not in down

    names = [(NO_TENANT, "edge", 30), (NO_TENANT, "agent", 30), (NO_TENANT, "tools", 30)]
    names += [(TENANT.tenant_id, "chatwoot", 60)]
    probes = [Probe(tenant, name, every, lambda name=name: is_up(name)) for tenant, name, every in names]
    return Seen(clock, down, Probing(database, lambda: probes, clock))


def kept(database: Database, tenant_id: str) -> dict[str, list[tuple[bool, int]]]:
    """What is stored of a tenant's services, or of ours."""
    opened = database.unclaimed() if tenant_id == NO_TENANT else database.tenant(TENANT.scope)
    with opened as connection:
        found = stretches(connection, tenant_id, BEGINS, BEGINS + timedelta(days=31))
    return {service: [(each.up, each.probes) for each in rows] for service, rows in found.items()}


def test_an_hour_of_equal_answers_is_one_row(database: Database, seen: Seen) -> None:
    seen.minutes(60)

    assert kept(database, NO_TENANT)["edge"] == [(True, 120)]
    assert kept(database, TENANT.tenant_id) == {"chatwoot": [(True, 60)]}


def test_a_change_and_a_gap_begin_a_new_row(database: Database, seen: Seen) -> None:
    seen.minutes(5)
    seen.down.add("edge")
    seen.minutes(2)
    seen.down.clear()
    seen.minutes(5)
    seen.clock.instant += timedelta(hours=1)
    seen.minutes(1)

    assert kept(database, NO_TENANT)["edge"] == [(True, 10), (False, 4), (True, 10), (True, 2)]
    assert kept(database, NO_TENANT)["agent"] == [(True, 24), (True, 2)]


def test_a_check_that_raises_has_found_its_service_down(database: Database, seen: Seen) -> None:
    seen.down.add("chatwoot")
    seen.minutes(1)
    assert kept(database, TENANT.tenant_id)["chatwoot"] == [(False, 1)]


def test_what_is_down_is_told_with_its_beginning_as_long_as_it_is_asked(database: Database, seen: Seen) -> None:
    seen.minutes(2)
    began = seen.clock.instant
    seen.down.add("chatwoot")
    seen.minutes(5)

    def told() -> dict[str, datetime]:
        return status_of(database, TENANT, {"chatwoot": False}, seen.clock.instant).down_since

    assert told() == {"chatwoot": began}
    seen.clock.instant += timedelta(hours=1)
    assert told() == {}
    seen.down.clear()
    seen.minutes(1)
    assert told() == {}


def test_minutes_lost_are_those_in_which_something_of_ours_was_down(database: Database, seen: Seen) -> None:
    seen.minutes(30)
    seen.down |= {"edge", "chatwoot"}
    seen.minutes(3)
    seen.down.clear()
    seen.minutes(27)
    report = sla_report(database, TENANT, MONTH, seen.clock.instant)

    assert (report.minutes_lost, len(report.outages), report.kept) == (3.0, 1, False)
    assert report.by_probe.total_s == 3600
    assert "3420 s up / (3420 s up + 180 s down) = 95.000 %; 0 of 3600 s unknown" in report.arithmetic[0]
    assert "(1 - 0.999) = 4 s; lost: 180 s = 3.0 min in 1 outages" in report.arithmetic[1]
    chatwoot = next(each for each in report.services if each.service == "chatwoot")
    assert (chatwoot.ours, chatwoot.availability.down_s > 0) == (False, True)


def test_an_outage_of_an_outside_system_is_told_and_not_ours(database: Database, seen: Seen) -> None:
    seen.down.add("chatwoot")
    seen.minutes(10)
    report = sla_report(database, TENANT, MONTH, seen.clock.instant)
    assert (report.kept, report.outages) == (True, ())


def test_a_month_nobody_looked_at_keeps_nothing_and_breaks_nothing(database: Database, seen: Seen) -> None:
    report = sla_report(database, TENANT, "2024-01", seen.clock.instant)
    assert (report.kept, report.by_probe.ratio, report.by_traffic.ratio) == (None, None, None)
    assert report.until == datetime(2024, 2, 1, 3, tzinfo=UTC)


def write_turns(database: Database, outcomes: dict[int, str]) -> None:
    """Turns of the month by minute."""
    with database.tenant(TENANT.scope) as connection:
        connection.execute(turns.delete().where(turns.c.tenant_id == TENANT.tenant_id))
        for minute, outcome in outcomes.items():
            values: dict[str, Any] = {"turn_id": f"sla:{minute}", "tenant_id": TENANT.tenant_id, "outcome": outcome}
            values |= {"conversation_id": minute, "message_id": minute, "flow_id": "e2e_faq_quick", "record": {}}
            connection.execute(turns.insert().values(**values, received_at=BEGINS + timedelta(minutes=minute)))


def test_by_traffic_counts_whoever_got_an_answer_or_a_person(database: Database, seen: Seen) -> None:
    write_turns(database, {1: "answered", 2: "escalated", 3: "failed", 4: "muted", 5: "merged", 6: "answered"})
    report = sla_report(database, TENANT, MONTH, BEGINS + timedelta(days=2))

    assert (report.by_traffic.served, report.by_traffic.lost, report.by_traffic.ratio) == (3, 1, 0.75)
    assert report.by_traffic.minutes_lost == 1
    assert "(2 answered + 1 handed over) / (3 served + 1 failed + 0 found too late) = 75.000 %" in report.arithmetic[2]


@pytest.fixture
def smos(database: Database, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, on the test's database."""

    @dataclass
    class Opened:
        database: Database
        tenants: TenantDirectory

    directory = TenantDirectory(database)
    directory.save(TENANT)

    @contextmanager
    def services(_settings: object) -> Generator[Opened]:
        yield Opened(database, directory)

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["sla", "--tenant", TENANT.tenant_id, *arguments])

    return run


def test_the_command_shows_the_arithmetic_and_writes_json_and_pdf(
    database: Database, seen: Seen, smos: Any, tmp_path: Path
) -> None:
    write_turns(database, {1: "answered"})
    seen.minutes(2)
    said = smos("--month", MONTH).stdout
    report = json.loads(smos("--month", MONTH, "--json").stdout)
    smos("--month", MONTH, "--pdf", str(tmp_path / "sla.pdf"))
    with pypdfium2.PdfDocument(tmp_path / "sla.pdf") as pdf:
        text = pdf[0].get_textpage().get_text_range()

    assert "by probe:" in said
    assert "(1 answered + 0 handed over) / (1 served + 0 failed + 0 found too late) = 100.000 %" in said
    assert report["by_probe"]["total_s"] == 31 * 86_400
    assert report["by_probe"]["up_s"] == 90 + 75
    assert "Zapatería Ñandú" in text
    assert "99.900 %" in text


@pytest.mark.parametrize("month", ["2999-01", "november", "2026-13"])
def test_a_month_that_is_none_or_has_not_begun_is_refused(smos: Any, month: str) -> None:
    assert smos("--month", month).exit_code == 2
