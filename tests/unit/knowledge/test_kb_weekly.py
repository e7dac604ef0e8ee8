"""When sources are read and the owner is told, and what he is told of questions without an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.channels.conftest import Site
from tests.unit.knowledge.upkeep_world import OWNER, Upkept

from smarteros.domain.decisions import Intent
from smarteros.domain.errors import ConfigError, TransientError
from smarteros.domain.gaps import Gap
from smarteros.domain.people import Person
from smarteros.domain.upkeep import Interval, UpkeepSettings
from smarteros.kit.clock import SANTIAGO
from smarteros.kit.http import HttpClient
from smarteros.knowledge.upkeep.times import last_report, next_reading
from smarteros.store.database import Database
from smarteros.store.gaps import note_gap
from smarteros.store.people import add_person

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=SANTIAGO)


def chilean(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SANTIAGO).astimezone(UTC)


@pytest.mark.parametrize(
    ("interval", "now", "due"),
    [
        ("day", "2026-11-23 01:59", "2026-11-23 02:00"),
        ("day", "2026-11-23 02:00", "2026-11-24 02:00"),
        ("day", "2026-09-05 12:00", "2026-09-06 02:00"),  # clocks go forward that night
        ("week", "2026-11-23 12:00", "2026-11-29 02:00"),
        ("week", "2026-11-29 02:00", "2026-12-06 02:00"),
        ("week", "2026-04-05 01:00", "2026-04-05 02:00"),  # clocks went back that night
    ],
)
def test_sources_are_read_at_two_in_the_morning_in_chile(interval: Interval, now: str, due: str) -> None:
    assert next_reading(interval, chilean(now)) == chilean(due)


@pytest.mark.parametrize(
    ("now", "since"),
    [
        ("2026-11-23 07:59", "2026-11-16 08:00"),
        ("2026-11-23 08:00", "2026-11-23 08:00"),
        ("2026-11-29 23:59", "2026-11-23 08:00"),
        ("2026-04-06 07:30", "2026-03-30 08:00"),  # the week had an hour more
    ],
)
def test_reports_are_due_on_monday_mornings(now: str, since: str) -> None:
    assert last_report(chilean(now)) == chilean(since)


@pytest.fixture
def shop(database: Database, http: HttpClient, site: Site) -> Upkept:
    opened = Upkept(database, http, site)
    opened.clock.instant = (MONDAY - timedelta(days=5)).astimezone(UTC)
    opened.reports.send_if_due(opened.tenant)  # the worker has come up
    return opened


def ask_in_vain(shop: Upkept, example: str, intent: Intent = "out_of_scope", times: int = 1) -> None:
    pattern = example.lower().strip("¿?")
    gap = Gap(pattern=pattern, example=example, reason="not_in_kb", intent=intent, confidence=0.4)
    with shop.database.tenant(shop.tenant.scope) as connection:
        for _ in range(times):
            note_gap(connection, shop.tenant.tenant_id, gap, shop.clock.now())


def test_the_owner_is_told_once_on_monday(shop: Upkept) -> None:
    ask_in_vain(shop, "¿Reparan zapatos?")
    assert not shop.reports.send_if_due(shop.tenant)
    shop.clock.instant = MONDAY.astimezone(UTC)
    assert shop.reports.send_if_due(shop.tenant)
    assert not shop.reports.send_if_due(shop.tenant)
    (mail,) = shop.mails
    assert (mail["To"], mail["Subject"]) == (OWNER, "Preguntas sin respuesta de la semana: Zapatería Ñandú")
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert "¿Reparan zapatos?" in part.get_content()
        assert "16-11-2026 al 23-11-2026" in part.get_content()


def test_questions_are_grouped_by_matter_the_most_frequent_first(shop: Upkept) -> None:
    ask_in_vain(shop, "¿Llegan a la Antártica?", "faq_shipping", times=2)
    ask_in_vain(shop, "¿Despachan en bici?", "faq_shipping", times=3)
    ask_in_vain(shop, "¿Aceptan trueque?", "faq_payment_methods")
    report = shop.reports.report(shop.tenant)
    assert [(group.matter, [each.example for each in group.questions]) for group in report.groups] == [
        ("envios", ["¿Despachan en bici?", "¿Llegan a la Antártica?"]),
        ("pago", ["¿Aceptan trueque?"]),
    ]
    shop.clock.instant += timedelta(days=8)
    assert shop.reports.report(shop.tenant).empty


def test_what_a_customer_wrote_is_no_markup_in_the_mail(shop: Upkept) -> None:
    ask_in_vain(shop, "<script>alert(1)</script> & más?")
    shop.reports.send(shop.tenant)
    html = shop.mails[0].get_body(("html",))
    assert html is not None
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; más?" in html.get_content()


def test_a_week_without_such_questions_is_no_mail(shop: Upkept) -> None:
    shop.clock.instant = MONDAY.astimezone(UTC)
    assert not shop.reports.send_if_due(shop.tenant)
    assert shop.mails == []


def test_a_mail_server_that_is_away_gets_the_report_later(shop: Upkept, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_in_vain(shop, "¿Reparan zapatos?")
    shop.clock.instant = MONDAY.astimezone(UTC)

    def away(_mail: object) -> None:
        raise TransientError("sink_unreachable", "email did not answer")

    sends = shop.notices.mailer.deliver
    object.__setattr__(shop.notices.mailer, "deliver", away)
    with pytest.raises(TransientError):
        shop.reports.send_if_due(shop.tenant)
    object.__setattr__(shop.notices.mailer, "deliver", sends)
    assert shop.reports.send_if_due(shop.tenant)


def test_without_an_address_the_shops_people_in_the_console_are_told(shop: Upkept) -> None:
    nobody = shop.tenant.model_copy(update={"kb": UpkeepSettings()})
    with pytest.raises(ConfigError) as caught:
        shop.reports.send(nobody)
    assert caught.value.code == "kb_owner_unknown"
    with shop.database.tenant(shop.tenant.scope) as connection:
        for role, email in (("tenant_admin", "jefa"), ("agent", "vendedor")):
            person = Person(
                person_id=f"{email}-{shop.tenant.tenant_id}",
                tenant_id=shop.tenant.tenant_id,
                email=f"{email}-{shop.tenant.tenant_id.lower()}@nandu.example",
                role=role,  # pyright: ignore[reportArgumentType]
                created_at=shop.clock.now(),
            )
            assert add_person(connection, person)
    assert shop.reports.send(nobody) == (f"jefa-{shop.tenant.tenant_id.lower()}@nandu.example",)


def test_a_shop_that_wants_no_report_gets_none(shop: Upkept) -> None:
    ask_in_vain(shop, "¿Reparan zapatos?")
    shop.clock.instant = MONDAY.astimezone(UTC)
    quiet = shop.tenant.model_copy(update={"kb": UpkeepSettings(owner_email=OWNER, weekly_report=False)})
    assert not shop.reports.send_if_due(quiet)
    assert shop.mails == []
