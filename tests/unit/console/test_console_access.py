"""Signing in to the console, and what keeps others out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
import sqlalchemy as sa
from tests.support import serving
from tests.unit.console.conftest import HATS, NOON, PASSWORD, SHOES, World

from smarteros.console.access import IDLE, LONGEST_SESSION
from smarteros.console.invitations import LINK_LIFE
from smarteros.console.router import console_router
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import TenantScope
from smarteros.edge.app import create_app
from smarteros.store.audit import list_events
from smarteros.store.people_tables import people, people_links, people_sessions

HOME = "/console/conversations"
SETTINGS = "/console/settings"


def test_an_invited_person_chooses_a_password_and_signs_in_with_it_later(world: World) -> None:
    _, token = world.parts.invitations.invite("Ana@Example.CL", "agent", SHOES)
    first = world.browser()

    entered = first.post(f"/console/welcome/{token}", f"/console/welcome/{token}", password=PASSWORD)

    assert (entered.status_code, entered.headers["location"]) == (303, HOME)
    assert first.get(SETTINGS).status_code == 200
    assert world.browser().sign_in("ana@example.cl").headers["location"] == HOME


def test_who_comes_in_the_first_time_finds_the_console_in_the_language_of_the_link_and_keeps_it(world: World) -> None:
    _, token = world.parts.invitations.invite("english@example.cl", "agent", SHOES)
    address, browser = f"/console/welcome/{token}", world.browser(**{"Accept-Language": "en-GB,en;q=0.9"})
    browser.post(address, address, password=PASSWORD)
    assert "Settings" in browser.get(SETTINGS).text

    _, again = world.parts.invitations.reset("english@example.cl")
    address, spanish = f"/console/welcome/{again}", world.browser(**{"Accept-Language": "es-CL"})
    spanish.post(address, address, password=PASSWORD)
    assert "Settings" in spanish.get(SETTINGS).text


def test_looking_at_a_link_does_not_use_it_and_using_it_does(world: World) -> None:
    _, token = world.parts.invitations.invite("once@example.cl", "agent", SHOES)
    address = f"/console/welcome/{token}"
    assert [world.browser().get(address).status_code for _ in range(2)] == [200, 200]
    second = world.browser()
    csrf = second.csrf(address)

    world.browser().post(address, address, password=PASSWORD)

    assert second.http.post(address, data={"csrf": csrf, "password": PASSWORD}).status_code == 410
    assert second.get(address).status_code == 410


def test_a_link_that_is_too_old_is_of_no_use(world: World) -> None:
    _, token = world.parts.invitations.invite("late@example.cl", "agent", SHOES)
    world.clock.instant = NOON + LINK_LIFE

    assert world.browser().get(f"/console/welcome/{token}").status_code == 410


def test_a_short_password_is_refused_and_the_link_stays_good(world: World) -> None:
    _, token = world.parts.invitations.invite("short@example.cl", "agent", SHOES)
    address = f"/console/welcome/{token}"

    assert world.browser().post(address, address, password="corta").status_code == 422
    assert world.browser().post(address, address, password=PASSWORD).status_code == 303


def test_the_first_link_makes_the_operator_and_is_useless_once_there_is_one(world: World) -> None:
    invitations = world.parts.invitations
    with world.parts.database.unclaimed() as connection:  # tests before this one may have made some
        connection.execute(sa.update(people).values(disabled_at=NOON))
    first, second = invitations.first_operator_link(), invitations.first_operator_link()
    assert first is not None
    assert second is not None
    address, browser = f"/console/welcome/{first}", world.browser()

    browser.post(address, address, email="jefa@example.cl", name="Jefa", password=PASSWORD)

    assert "Jefa" in browser.get(SETTINGS).text
    assert world.browser().get(f"/console/welcome/{second}").status_code == 410
    assert invitations.first_operator_link() is None


@pytest.mark.parametrize(
    ("role", "tenant", "code"),
    [
        ("agent", None, "tenant_missing"),
        ("operator", SHOES, "tenant_superfluous"),
        ("auditor", "NO_SUCH_SHOP", "tenant_unknown"),
    ],
)
def test_a_role_goes_with_a_tenant_or_with_none(world: World, role: str, tenant: str | None, code: str) -> None:
    with pytest.raises(RejectedInputError) as refused:
        world.parts.invitations.invite("odd@example.cl", role, tenant)  # pyright: ignore[reportArgumentType]

    assert refused.value.code == code


def test_one_address_is_one_person_whatever_the_tenant(world: World) -> None:
    world.parts.invitations.invite("both@example.cl", "agent", SHOES)

    with pytest.raises(RejectedInputError) as refused:
        world.parts.invitations.invite("BOTH@example.cl", "agent", HATS)

    assert refused.value.code == "email_taken"


def test_signing_in_gives_a_new_session_whatever_the_browser_came_with(world: World) -> None:
    email, browser = world.person("agent", SHOES), world.browser()
    planted = f"{SHOES}.{'A' * 43}"
    browser.http.cookies.set("smos_session", planted)

    answer = browser.sign_in(email)

    assert answer.status_code == 303
    given = answer.cookies["smos_session"]
    assert given != planted
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]
    thief = world.browser()
    thief.http.cookies.set("smos_session", planted)
    assert thief.get(SETTINGS).status_code == 303


def test_the_store_holds_no_secret_one_could_sign_in_with(world: World) -> None:
    browser = world.signed_in("agent", SHOES)
    token = browser.http.cookies["smos_session"]
    _, link = world.parts.invitations.invite("digest@example.cl", "agent", SHOES)

    with world.parts.database.tenant(TenantScope(tenant_id=SHOES)) as connection:
        kept = str([connection.execute(sa.select(table)).all() for table in (people, people_sessions, people_links)])

    assert token.split(".")[1] not in kept
    assert link.split(".")[1] not in kept
    assert PASSWORD not in kept


@pytest.mark.parametrize("email", ["nobody@example.cl", "known", "disabled"])
def test_whoever_may_not_come_in_is_told_the_same(world: World, email: str) -> None:
    if email != "nobody@example.cl":
        kind, email = email, world.person("agent", SHOES)
        if kind == "disabled":
            world.parts.invitations.disable(email)
    password = PASSWORD if email == "disabled" else "otra frase muy larga"

    answer = world.browser().sign_in(email, password)

    assert answer.status_code == 401
    assert "El correo y la contraseña no calzan." in answer.text


def test_after_some_failures_one_has_to_wait_and_the_wait_grows(world: World) -> None:
    email = world.person("agent", SHOES)
    tries = world.browser()
    answers = [tries.sign_in(email, "equivocada equivocada").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert tries.sign_in(email).status_code == 429, "the right password waits too"

    waits: list[float] = []
    for _ in range(3):
        with pytest.raises(RejectedInputError, match="wait") as refused:
            world.parts.access.sign_in(email, PASSWORD, address="10.0.0.9")
        waits.append(float(str(refused.value).split("wait ")[1].split(" s")[0]))
        world.clock.instant += timedelta(seconds=waits[-1])
        with pytest.raises(RejectedInputError, match="do not fit"):
            world.parts.access.sign_in(email, "equivocada equivocada", address="10.0.0.9")

    assert waits == [1, 2, 4]


def test_many_accounts_tried_from_one_address_are_stopped(world: World) -> None:
    def attempt(number: int) -> str:
        with pytest.raises(RejectedInputError) as refused:
            world.parts.access.sign_in(f"spray{number}@example.cl", PASSWORD, address="10.0.0.10")
        return refused.value.code

    codes = [attempt(number) for number in range(21)]

    assert codes == ["sign_in_refused"] * 20 + ["sign_in_wait"]


def test_a_right_password_clears_the_failures(world: World) -> None:
    email = world.person("agent", SHOES)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(RejectedInputError):
                world.parts.access.sign_in(email, "equivocada equivocada", address="10.0.0.11")
        assert world.parts.access.sign_in(email, PASSWORD, address="10.0.0.11").person.email == email


@pytest.mark.parametrize("later", [IDLE, LONGEST_SESSION])
def test_a_session_ends_when_it_is_not_used_and_after_half_a_day(world: World, later: timedelta) -> None:
    browser = world.signed_in("agent", SHOES)
    while world.clock.instant + IDLE / 2 < NOON + later and later != IDLE:
        assert browser.get(SETTINGS).status_code == 200
        world.clock.instant += IDLE / 2
    world.clock.instant = NOON + later

    answer = browser.get(SETTINGS)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/sign-in?next=/console/settings"


def test_signing_out_ends_the_session_also_for_who_kept_its_cookie(world: World) -> None:
    browser, thief = world.signed_in("agent", SHOES), world.browser()
    thief.http.cookies.set("smos_session", browser.http.cookies["smos_session"])

    browser.post("/console/sign-out")

    assert thief.get(SETTINGS).status_code == 303


def test_a_new_password_ends_the_other_sessions(world: World) -> None:
    email, here, there = world.person("agent", SHOES), world.browser(), world.browser()
    here.sign_in(email)
    there.sign_in(email)

    assert here.post("/console/settings/password", old="no es esta frase", new=PASSWORD * 2).status_code == 422
    assert here.post("/console/settings/password", old=PASSWORD, new=PASSWORD * 2).status_code == 200

    assert here.get(SETTINGS).status_code == 200
    assert there.get(SETTINGS).status_code == 303


def test_a_disabled_person_is_out_at_once(world: World) -> None:
    email, browser = world.person("agent", SHOES), world.browser()
    browser.sign_in(email)

    world.parts.invitations.disable(email)

    assert browser.get(SETTINGS).status_code == 303


def test_a_reset_ends_sessions_and_works_while_signing_in_has_to_wait(world: World) -> None:
    email, browser = world.person("agent", SHOES), world.browser()
    browser.sign_in(email)
    for _ in range(6):
        world.browser().sign_in(email, "equivocada equivocada")

    _, token = world.parts.invitations.reset(email)

    assert browser.get(SETTINGS).status_code == 303
    address = f"/console/welcome/{token}"
    assert world.browser().post(address, address, password=PASSWORD).status_code == 303


@pytest.mark.parametrize("csrf", ["", "0" * 64, "ñ"])
def test_a_form_without_our_token_is_refused(world: World, csrf: str) -> None:
    browser = world.signed_in("operator")

    answer = browser.http.post("/console/settings/preference", data={"csrf": csrf, "language": "en"})

    assert answer.status_code == 403
    assert 'lang="es-CL"' in browser.get(SETTINGS).text


def test_the_token_of_one_session_is_none_of_another(world: World) -> None:
    mine, other = world.signed_in("operator"), world.signed_in("operator")

    answer = other.http.post("/console/settings/preference", data={"csrf": mine.csrf(SETTINGS), "language": "en"})

    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_sent_by_another_site_is_refused_even_with_the_token(world: World, site: str) -> None:
    browser = world.signed_in("operator")
    csrf = browser.csrf(SETTINGS)

    answer = browser.http.post("/console/sign-out", data={"csrf": csrf}, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "/console/../..//evil.example",
        "/console/\\evil", "/console/\r\nSet-Cookie: a=b", "javascript:alert(1)", "/console/sign-in", "",
    ],
)  # fmt: skip
def test_signing_in_leads_only_to_pages_of_the_console(world: World, wanted: str) -> None:
    email, browser = world.person("agent", SHOES), world.browser()

    csrf = browser.csrf("/console/sign-in")
    form = {"csrf": csrf, "email": email, "password": PASSWORD, "next": wanted}
    answer = browser.http.post("/console/sign-in", data=form)

    assert answer.headers["location"] == HOME


def test_signing_in_leads_back_to_the_page_that_was_asked_for(world: World) -> None:
    email, browser = world.person("agent", SHOES), world.browser()
    sent = browser.get("/console/settings?from=mail").headers["location"]
    page = browser.get(sent)

    csrf = browser.csrf("/console/sign-in")
    assert 'value="/console/settings?from=mail"' in page.text
    form = {"csrf": csrf, "email": email, "password": PASSWORD, "next": "/console/settings?from=mail"}
    assert browser.http.post("/console/sign-in", data=form).headers["location"] == "/console/settings?from=mail"


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/settings", "/console/static/base.css", "/console/no"])
def test_every_answer_keeps_other_sites_and_injected_markup_away(world: World, path: str) -> None:
    answer = world.signed_in("operator").get(path)

    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    if "static" not in path:
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "token",
    ["", "x", f"-.{'A' * 43}", f"{SHOES}.{'A' * 42}", f"'; DROP TABLE smos.people; --.{'A' * 43}", "A" * 5000, "ñ.ñ"],
)
def test_a_made_up_cookie_is_nobody(world: World, token: str) -> None:
    answer = world.browser().http.get(SETTINGS, headers={"Cookie": f"smos_session={token}".encode()})

    assert answer.status_code == 303


def test_a_session_is_found_in_its_own_scope_only(world: World) -> None:
    token = world.signed_in("agent", SHOES).http.cookies["smos_session"]
    forged = world.browser()
    for scope in (HATS, "-"):
        forged.http.cookies.set("smos_session", f"{scope}.{token.split('.')[1]}")
        assert forged.get(SETTINGS).status_code == 303


def test_what_people_do_is_in_their_tenants_audit(world: World) -> None:
    email = world.person("agent", HATS)
    world.browser().sign_in(email)
    world.browser().sign_in(email, "equivocada equivocada")

    with world.parts.database.tenant(TenantScope(tenant_id=HATS)) as connection:
        kinds = [event.kind for event in list_events(connection, HATS, None, 3)]
    with world.parts.database.unclaimed() as connection:
        refused = list_events(connection, "", None, 1)[0]

    assert kinds == ["console_person_added", "console_link_used", "console_signed_in"]
    assert refused.kind == "console_sign_in_refused"
    assert email not in str(refused.details)


def test_over_https_cookies_are_bound_to_the_host(world: World) -> None:
    with serving(create_app([console_router(replace(world.parts, public_url="https://bots.example"))])) as url:
        cookie = httpx2.get(f"{url}/console/sign-in", trust_env=False).headers["set-cookie"]

    assert cookie.startswith("__Host-smos_visit=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_somebody_who_reads_english_is_met_in_english(world: World) -> None:
    assert "Sign in to the console" in world.browser(**{"Accept-Language": "en-GB,es"}).get("/console/sign-in").text
    assert "Entra a la consola" in world.browser(**{"Accept-Language": "pt"}).get("/console/sign-in").text


def test_language_and_colours_are_remembered(world: World) -> None:
    browser = world.signed_in("agent", SHOES)

    browser.post("/console/settings/preference", language="en", theme="dark")

    page = browser.get(SETTINGS).text
    assert '<html lang="en" data-theme="dark">' in page
    assert "Sign out" in page
