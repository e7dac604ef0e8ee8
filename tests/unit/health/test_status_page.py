"""The public page: what the shop lets everybody see, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from smarteros.domain.ids import status_key
from smarteros.domain.tenants import Tenant
from smarteros.edge.app import create_app
from smarteros.edge.status_page import status_router
from smarteros.health.report import OURS
from smarteros.kit.clock import FixedClock
from smarteros.store.database import NO_TENANT, Database
from smarteros.store.health import record_probe
from smarteros.tenants.directory import TenantDirectory

NOW = datetime(2024, 6, 20, 15, tzinfo=UTC)
SHOP = Tenant(
    tenant_id="STATUS_SHOP",
    name="Zapatería <Ñandú>",
    rut="76123456-0",
    tenant_key="status-shop-key-0000",
    chatwoot_url="http://status.invalid",
    chatwoot_account_ids=(1,),
    status_page=True,
)
RIVAL = SHOP.model_copy(
    update={
        "tenant_id": "STATUS_RIVAL",
        "name": "Rival",
        "tenant_key": "status-rival-key-000",
        "chatwoot_account_ids": (2,),
        "status_page": False,
    }
)


@pytest.fixture
def pages(database: Database) -> Iterator[TestClient]:
    """Two shops: up all day, but for the first one's Odoo, which was away for half an hour yesterday."""
    directory = TenantDirectory(database)
    for tenant in (SHOP, RIVAL):
        directory.save(tenant)
    yesterday = NOW - timedelta(days=1)
    with database.unclaimed() as connection:
        for service in OURS:
            record_probe(connection, NO_TENANT, service, up=True, at=NOW - timedelta(hours=2), valid_s=86_400)
    with database.tenant(SHOP.scope) as connection:
        for at, up in ((yesterday, True), (yesterday + timedelta(hours=1), False)):
            record_probe(connection, SHOP.tenant_id, "odoo", up=up, at=at, valid_s=3600)
    with database.tenant(RIVAL.scope) as connection:
        record_probe(connection, RIVAL.tenant_id, "shopify", up=True, at=NOW, valid_s=3600)
    with TestClient(create_app([status_router(database, directory, FixedClock(NOW))])) as client:
        yield client


def address(tenant: Tenant) -> str:
    return f"/status/{status_key(tenant.tenant_key)}"


def test_a_shop_that_wants_a_page_shows_its_bot_and_its_systems_day_by_day(pages: TestClient) -> None:
    page = pages.get(address(SHOP))

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Asistente: funcionando <small>100.000 %</small>" in page.text
    assert "2024-06-19: 50.000 %" in page.text
    assert page.text.count("<rect ") == 60


def test_it_speaks_english_to_whoever_asks_in_english(pages: TestClient) -> None:
    by_header = pages.get(address(SHOP), headers={"Accept-Language": "en-US,en;q=0.9"}).text
    assert "Assistant: working" in by_header
    assert "Assistant: working" in pages.get(address(SHOP), params={"lang": "en"}).text
    assert "Odoo: no data" in by_header


def test_a_shop_that_wants_none_has_none_and_neither_has_an_unknown_address(pages: TestClient) -> None:
    answers = [pages.get(path) for path in (address(RIVAL), "/status/0123", f"/status/{SHOP.tenant_key}")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1


def test_nothing_of_another_shop_and_no_key_is_on_the_page(pages: TestClient) -> None:
    page = pages.get(address(SHOP))
    for foreign in ("Rival", "Shopify", "shopify", SHOP.tenant_key, SHOP.tenant_id, SHOP.chatwoot_url):
        assert foreign not in page.text
    assert "Zapatería &lt;Ñandú&gt;" in page.text


def test_the_page_loads_and_runs_nothing(pages: TestClient) -> None:
    page = pages.get(address(SHOP))
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "<script" not in page.text
