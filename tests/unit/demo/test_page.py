"""The page, its files, and what it is told."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

import httpx2
import pytest
from starlette.responses import Response
from tests.unit.demo.conftest import Upstream, info

from smarteros.demo.page import CONSOLE_FILES, PAGE_FILE, STATIC_DIR, STATIC_FILES
from smarteros.domain.ids import reply_id, turn_id
from smarteros.domain.tenants import TenantScope
from smarteros.domain.turns import STEP_NAMES, TurnRecord
from smarteros.store.database import Database
from smarteros.store.turns import save_turn

SCRIPTS = {path.name: path.read_text("utf-8") for path in STATIC_DIR.glob("*.js")}


def test_the_page_is_served_under_a_strict_policy(page: httpx2.Client) -> None:
    answer = page.get("/")

    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'; img-src 'self' blob: data:;" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in policy


def test_every_file_of_the_page_is_served_and_no_other(page: httpx2.Client) -> None:
    assert {path.name for path in STATIC_DIR.iterdir()} == {PAGE_FILE, *STATIC_FILES}
    for name, media_type in (STATIC_FILES | CONSOLE_FILES).items():
        answer = page.get(f"/demo/static/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize("name", ["page.py", "..%2fpage.py", "%2e%2e%2f__init__.py", PAGE_FILE, ""])
def test_a_file_that_is_not_the_pages_is_not_found(page: httpx2.Client, name: str) -> None:
    assert page.get(f"/demo/static/{name}").status_code == 404


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for path in STATIC_DIR.iterdir():
        addresses = re.findall(r"https?://[\w.-]+", path.read_text("utf-8"))
        assert set(addresses) <= {"http://www.w3.org"}, path.name


def test_what_the_page_links_is_there() -> None:
    linked = re.findall(r'"/demo/static/([\w.]+)"', (STATIC_DIR / PAGE_FILE).read_text("utf-8"))
    assert "palette.css" in linked
    assert set(linked) <= {*STATIC_FILES, *CONSOLE_FILES}


def test_no_script_turns_text_into_markup() -> None:
    for name, script in SCRIPTS.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", script), name


def test_both_languages_have_every_text_that_is_used() -> None:
    spanish, english = (
        set(re.findall(r"^    (\w+):", block, re.MULTILINE))
        for block in re.findall(r"^  (?:es|en): \{\n(.*?)^  \},", SCRIPTS["texts.js"], re.MULTILINE | re.DOTALL)
    )
    page = (STATIC_DIR / PAGE_FILE).read_text("utf-8")
    used = set(re.findall(r'data-(?:text|label)="(\w+)"', page))
    for script in SCRIPTS.values():
        used |= set(re.findall(r'\bt\("(\w+)"', script))

    assert spanish == english
    assert used <= spanish
    assert {f"step_{name}" for name in STEP_NAMES} <= spanish


def test_the_steps_shown_are_the_steps_of_a_turn() -> None:
    [listed] = re.findall(r"STEPS = \[(.*?)\]", SCRIPTS["turn_view.js"])

    assert tuple(re.findall(r'"(\w+)"', listed)) == STEP_NAMES


def test_the_browser_learns_of_shops_but_of_no_secret(page: httpx2.Client, upstream: Upstream) -> None:
    upstream.answer = info()

    answer = page.get("/demo/shops")

    [shop] = answer.json()["tenants"]
    assert shop["inbox_identifiers"] == {"whatsapp": "wa", "webwidget": "web", "email": "mail"}
    assert shop["invoices"][0]["customer_phone"] == "+56912345678"
    assert shop["catalogue"] == ["Zapatilla Running Azul"]
    assert "secret" not in answer.text
    assert "token" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_sandbox_that_is_not_understood_is_a_bad_gateway(page: httpx2.Client, upstream: Upstream) -> None:
    answers = (
        info(account_id="one"),
        lambda _seen: Response("no json"),
        lambda _seen: Response("[]"),
        lambda _seen: Response("{}", 503),
    )
    for upstream.answer in answers:
        answer = page.get("/demo/shops")
        assert (answer.status_code, answer.json()["code"]) == (502, "upstream_not_understood")


def test_the_sandboxes_description_says_who_we_are(page: httpx2.Client, upstream: Upstream) -> None:
    upstream.answer = info()

    answer = page.get("/sandbox/info").json()

    assert answer["smarteros"] == {"url": "http://127.0.0.1:8080", "operator_token": "operator-secret"}
    assert answer["base_urls"] == {"odoo": "http://127.0.0.1:9"}


def saved_turn(database: Database, tenant_id: str, conversation_id: int, message_id: int) -> TurnRecord:
    record = TurnRecord(
        turn_id=turn_id(tenant_id, conversation_id, message_id),
        tenant_id=tenant_id,
        flow_id="e2e_faq_quick",
        conversation_id=conversation_id,
        message_id=message_id,
        received_at=datetime(2026, 3, 2, 17, 30, tzinfo=UTC),
        outcome="answered",
    )
    with database.tenant(TenantScope(tenant_id=tenant_id)) as connection:
        save_turn(connection, record)
    return record


def test_the_turns_of_one_conversation_come_with_the_markers_of_their_replies(
    page: httpx2.Client, database: Database
) -> None:
    mine, other = (f"TENANT_{uuid.uuid4().hex[:12].upper()}" for _ in range(2))
    wanted = saved_turn(database, mine, 7, 501)
    saved_turn(database, mine, 8, 502)
    saved_turn(database, other, 7, 503)

    answer = page.get("/demo/turns", params={"tenant_id": mine, "conversation_id": 7}).json()

    assert [turn["turn_id"] for turn in answer["turns"]] == [wanted.turn_id]
    assert answer["reply_ids"] == {wanted.turn_id: reply_id(wanted.turn_id)}


@pytest.mark.parametrize(
    "query",
    [{"tenant_id": "TENANT_DEMO"}, {"conversation_id": "7"}, {"tenant_id": "x' OR 1=1", "conversation_id": "7"}],
)
def test_turns_are_told_of_one_tenants_conversation_only(page: httpx2.Client, query: dict[str, str]) -> None:
    assert page.get("/demo/turns", params=query).status_code == 422
