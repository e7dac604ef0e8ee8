"""What ``smos doctor`` says of a tenant's Odoo, asked of the stand-in in both dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from tests.support import MemorySecrets, demo_tenant, serving

from smarteros.doctor.examination import Finding, Group, Observed, Step, examine
from smarteros.doctor.odoo import OdooExamination
from smarteros.domain.errors import PermanentError
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.tools.odoo.client import OdooClient
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.odoo import create_odoo_app
from smarteros_sandbox.shops.loader import load_shops

SHOPS = load_shops(date(2025, 11, 17))
DEMO, CLOTHES = SHOPS[0], SHOPS[1]
FAULTS = Faults()
Examine = Callable[..., dict[str, Finding]]


@pytest.fixture(scope="module", params=["19.0", "16.0"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with serving(create_odoo_app(SHOPS, FAULTS, request.param)) as address:
        yield address


@pytest.fixture
def secrets(url: str) -> MemorySecrets:
    return MemorySecrets(
        {
            (shop.spec.tenant_id, f"odoo/{name}"): value
            for shop in (DEMO, CLOTHES)
            for name, value in {
                "instance_url": url,
                "api_key": shop.spec.odoo_api_key,
                "login": shop.spec.odoo_login,
            }.items()
        }
    )


@pytest.fixture
def examined(secrets: MemorySecrets) -> Iterator[Examine]:
    http = HttpClient()

    def look(tenant: Tenant | None = None) -> dict[str, Finding]:
        found = examine(
            [OdooExamination(OdooClient(http, secrets), SystemClock()).group()], tenant or demo_tenant(DEMO)
        )
        return {finding.check: finding for finding in found}

    yield look
    FAULTS.clear()
    http.close()


def test_an_odoo_in_order_is_told_line_by_line(examined: Examine) -> None:
    found = examined()
    assert {name: finding.status for name, finding in found.items()} == dict.fromkeys(
        ("odoo.address", "odoo.key", "odoo.key_expiry", "odoo.company", "odoo.rights", "odoo.requests"), "ok"
    )
    assert found["odoo.company"].said == "company 4 is Tienda Demo Calzados"
    assert found["odoo.key_expiry"].said == "the key expires in 89 days"
    assert found["odoo.requests"].said == "returns become helpdesk tickets"
    assert all(finding.remedy is None for finding in found.values())


def test_a_key_about_to_expire_is_a_warning_with_a_remedy(examined: Examine) -> None:
    FAULTS.set("odoo", "key_expires", scope=DEMO.spec.tenant_id, value=5.5)
    finding = examined()["odoo.key_expiry"]
    assert (finding.status, finding.said) == ("warning", "the key expires in 5 days")
    assert finding.remedy is not None


def test_a_refused_key_fails_and_nothing_behind_it_is_looked_at(examined: Examine) -> None:
    FAULTS.set("odoo", "invalid_key", scope=DEMO.spec.tenant_id)
    found = examined()
    last = list(found.values())[-1]
    assert (last.status, last.said.partition(":")[0]) == ("failed", "odoo_access_refused")
    assert last.remedy is not None
    assert set(found) <= {"odoo.address", "odoo.key"}
    assert DEMO.spec.odoo_api_key not in str(found)


def test_a_company_the_user_cannot_see_fails(examined: Examine) -> None:
    finding = examined(demo_tenant(DEMO).model_copy(update={"odoo_company_id": 99}))["odoo.company"]
    assert (finding.status, finding.said.partition(":")[0]) == ("failed", "odoo_company_missing")


def test_a_shop_without_helpdesk_is_told_where_returns_go(examined: Examine) -> None:
    assert examined(demo_tenant(CLOTHES))["odoo.requests"].said.startswith("returns become activities")


def test_a_tenant_without_odoo_is_skipped(examined: Examine, secrets: MemorySecrets) -> None:
    del secrets.values[DEMO.spec.tenant_id, "odoo/instance_url"]
    assert {name: finding.status for name, finding in examined().items()} == {"odoo": "skipped"}


def test_an_address_where_nobody_answers_fails(examined: Examine, secrets: MemorySecrets) -> None:
    secrets.write(demo_tenant(DEMO).scope, "odoo/instance_url", "http://127.0.0.1:1")
    assert {name: finding.status for name, finding in examined().items()} == {"odoo.address": "failed"}


def test_every_system_is_examined_though_another_one_fails() -> None:
    def fail(_tenant: Tenant) -> Observed:
        raise PermanentError("broken", "It is broken.")

    def see(_tenant: Tenant) -> Observed:
        return Observed("fine")

    first = Group("first", lambda _: True, (Step("one", fail, "Mend it."), Step("two", see, "")))
    second = Group("second", lambda _: True, (Step("one", see, ""),))
    found = examine((first, second), demo_tenant(DEMO))
    assert [(finding.check, finding.status) for finding in found] == [("first.one", "failed"), ("second.one", "ok")]
