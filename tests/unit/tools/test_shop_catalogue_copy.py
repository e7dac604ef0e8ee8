"""Our copies of the shops' catalogues: read from the stand-in shops, searched, kept, used when a shop is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from tests.unit.tools.shop_world import CLOTHES, GADGETS, NOON, SHOES, World, a_product, is_right, open_world
from typer.testing import CliRunner

from smarteros.cli.main import app
from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.store.catalogue import ProductRow, count_products, end_reading, put_products
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.tools.catalogue import CatalogueVariant
from smarteros.tools.mirror.loop import CatalogueLoop
from smarteros.tools.mirror.rows import row_of
from smarteros.tools.shopify.subscriptions import WebhookSubscriber
from smarteros_sandbox.shops.loader import load_shops

QUERIES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "catalogue_queries.yml").read_text("utf-8")
)


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    """Three shops, read once."""
    with open_world(postgres, load_shops(date(2026, 11, 1))) as opened:
        for tenant in opened.tenants.values():
            opened.keeper.compare(tenant)
        yield opened


@pytest.fixture(autouse=True)
def _as_before(world: World) -> Iterator[None]:
    yield
    world.faults.clear()
    world.clock.instant = NOON


@pytest.fixture(scope="module")
def answers(world: World) -> list[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """Every question with its tenant and the rows that were answered."""
    return [
        (tenant, wanted, world.search(wanted["q"], tenant)["products"])
        for tenant, questions in QUERIES.items()
        for wanted in questions
    ]


def test_customers_words_find_the_right_products_in_the_first_three(answers: list[Any]) -> None:
    """At least 95 of 100; the rest of the questions are named, so that they can be looked at."""
    told = [(wanted, [row["title"] for row in rows]) for _, wanted, rows in answers]
    wrong = [(wanted["q"], titles) for wanted, titles in told if not is_right(wanted, titles)]
    assert len(told) >= 80
    assert len(wrong) <= len(told) * 0.05, wrong


def test_no_search_ever_shows_what_the_catalogue_does_not_say(world: World, answers: list[Any]) -> None:
    sold = {
        (tenant, product.title, variant.price, variant.stock)
        for tenant, shop in world.shops.items()
        for product in shop.products
        if product.published
        for variant in product.variants
        if variant.stock > 0
    }
    shown = {(tenant, row["title"], row["price"], row["stock"]) for tenant, _, rows in answers for row in rows}
    assert shown <= sold
    assert all(row["currency"] == "CLP" for _, _, rows in answers for row in rows)


@pytest.mark.parametrize(
    "query",
    ["trajes de baño", "discos duros 1,5 tb", "'; DROP TABLE x; --", "a & b | !c:*", "½ ²³ ﷽ 🥾", "new balance", "\\"],
)
def test_whatever_is_typed_is_searched_as_words(world: World, query: str) -> None:
    assert world.search(query)["total"] >= 0
    assert world.search("zapatillas", brand=query[:60])["products"] == []


def test_the_copy_holds_what_is_published_and_nothing_else(world: World) -> None:
    for tenant, shop in world.shops.items():
        assert world.kept(tenant) == sum(product.published for product in shop.products)


def test_no_tenant_finds_another_ones_products(world: World) -> None:
    with world.database.tenant(world.tenants[CLOTHES].scope) as connection:
        assert count_products(connection, SHOES) == 0


def test_a_dead_shop_is_answered_for_from_the_copy_with_its_time(world: World) -> None:
    world.faults.set("shopify", "http_500")
    world.clock.instant = NOON + timedelta(hours=3)
    result = world.call("shopify_search_products", query="zapatiyas nº 42")
    assert (result.outcome, result.error_code) == ("fallback", "shopify_unavailable")
    assert result.data is not None
    assert [product["title"] for product in result.data["products"]] == [
        "Zapatilla Running Azul",
        "Zapatilla Training Negro",
    ]
    assert result.data["as_of"].startswith("2026-11-23T15:00")
    detail = world.call("shopify_get_product", product_id=result.data["products"][0]["id"])
    assert detail.outcome == "fallback"


def test_a_dead_shop_is_not_answered_for_from_a_copy_older_than_a_day(world: World) -> None:
    world.faults.set("shopify", "http_500", scope=GADGETS)
    world.clock.instant = NOON + timedelta(hours=25)
    result = world.call("shopify_search_products", GADGETS, query="parlantes")
    assert (result.outcome, result.data) == ("error", None)


def test_only_the_changes_are_read_within_a_day_and_everything_after_it(world: World) -> None:
    world.clock.instant = NOON + timedelta(minutes=10)
    assert world.keeper.compare(world.tenants[CLOTHES]).what == "changes"
    assert world.keeper.compare(world.tenants[CLOTHES], unless_within=timedelta(minutes=6)).what == "skipped"
    world.clock.instant = NOON + timedelta(hours=24)
    assert world.keeper.compare(world.tenants[CLOTHES]).what == "full"


def test_what_the_shop_sells_no_more_is_forgotten_by_a_full_reading(world: World) -> None:
    ghost = a_product("gid://shopify/Product/1", "Fantasma")
    with world.database.tenant(world.tenants[GADGETS].scope) as connection:
        put_products(connection, GADGETS, [row_of(ghost)], reading=0)
    done = world.keeper.compare(world.tenants[GADGETS], full=True)
    assert (done.forgotten, done.products) == (1, world.kept(GADGETS))


def test_a_different_number_of_products_leads_to_a_full_reading(world: World) -> None:
    ghost = a_product("gid://shopify/Product/2", "Fantasma")
    with world.database.tenant(world.tenants[GADGETS].scope) as connection:
        put_products(connection, GADGETS, [row_of(ghost)], reading=10**6)
    world.clock.instant = NOON + timedelta(hours=2)
    assert world.keeper.compare(world.tenants[GADGETS]).what == "full"
    world.keeper.refresh(world.tenants[GADGETS], ghost.id)
    assert world.kept(GADGETS) == sum(product.published for product in world.shops[GADGETS].products)


def test_one_product_is_read_again_and_forgotten_when_it_is_not_for_sale(world: World) -> None:
    hidden = next(product for product in world.shops[SHOES].products if not product.published)
    before = world.kept()
    for product_id in (hidden.id, 7891234567890, 424242):
        world.keeper.refresh(world.tenants[SHOES], f"gid://shopify/Product/{product_id}")
    assert world.kept() == before


def test_a_reading_leaves_half_of_the_rate_limit_to_the_customers(world: World) -> None:
    world.waits.clear()
    world.keeper.compare(world.tenants[SHOES], full=True)
    pages = -(-sum(product.published for product in world.shops[SHOES].products) // 8)
    assert len(world.waits) == pages
    assert all(wait >= 0 for wait in world.waits)


def test_a_shop_that_is_away_for_long_is_an_error_and_leaves_the_copy_as_it_was(world: World) -> None:
    before = world.kept()
    world.faults.set("shopify", "http_500", scope=SHOES)
    with pytest.raises(SmosError) as caught:
        world.keeper.compare(world.tenants[SHOES], full=True)
    assert caught.value.code == "shopify_unavailable"
    assert world.kept() == before


def test_a_reading_goes_on_after_a_short_fault(world: World) -> None:
    world.faults.set("shopify", "http_500", scope=SHOES, times=2)
    assert world.keeper.compare(world.tenants[SHOES], full=True).what == "full"


def test_the_loop_compares_every_shop_and_refreshes_what_a_webhook_named(world: World) -> None:
    world.clock.instant = NOON + timedelta(hours=30)
    hidden = next(product for product in world.shops[SHOES].products if not product.published)
    rounds = 0
    one_is_done = threading.Event()

    def tenants() -> tuple[Tenant, ...]:
        nonlocal rounds
        rounds += 1
        if rounds == 2:
            one_is_done.set()
        return tuple(world.tenants.values())

    loop = CatalogueLoop(world.keeper, tenants, first_after_s=0, every_s=0.05)
    loop.refresh_soon(world.tenants[SHOES], f"gid://shopify/Product/{hidden.id}")
    loop.start()
    assert one_is_done.wait(30)
    loop.stop()
    assert {world.copies.as_of(tenant) for tenant in world.tenants.values()} == {world.clock.instant}
    assert world.kept() == sum(product.published for product in world.shops[SHOES].products)


@pytest.mark.parametrize("fault", ["throttle", "expired_token"])
def test_a_fault_of_the_shop_in_the_middle_of_a_search_is_survived_or_told(world: World, fault: str) -> None:
    world.faults.set("shopify", fault, scope=GADGETS, times=1)
    result = world.call("shopify_search_products", GADGETS, query="monitor", timeout_ms=2000)
    assert result.outcome in {"ok", "fallback", "error"}
    assert (result.data is None) == (result.outcome == "error")


def test_recommendations_are_similar_in_stock_and_other_products(world: World) -> None:
    running = world.search("zapatilla running azul")["products"][0]
    result = world.call("shopify_recommend_products", product_id=running["id"])
    assert result.data is not None
    titles = [product["title"] for product in result.data["products"]]
    assert len(titles) == 3
    assert running["title"] not in titles
    assert titles[0] == "Zapatilla Training Negro"
    fewer = world.call(
        "shopify_recommend_products", product_id=running["id"], exclude=[result.data["products"][0]["id"]]
    )
    assert fewer.data is not None
    assert "Zapatilla Training Negro" not in [product["title"] for product in fewer.data["products"]]


def test_complements_go_with_the_product(world: World) -> None:
    shoe = world.search("zapatilla running azul")["products"][0]
    result = world.call("shopify_recommend_products", product_id=shoe["id"], mode="complement")
    assert result.data is not None
    assert [p["title"] for p in result.data["products"]][:2] == ["Calcetines Running Pack 3", "Plantillas de Gel"]
    notebook = world.search("notebook", GADGETS)["products"][0]
    with_it = world.call("shopify_recommend_products", GADGETS, product_id=notebook["id"], mode="complement")
    assert with_it.data is not None
    assert with_it.data["products"][0]["title"] == "Mouse Inalámbrico Zorro"


def test_without_words_the_shop_recommends_what_it_has_and_with_words_what_suits(world: World) -> None:
    any_product = world.call("shopify_recommend_products", CLOTHES)
    assert any_product.data is not None
    assert len(any_product.data["products"]) == 3
    suited = world.call("shopify_recommend_products", CLOTHES, query="un vestido para una fiesta", size="S")
    assert suited.data is not None
    assert suited.data["products"][0]["title"] == "Vestido Negro Bohemia"


def test_a_product_is_told_with_all_its_variants(world: World) -> None:
    found = world.search("bota trekking")["products"][0]
    for key in ({"product_id": found["id"]}, {"variant_id": found["variant_id"]}):
        result = world.call("shopify_get_product", **key)
        assert result.data is not None, result.error_code
        assert result.data["title"] == "Bota Trekking Aconcagua"
        assert "impermeable" in result.data["description"]
        assert {"Talla 42 / Café", "Talla 44 / Negro"} <= {v["variant"] for v in result.data["variants"]}


def test_ten_thousand_products_are_searched_like_ten(world: World) -> None:
    """The first three are right, and the question costs a bounded number of products, not the whole catalogue."""
    tenant = world.tenants[GADGETS].model_copy(update={"tenant_id": "TENANT_HUGE"})
    colours, sizes = ("Rojo", "Azul", "Verde", "Negro"), ("38", "40", "42", "44")
    rows: list[ProductRow] = []
    for number in range(10_000):
        kind = ("Zapatilla", "Polera", "Notebook", "Lámpara")[number % 4]
        title = f"{kind} Modelo{number:05d}"
        variant = CatalogueVariant(
            id=f"gid://shopify/ProductVariant/{number}",
            price=1000 + number,
            stock=number % 7,
            buyable=number % 7 > 0,
            options={"Talla": sizes[number // 4 % 4], "Color": colours[number // 16 % 4]},
        )
        rows.append(row_of(a_product(f"gid://shopify/Product/{number}", title, variant, kind=kind + "s")))
    with world.database.tenant(tenant.scope) as connection:
        for start in range(0, len(rows), 1000):
            put_products(connection, tenant.tenant_id, rows[start : start + 1000], reading=1)
    with world.database.tenant(tenant.scope) as connection:
        end_reading(connection, tenant.tenant_id, 1, NOON)
    world.faults.set("shopify", "http_500")
    world.tenants["TENANT_HUGE"] = tenant
    for path in ("shopify/admin_token", "shopify/store_domain"):
        world.secrets.write(tenant.scope, path, world.secrets.read(world.tenants[GADGETS].scope, path))
    try:
        result = world.call("shopify_search_products", "TENANT_HUGE", query="la zapatiya roja talla 42 mas barata")
        named = world.call("shopify_search_products", "TENANT_HUGE", query="polera modelo00041")
    finally:
        del world.tenants["TENANT_HUGE"]
    assert result.data is not None
    assert [row["title"] for row in result.data["products"]][:2] == ["Zapatilla Modelo00008", "Zapatilla Modelo00072"]
    assert named.data is not None
    assert named.data["products"][0]["title"] == "Polera Modelo00041"


def test_the_operator_reads_a_shop_and_sees_how_old_the_copy_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    services = SimpleNamespace(
        tenants=SimpleNamespace(get=world.tenants.__getitem__),
        catalogues=SimpleNamespace(
            keeper=world.keeper, copies=world.copies, subscriber=WebhookSubscriber(world.keeper.client, None)
        ),
        database=world.database,
    )
    monkeypatch.setattr("smarteros.bootstrap.open_services", lambda _settings: nullcontext(services))
    run = CliRunner().invoke
    done = run(app, ["catalogue", "sync", "--tenant", SHOES, "--json"])
    assert json.loads(done.output)["what"] == "full"
    assert "shopify/client_secret" in json.loads(done.output)["webhooks"]["problem"]
    shown = json.loads(run(app, ["catalogue", "show", "--tenant", SHOES, "--json", "--limit", "3"]).output)
    assert (shown["products"], len(shown["titles"]), shown["problem"]) == (world.kept(), 3, None)
    assert shown["compared_at"] == NOON.isoformat()
    plain = run(app, ["catalogue", "show", "--tenant", SHOES, "--limit", "1"]).output
    assert "compared 2026-11-23 15:00 UTC" in plain
