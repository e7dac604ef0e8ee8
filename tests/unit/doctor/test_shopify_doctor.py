"""What ``smos doctor`` says of a tenant's shop, asked of the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from tests.support import MemorySecrets, serving

from smarteros.doctor.examination import Finding, examine
from smarteros.doctor.registry import tool_groups
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import FixedClock
from smarteros.kit.http import HttpClient
from smarteros.store.database import Database
from smarteros.tools.mirror.opening import ShopCatalogues
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shopify import create_shopify_app
from smarteros_sandbox.shops.loader import load_shops

SHOP = load_shops(date(2025, 11, 17))[0]
TENANT = Tenant(
    tenant_id="DOCTOR_SHOP",
    name="Tienda",
    rut="76192083-9",
    tenant_key="key-of-doctor-0123456789",
    chatwoot_url="https://crm.doctor.cl",
    chatwoot_account_ids=(87001,),
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(create_shopify_app((SHOP,), Faults())) as address:
        yield address


class Doctor:
    def __init__(self, url: str, database: Database) -> None:
        self.http = HttpClient()
        self.clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.tenant = TENANT.model_copy(update={"shopify_url": url})
        self.secrets = MemorySecrets({})
        self.set("shopify/store_domain", SHOP.spec.store_domain)
        self.set("shopify/client_id", SHOP.spec.client_id)
        self.set("shopify/client_secret", SHOP.spec.client_secret)
        self.catalogues = ShopCatalogues.open(
            self.http, self.secrets, database, self.clock, "2026-10", "https://bot.doctor.cl"
        )

    def set(self, path: str, value: str) -> None:
        self.secrets.write(self.tenant.scope, path, value)

    def says(self) -> dict[str, Finding]:
        found = examine(tool_groups(self.http, self.secrets, self.clock, self.catalogues), self.tenant)
        return {finding.check: finding for finding in found if finding.check.startswith("shopify")}


@pytest.fixture
def doctor(url: str, database: Database) -> Iterator[Doctor]:
    doctor = Doctor(url, database)
    yield doctor
    doctor.http.close()


def test_a_shop_in_order_is_told_with_its_name_currency_and_copy(doctor: Doctor) -> None:
    doctor.catalogues.keeper.compare(doctor.tenant, full=True)
    doctor.catalogues.subscriber.ensure(doctor.tenant)
    found = doctor.says()
    assert {finding.status for finding in found.values()} == {"ok"}
    assert found["shopify.credentials"].said == "Tienda Demo Calzados, sells in CLP"


def test_wrong_credentials_end_the_examination_with_what_to_do(doctor: Doctor) -> None:
    doctor.set("shopify/client_secret", "shpss_wrong")
    found = doctor.says()
    assert found["shopify.credentials"].status == "failed"
    assert "shopify/client_id" in (found["shopify.credentials"].remedy or "")
    assert "shopify.catalogue" not in found


def test_an_app_that_may_not_read_products_fails(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smarteros_sandbox.shopify.admin_api.SCOPES", "read_orders")
    found = doctor.says()["shopify.scopes"]
    assert (found.status, found.said) == (
        "failed",
        "shopify_scopes_missing: The app may not read_products, read_inventory.",
    )


def test_an_app_that_may_not_read_orders_is_a_warning(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smarteros_sandbox.shopify.admin_api.SCOPES", "write_products,read_inventory")
    found = doctor.says()["shopify.scopes"]
    assert (found.status, "read_orders" in found.said) == ("warning", True)


def test_a_version_that_ends_soon_is_a_warning(doctor: Doctor) -> None:
    doctor.clock.instant = datetime(2027, 9, 1, tzinfo=UTC)
    assert doctor.says()["shopify.version"].status == "warning"


def test_a_shop_nobody_has_connected_is_skipped(doctor: Doctor) -> None:
    doctor.secrets.values.clear()
    assert {finding.status for finding in doctor.says().values()} == {"skipped"}
