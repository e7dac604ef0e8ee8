"""The pages of whoever operates the service: alerts and silences, promises, runs of contracts, people."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.unit.console.conftest import HATS, NOON, PASSWORD, SHOES, Browser, World, shop
from tests.unit.console.seeds import seed_alert, seed_promises

from smarteros.console.charts import CHART_HEIGHT, day_columns, wait_gauge
from smarteros.domain.audit import AuditEvent
from smarteros.domain.tenants import TenantScope
from smarteros.observability.slo import Promises
from smarteros.store.alerts import note_round, silences_at
from smarteros.store.audit import list_events
from smarteros.store.scenario_runs import PlayedScenario, ScenarioRun, fingerprint, save_run

ALERTS, PEOPLE = "/console/alerts", "/console/people"
SALES = "e2e_shopify_sales"


def events(world: World, scope: str, kind: str) -> list[AuditEvent]:
    with world.parts.database.scoped(scope) as connection:
        return [event for event in list_events(connection, scope, None, 500) if event.kind == kind]


def numbers_of_silences(world: World, scope: str) -> list[int]:
    with world.parts.database.scoped(scope) as connection:
        return [silence.silence_id for silence in silences_at(connection, scope, world.clock.now())]


@pytest.fixture
def quiet(world: World) -> World:
    """The console without alerts and silences, a few seconds after somebody looked."""
    owner = sa.create_engine(world.parts.database.owner_url, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.execute(sa.text("TRUNCATE smos.alerts, smos.alert_silences, smos.alert_rounds"))
    with world.parts.database.installation() as connection:
        note_round(connection, NOON - timedelta(seconds=8))
    return world


def test_an_alert_tells_what_is_amiss_since_when_and_who_was_told_by_whom(quiet: World) -> None:
    seed_alert(quiet.parts.database, SHOES, "sales_slow", NOON - timedelta(minutes=12))

    page = quiet.signed_in("tenant_admin", SHOES).get(ALERTS).text

    assert "e2e_shopify_sales tarda 8200 ms (p95); el límite es 7000 ms." in page
    assert "hace 12 min" in page
    assert re.search(r"PagerDuty <small>avisado hace 12 min · lo recibió Correo", page)
    assert "Revisado hace 8 s" in page


def test_an_alert_about_an_impatient_customer_leads_to_the_conversation(quiet: World) -> None:
    seed_alert(quiet.parts.database, SHOES, "frustration", NOON, signal="escalation", subject="77", moment=True)

    page = quiet.signed_in("tenant_admin", SHOES).get(ALERTS).text

    assert f'href="/console/conversations/{SHOES}/77"' in page


def test_an_alert_that_is_over_is_told_with_how_long_it_lasted(quiet: World) -> None:
    began = NOON - timedelta(hours=3)
    seed_alert(quiet.parts.database, SHOES, "sales_slow", began, resolved_at=began + timedelta(minutes=50))

    page = quiet.signed_in("tenant_admin", SHOES).get(ALERTS).text

    assert "Nada que lamentar" in page
    assert "Duró 50 min" in page


def test_that_nobody_watches_is_said(quiet: World) -> None:
    quiet.clock.instant += timedelta(minutes=4)

    assert 'class="chip bad">Revisado hace 4 min' in quiet.signed_in("operator").get(ALERTS).text


def test_alerts_of_others_and_of_the_installation_are_the_operators_alone(quiet: World) -> None:
    seed_alert(quiet.parts.database, "-", "service_down", NOON, signal="service_down", subject="odoo")
    seed_alert(quiet.parts.database, HATS, "faq_slow", NOON)

    def told(browser: Browser) -> tuple[bool, bool]:
        page = browser.get(ALERTS).text
        return "SmarterOS: odoo no responde." in page, f"{HATS}: e2e" in page

    assert told(quiet.signed_in("operator")) == (True, True)
    assert told(quiet.signed_in("tenant_admin", HATS)) == (False, True)
    assert told(quiet.signed_in("tenant_admin", SHOES)) == (False, False)


def test_an_alert_is_silenced_and_told_of_again_once_the_silence_is_ended(quiet: World) -> None:
    seed_alert(quiet.parts.database, SHOES, "sales_slow", NOON)
    browser = quiet.signed_in("tenant_admin", SHOES)
    before = len(events(quiet, SHOES, "console_alert_silenced"))

    made = browser.post(f"{ALERTS}/silence", ALERTS, tenant=SHOES, name="sales_slow", length="2h", reason="Migramos")
    assert made.headers["location"] == f"{ALERTS}?done=silence"
    page = browser.get(ALERTS).text
    assert "En silencio" in page
    assert "hasta 23-11-2026 14:00:00" in page
    assert "Migramos" in page
    assert len(events(quiet, SHOES, "console_alert_silenced")) == before + 1

    (number,) = numbers_of_silences(quiet, SHOES)
    quiet.clock.instant += timedelta(seconds=1)
    browser.post(f"{ALERTS}/unsilence", ALERTS, tenant=SHOES, silence=str(number))
    assert numbers_of_silences(quiet, SHOES) == []
    assert events(quiet, SHOES, "console_alert_unsilenced")[-1].details["silence"] == number


def test_an_operator_silences_everything_everywhere_and_a_tenant_sees_only_that_it_is_silent(quiet: World) -> None:
    seed_alert(quiet.parts.database, SHOES, "sales_slow", NOON)
    quiet.signed_in("operator").post(f"{ALERTS}/silence", ALERTS, tenant="-", name="", length="30m", reason="Mudanza")

    page = quiet.signed_in("tenant_admin", SHOES).get(ALERTS).text

    assert "En silencio" in page
    assert "Mudanza" not in page


@pytest.mark.parametrize(
    "form",
    [
        {"tenant": "-"}, {"tenant": HATS}, {"tenant": ""}, {"tenant": SHOES, "name": "no_such_alert"},
        {"tenant": SHOES, "length": "9y"}, {"tenant": SHOES, "length": ""},
    ],
    ids=["the installation's", "another tenant's", "nobody's", "of no alert", "for years", "for no time"],
)  # fmt: skip
def test_a_silence_that_may_not_be_is_not_made(quiet: World, form: dict[str, str]) -> None:
    browser = quiet.signed_in("tenant_admin", SHOES)

    answer = browser.post(f"{ALERTS}/silence", ALERTS, **{"name": "sales_slow", "length": "2h", **form})

    assert answer.status_code == 404
    assert [numbers_of_silences(quiet, scope) for scope in ("-", SHOES, HATS)] == [[], [], []]


@pytest.mark.parametrize("tenant", ["-", SHOES])
def test_nobody_ends_a_silence_that_is_not_his(quiet: World, tenant: str) -> None:
    quiet.signed_in("operator").post(f"{ALERTS}/silence", ALERTS, tenant=tenant, name="", length="2h")
    (number,) = numbers_of_silences(quiet, tenant)
    browser = quiet.signed_in("tenant_admin", HATS)

    for claimed in (tenant, HATS):
        answer = browser.post(f"{ALERTS}/unsilence", ALERTS, tenant=claimed, silence=str(number))
        assert answer.status_code == 404

    assert numbers_of_silences(quiet, tenant) == [number]


def test_what_is_left_of_the_budgets_and_how_long_customers_waited_is_told(world: World) -> None:
    parts, tenant = world.parts, shop("CONSOLE_KEPT", 21)
    parts.tenants.save(tenant)
    seed_promises(parts.database, tenant, SALES, NOON - timedelta(days=2), kept=97, late=2, broken=1)
    browser = world.signed_in("tenant_admin", tenant.tenant_id)

    page = browser.get("/console/promises").text

    # 1 of 100 failed where 5 may; 3 were not in time where 5 may be.
    assert "queda 80 %" in page
    assert "queda 40 %" in page
    assert "99,0 % de 95,0 % prometido · 1 fuera" in page
    assert "95 de cada 100 esperan 900 ms o menos; prometido: 5,0 s" in page
    assert "31 días: 97 cumplidos, 2 tarde, 1 sin cumplir" in page
    assert "gasta" not in page, "nobody wrote in the last hour"
    bars = browser.get(f"/console/promises/{tenant.tenant_id}/bars").text
    assert bars.count("queda") == 4, "each of two bars in words and for who cannot see it"


def test_a_budget_that_is_overspent_and_burns_is_in_danger(world: World) -> None:
    parts, tenant = world.parts, shop("CONSOLE_BURNS", 22)
    parts.tenants.save(tenant)
    seed_promises(parts.database, tenant, SALES, NOON - timedelta(minutes=10), kept=9, broken=1)

    page = world.signed_in("tenant_admin", tenant.tenant_id).get("/console/promises").text

    assert "excedido en 100 %" in page
    assert "gasta 2,0×" in page
    assert "En peligro" in page


def test_a_days_turns_fill_its_column_and_the_fullest_day_the_chart() -> None:
    days = [
        (NOON.date(), Promises(kept=10)),
        (NOON.date(), Promises(kept=3, late=1, broken=1)),
        (NOON.date(), Promises()),
    ]

    full, half, empty = day_columns(days)

    assert [block.verdict for block in half.blocks] == ["broken", "late", "kept"]
    assert sum(block.height for block in half.blocks) == pytest.approx(sum(block.height for block in full.blocks) / 2)
    assert half.blocks[0].y + half.blocks[0].height == CHART_HEIGHT
    assert empty.blocks == ()


def test_the_promised_wait_is_on_the_bar_whatever_was_measured(world: World) -> None:
    slo = world.parts.contracts.get(SALES).slo

    quick, slow = wait_gauge(900, slo), wait_gauge(20_000, slo)

    assert (quick.limit, quick.mood, slow.value, slow.mood) == (80.0, "good", 100.0, "bad")
    assert quick.value < quick.limit < slow.value
    assert slow.limit == 25.0


def test_the_last_run_of_a_contract_is_told_by_scenario(world: World) -> None:
    contract = world.parts.contracts.get(SALES)
    first, second, *others = (scenario.name for scenario in contract.scenarios)
    run = ScenarioRun(
        flow_id=SALES,
        contract_version=contract.version,
        fingerprint=fingerprint(contract),
        run_by="ana",
        ran_on=None,
        ended_at=NOON - timedelta(hours=3),
        scenarios=(PlayedScenario(name=first, longest_ms=812),
                   PlayedScenario(name=second, failures=("turn 1: no reply within 15 s",))),
    )  # fmt: skip
    browser = world.signed_in("auditor")
    assert "Sin probar" in browser.get(f"/console/contracts/{SALES}").text

    with world.parts.database.installation() as connection:
        save_run(connection, run)
    page = browser.get(f"/console/contracts/{SALES}").text
    assert "1 de 2 escenarios" in page
    assert "ana, hace 3 h" in page
    assert "turn 1: no reply within 15 s" in page
    assert "812 ms" in page
    assert page.count("no se probó") == len(others)
    assert "El contrato cambió" not in page

    with world.parts.database.installation() as connection:
        save_run(connection, run.model_copy(update={"fingerprint": "another", "contract_version": "0.9.0"}))
    assert "El contrato cambió después de esa prueba (era la versión 0.9.0)." in browser.get("/console/contracts").text


def link_in(page: str) -> str:
    found = re.search(r'value="http://[^"/]+(/console/welcome/[^"]+)"', page)
    assert found is not None
    return found[1]


def test_somebody_is_invited_by_a_link_that_is_shown_once_and_audited(world: World) -> None:
    email, browser = world.person("operator"), world.browser()
    browser.sign_in(email)

    made = browser.post(f"{PEOPLE}/invite", PEOPLE, email="Nueva@tienda.cl", name="Nueva", role="agent", tenant=SHOES)

    link = link_in(made.text)
    assert made.headers["cache-control"] == "no-store"
    again = browser.get(PEOPLE).text
    assert "nueva@tienda.cl" in again
    assert "Invitada" in again
    assert link not in again
    invited = world.browser()
    entered = invited.post(link, link, password=PASSWORD)
    assert entered.headers["location"] == "/console/conversations"
    (operator,) = [each for each in world.parts.invitations.people(None) if each.email == email]
    assert events(world, SHOES, "console_person_added")[-1].details["by"] == operator.person_id


def test_a_person_gets_a_new_link_or_is_shut_out(world: World) -> None:
    email = world.person("agent", SHOES)
    theirs, browser = world.browser(), world.signed_in("operator")
    theirs.sign_in(email)

    link = link_in(browser.post(f"{PEOPLE}/reset", PEOPLE, email=email).text)
    assert theirs.get("/console/conversations").status_code == 303, "the session has ended"
    assert world.browser().get(link).status_code == 200

    browser.post(f"{PEOPLE}/disable", PEOPLE, email=email)
    assert "Este enlace ya no sirve" in world.browser().get(link).text
    assert "Desactivada" in browser.get(PEOPLE).text
    assert "by" in events(world, SHOES, "console_person_disabled")[-1].details


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"email": "nobody"}, "Eso no es un correo."),
        ({"tenant": ""}, "Ese rol pertenece a una tienda"),
        ({"role": "operator"}, "Quien opera el servicio no pertenece a ninguna tienda."),
        ({"tenant": "NO_SUCH_TENANT"}, "Esa tienda no existe."),
        ({"role": "emperor"}, "Aquí no hay nada"),
    ],
)
def test_an_invitation_that_cannot_be_says_why_and_keeps_what_was_typed(
    world: World, form: dict[str, str], said: str
) -> None:
    wanted = {"email": "quien@tienda.cl", "name": "Quién", "role": "agent", "tenant": SHOES, **form}

    answer = world.signed_in("operator").post(f"{PEOPLE}/invite", PEOPLE, **wanted)

    assert 400 <= answer.status_code < 500
    assert said in answer.text
    assert 'value="Quién"' in answer.text
    assert "quien@tienda.cl" not in {each.email for each in world.parts.invitations.people(SHOES)}


@pytest.mark.parametrize("act", ["disable", "reset"])
def test_nobody_ends_the_session_he_does_it_in(world: World, act: str) -> None:
    email, browser = world.person("operator"), world.browser()
    browser.sign_in(email)

    answer = browser.post(f"{PEOPLE}/{act}", PEOPLE, email=email.upper())

    assert answer.status_code == 409
    assert browser.get(PEOPLE).status_code == 200


def test_the_audit_names_people_the_visitor_may_know_and_finds_by_kind(world: World) -> None:
    operator, email = world.signed_in("operator"), "conocida@tienda.cl"
    operator.post(f"{PEOPLE}/invite", PEOPLE, email=email, name="Conocida", role="agent", tenant=HATS)

    path = f"/console/audit?tenant={HATS}&kind=console_person_added"
    assert "<small>person</small> Conocida" in operator.get(path).text
    (theirs,) = [each for each in world.parts.invitations.people(HATS) if each.email == email]
    assert theirs.person_id not in world.signed_in("tenant_admin", HATS).get(path).text


def test_a_page_left_open_does_not_keep_its_session_alive(world: World) -> None:
    browser, scope = world.signed_in("agent", SHOES), TenantScope(tenant_id=SHOES)
    with world.parts.database.tenant(scope) as connection:
        connection.execute(sa.text("UPDATE smos.people_sessions SET used_at = :at"), {"at": NOON})
    world.clock.instant = NOON + timedelta(minutes=90)

    with browser.http.stream("GET", "/console/conversations/live", headers={"accept": "text/event-stream"}) as stream:
        assert stream.status_code == 200
    world.clock.instant = NOON + timedelta(minutes=121)

    assert browser.get("/console/conversations").status_code == 303
