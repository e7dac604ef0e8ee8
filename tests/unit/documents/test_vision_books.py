"""What Cloud Vision costs a shop is remembered, and a limit of the month is kept."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import SimpleNamespace
from uuid import uuid4

import pytest
from tests.documents.engines import AWAY, SURE, UNSURE, Shops, says, shop
from typer.testing import CliRunner

from smarteros.cli.documents import app
from smarteros.documents.protocol import OcrPage
from smarteros.documents.vision_books import BilledOcrEngine, PostgresVisionBooks, images_within
from smarteros.domain.errors import PermanentError
from smarteros.domain.tenants import Tenant
from smarteros.domain.vision import FREE_IMAGES, cost_of
from smarteros.store.database import Database

MONTH = "2026-11"


@pytest.fixture
def tenant() -> Tenant:
    return shop("vision", f"TENANT_VISION_{uuid4().hex[:8].upper()}")


def filled(books: PostgresVisionBooks, tenant: Tenant, images: int) -> PostgresVisionBooks:
    for _ in range(images):
        assert books.take(tenant.scope, MONTH, None)
    return books


def test_images_of_a_month_outlive_the_process(database: Database, tenant: Tenant) -> None:
    filled(PostgresVisionBooks(database), tenant, 3).give_back(tenant.scope, MONTH)
    again = PostgresVisionBooks(database)
    assert (again.images(tenant.scope, MONTH), again.images(tenant.scope, "2026-12")) == (2, 0)


def test_no_image_is_counted_beyond_the_limit(database: Database, tenant: Tenant) -> None:
    books = filled(PostgresVisionBooks(database), tenant, 2)
    assert books.take(tenant.scope, MONTH, 3)
    assert not books.take(tenant.scope, MONTH, 3)
    assert books.images(tenant.scope, MONTH) == 3
    assert books.take(tenant.scope, "2026-12", 3), "a new month begins at nothing"


def test_shops_do_not_see_each_others_images(database: Database, tenant: Tenant) -> None:
    books = filled(PostgresVisionBooks(database), tenant, 1)
    assert books.images(shop("vision", tenant.tenant_id + "_B").scope, MONTH) == 0


def test_the_first_thousand_of_a_month_are_free_and_each_further_costs_a_tenth_and_a_half_of_a_cent() -> None:
    assert (cost_of(FREE_IMAGES), cost_of(FREE_IMAGES + 1000)) == (0, 1_500_000)
    assert (images_within(0), images_within(150)) == (FREE_IMAGES, FREE_IMAGES + 1000)


@pytest.mark.parametrize(("policy", "page"), [("vision", UNSURE), ("vision_then_local", UNSURE)])
def test_beyond_the_limit_this_machine_reads(policy: str, page: OcrPage) -> None:
    shops, limited = Shops(says(page), says(SURE)), limited_shop(policy)
    use_up(shops, limited)
    assert shops.engines().of(limited).read(b"x") == page
    assert (shops.local.asked, shops.cloud.asked) == (1, 0)


def test_beyond_the_limit_there_is_no_second_opinion() -> None:
    shops, limited = Shops(says(UNSURE), says(SURE)), limited_shop("local_then_vision")
    use_up(shops, limited)
    assert shops.engines().of(limited).read(b"x") == UNSURE
    assert (shops.local.asked, shops.cloud.asked) == (1, 0)


def test_what_vision_has_not_read_is_not_counted(tenant: Tenant) -> None:
    shops = Shops(says(SURE), says(AWAY[0], SURE))
    engine = BilledOcrEngine(shops.cloud, shops.books, tenant, now_month=lambda: MONTH)
    with pytest.raises(type(AWAY[0])):
        engine.read(b"x")
    assert shops.books.images(tenant.scope, MONTH) == 0
    engine.read(b"x")
    assert shops.books.images(tenant.scope, MONTH) == 1


def test_a_limit_without_another_engine_is_told() -> None:
    shops, limited = Shops(says(SURE), says(SURE)), limited_shop("vision")
    use_up(shops, limited)
    with pytest.raises(PermanentError, match="limit"):
        BilledOcrEngine(shops.cloud, shops.books, limited).read(b"x")


def test_the_operator_sees_a_months_cost_and_sets_its_limit(
    database: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[Tenant] = []
    tenants = SimpleNamespace(get=lambda _id: tenant, save=saved.append)

    @contextmanager
    def services(_settings: object) -> Generator[SimpleNamespace]:
        yield SimpleNamespace(tenants=tenants, database=database)

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    filled(PostgresVisionBooks(database), tenant, 2)
    asked = ["cost", "--tenant", tenant.tenant_id, "--month", MONTH]
    assert CliRunner().invoke(app, asked).stdout == "2026-11: 2 images, US$ 0.00, no limit\n"
    assert CliRunner().invoke(app, [*asked, "--limit-usd-cents", "250"]).stdout.endswith("limit US$ 2.50\n")
    assert [shop.vision_monthly_usd_cents for shop in saved] == [250]


def limited_shop(policy: str) -> Tenant:
    return shop(policy).model_copy(update={"vision_monthly_usd_cents": 0})


def use_up(shops: Shops, tenant: Tenant) -> None:
    month = BilledOcrEngine(shops.cloud, shops.books, tenant).now_month()
    for _ in range(FREE_IMAGES):
        assert shops.books.take(tenant.scope, month, None)
