"""What every ToolProvider and every ToolCache must do, whatever stands behind it.

The embedded provider is run over the stand-in shop and ERP on loopback.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

import pytest
from tests.conformance.tool_bench import SEARCH, Bench, Changeable, gid_of, opened
from tests.support import serving

from smarteros.domain.messages import Contact
from smarteros.domain.tools import ToolName
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shopify import create_shopify_app
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.shops.models import DemoShop

FIRST_START = date(2025, 11, 17)
CART, INVOICE = "shopify_create_cart", "odoo_find_invoice"


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def shops() -> tuple[DemoShop, ...]:
    return load_shops(FIRST_START)


@pytest.fixture(scope="module")
def shopify(shops: tuple[DemoShop, ...], faults: Faults) -> Iterator[tuple[str, Changeable]]:
    app = Changeable(create_shopify_app(shops, faults))
    with serving(app) as url:
        yield url, app


@pytest.fixture
def shopify_url(shopify: tuple[str, Changeable], shops: tuple[DemoShop, ...], faults: Faults) -> str:
    url, app = shopify
    app.app = create_shopify_app(shops, faults)
    return url


@pytest.fixture(scope="module")
def odoo_url(shops: tuple[DemoShop, ...], faults: Faults) -> Iterator[str]:
    odoo = pytest.importorskip("smarteros_sandbox.odoo", reason="the stand-in Odoo is absent")
    with serving(odoo.create_odoo_app(shops, faults)) as url:
        yield url


@pytest.fixture(params=["admin", "ucp"])
def bench(
    request: pytest.FixtureRequest, shops: tuple[DemoShop, ...], shopify_url: str, faults: Faults
) -> Iterator[Bench]:
    """The tools over both doors of a shop; by UCP without a single credential."""
    with opened(request.param, shops, shopify_url, faults) as made:
        yield made


@pytest.fixture
def with_keys(shops: tuple[DemoShop, ...], shopify_url: str, faults: Faults) -> Iterator[Bench]:
    with opened("admin", shops, shopify_url, faults) as made:
        yield made


@pytest.fixture
def erp(with_keys: Bench, odoo_url: str) -> Bench:
    for tenant in with_keys.tenants.values():
        with_keys.secrets.write(tenant.scope, "odoo/instance_url", odoo_url)
    return with_keys


def test_every_tool_is_described_with_its_models(with_keys: Bench) -> None:
    specs = {spec.name: spec for spec in with_keys.provider.specs()}
    assert set(specs) == set(get_args(ToolName))
    for spec in specs.values():
        assert spec.title
        assert spec.description
        assert spec.input_model.model_json_schema()["additionalProperties"] is False


def test_the_search_of_the_contract_finds_its_two_products(bench: Bench) -> None:
    result = bench.call(SEARCH, query="zapatillas talla 42", limit=5)
    assert (result.outcome, result.tool) == ("ok", SEARCH)
    assert result.data is not None
    assert result.data["total"] == 2
    first = result.data["products"][0]
    assert first == {
        "id": "gid://shopify/Product/7891234567890",
        "variant_id": first["variant_id"],
        "title": "Zapatilla Running Azul",
        "variant": "Talla 42",
        "price": 39990,
        "currency": "CLP",
        "stock": 5 if bench.door == "admin" else None,  # UCP tells no figures: then there is none
        "url": "https://tienda-demo.myshopify.com/products/zapatilla-running-azul-42",
        # UCP names the options of what can be bought.
        "options": {"Talla": ["40", "41", "42", "43"] if bench.door == "admin" else ["40", "41", "42"]},
    }
    assert first["variant_id"].startswith("gid://shopify/ProductVariant/")
    assert result.data["products"][1]["title"] == "Zapatilla Training Negro"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("¿Tienen zapatillas talla 42?", ["Zapatilla Running Azul, Talla 42", "Zapatilla Training Negro, Talla 42"]),
        ("zapatillas talla 99", []),
        ("zapatilla trail talla 42", []),
        ("zapatilla retro 84", []),
        ("ZAPATILLAS negras nº 42", ["Zapatilla Training Negro, Talla 42"]),
        ("botines de hombre", ["Botín Desierto Pica, Talla 40"]),
        ("botin chelsea marron talla 38", ["Botín Chelsea Patagonia, Talla 38 / Marrón"]),
        ("bota café 42 bajo 60 lucas", ["Bota de Seguridad Faena, Talla 42"]),
        ("ballerinas nunoa", ["Ballerina Plaza Ñuñoa, Talla 35 / Rojo"]),
        ("hawaianas talla 44", ["Chala de Baño Tongoy, Talla 44 / Negro"]),
        ("plantillas talla 38", ["Plantillas de Gel, Talla 35-39"]),
        ("boots size 45", ["Bota de Seguridad Faena, Talla 45"]),
        ("zapatillas entre 40 y 43 mil talla 37", ["Zapatilla Running Rosada Atacama, Talla 37"]),
        ("bicicletas rojas", []),
    ],
)
def test_customers_words_find_what_the_shop_sells(bench: Bench, query: str, expected: list[str]) -> None:
    assert bench.titles(query)[: max(len(expected), 1)] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("audifonos inalambricos blancos", "Audífonos Bluetooth Pehuén, Blanco"),
        ("celular 256 gb", "Celular Villarrica X, Azul / 256 GB"),
        ("notebook 1 TB más barato", "Notebook Llaima 14, Gris / 1 TB"),
        ("monitor 27", "Monitor Lonquimay 27, Negro"),
        ("cargador 65w", "Cargador Rápido Coñaripe USB-C, 65 W"),
    ],
)
def test_an_electronics_shop_is_searched_the_same_way(bench: Bench, query: str, expected: str) -> None:
    assert bench.titles(query, "TENANT_RUT_78987654")[0] == expected


def test_parameters_choose_like_words(bench: Bench) -> None:
    found = bench.titles("zapatillas", size="42", color="azul", price_max=40_000, category="zapatillas")
    assert found == ["Zapatilla Running Azul, Talla 42"]
    assert bench.titles("zapatillas", brand="Puerto", size="36")[0].startswith("Zapatilla")


def test_the_limit_holds_and_the_total_tells_the_rest(bench: Bench) -> None:
    result = bench.call(SEARCH, query="zapatillas", limit=2)
    assert result.data is not None
    assert len(result.data["products"]) == 2
    assert result.data["total"] > 2


def test_each_product_is_one_row_in_stock(bench: Bench) -> None:
    result = bench.call(SEARCH, query="zapatillas", limit=20)
    assert result.data is not None
    ids = [product["id"] for product in result.data["products"]]
    assert len(ids) == len(set(ids)) == 7
    assert all(product["stock"] is None or product["stock"] > 0 for product in result.data["products"])


def test_another_shop_never_answers(bench: Bench) -> None:
    assert bench.titles("zapatillas", "TENANT_RUT_77123456") == []


def test_a_token_of_another_shop_opens_nothing(with_keys: Bench) -> None:
    other = with_keys.secrets.read(with_keys.tenants["TENANT_RUT_77123456"].scope, "shopify/admin_token")
    with_keys.secrets.write(with_keys.tenants["TENANT_DEMO"].scope, "shopify/admin_token", other)
    result = with_keys.call(SEARCH, query="zapatillas", fallback=True)
    assert (result.outcome, result.data) == ("error", None)


def test_a_wrong_token_is_an_error_of_the_configuration(with_keys: Bench) -> None:
    with_keys.secrets.write(with_keys.tenants["TENANT_DEMO"].scope, "shopify/admin_token", "shpat_wrong")
    result = with_keys.call(SEARCH, query="zapatillas", fallback=True)
    assert (result.outcome, result.error_code, result.data) == ("error", "shopify_access_refused", None)


def test_a_throttled_shop_is_not_waited_for_longer_than_there_is_time(bench: Bench) -> None:
    bench.faults.set("shopify", "throttle", scope="TENANT_RUT_78987654", times=1)
    result = bench.call(SEARCH, tenant="TENANT_RUT_78987654", query="audífonos", timeout_ms=2000)
    assert (result.outcome, result.error_code) == ("error", "shopify_throttled")
    assert result.duration_ms < 1500


def test_a_shop_that_hangs_ends_in_time_and_is_answered_from_memory(bench: Bench) -> None:
    bench.call(SEARCH, query="zapatillas talla 42")
    bench.faults.set("shopify", "hang", value=3)
    cold = bench.call(SEARCH, query="calcetines", timeout_ms=300, fallback=False)
    assert (cold.outcome, cold.data) == ("timeout", None)
    warm = bench.call(SEARCH, query="¿Tienen zapatillas talla 42?", timeout_ms=300, fallback=True)
    assert warm.outcome == "fallback"
    assert warm.duration_ms < 3000
    assert warm.data is not None
    assert warm.data["as_of"] is not None
    assert warm.data["total"] == 2


def test_a_cart_is_a_link_with_prices_read_again(bench: Bench) -> None:
    found = bench.call(SEARCH, query="zapatillas talla 42").data
    assert found is not None
    variants = [product["variant_id"] for product in found["products"]]
    lines = [{"variant_id": variants[0], "quantity": 2}, {"variant_id": variants[1]}]
    cart = bench.call(CART, lines=lines)
    assert cart.outcome == "ok", cart.error_code
    assert cart.data is not None
    numbers = [variant.rsplit("/", 1)[1] for variant in variants]
    assert cart.data["checkout_url"] == (
        f"https://tienda-demo.myshopify.com/cart/{numbers[0]}:2,{numbers[1]}:1"
        "?attributes[smos_conversation]=12345&ref=smos"
    )
    assert cart.data["total_price"] == 2 * 39990 + 34990


@pytest.mark.parametrize("asked", ["product_id", "variant_id"])
def test_a_product_is_told_with_all_its_variants(bench: Bench, shops: tuple[DemoShop, ...], asked: str) -> None:
    of_many = max(shops[0].products, key=lambda product: len(product.variants) * product.published)
    ids = {"product_id": f"gid://shopify/Product/{of_many.id}", "variant_id": gid_of(of_many.variants[-1])}
    told = bench.call("shopify_get_product", **{asked: ids[asked]}).data
    assert told is not None
    assert told["title"] == of_many.title
    assert {(each["variant_id"], each["price"], each["available"]) for each in told["variants"]} == {
        (gid_of(variant), variant.price, variant.stock > 0) for variant in of_many.variants
    }


def test_what_goes_with_a_product_can_be_bought_now(bench: Bench, shops: tuple[DemoShop, ...]) -> None:
    shoe = f"gid://shopify/Product/{shops[0].products[0].id}"
    told = bench.call("shopify_recommend_products", product_id=shoe).data
    assert told is not None
    assert len(told["products"]) == 3
    assert shoe not in {each["id"] for each in told["products"]}


def test_a_price_that_changed_and_a_line_that_is_gone_are_told(bench: Bench, shops: tuple[DemoShop, ...]) -> None:
    variants = [variant for variant in shops[0].products[0].variants if variant.stock > 0]
    lines = [{"variant_id": gid_of(variants[0]), "seen_price": 29990}, {"variant_id": "gid://shopify/ProductVariant/1"}]
    told = bench.call("shopify_check_stock", lines=lines).data
    assert told is not None
    assert [line["status"] for line in told["lines"]] == ["price_up", "gone"]
    assert (told["total_price"], told["currency"]) == (variants[0].price, "CLP")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([{"variant_id": "gid://shopify/ProductVariant/1"}], "variant_unknown"),
        ([{"variant_id": "gid://shopify/ProductVariant/1?x"}], "invalid_params"),
        ([], "invalid_params"),
        ([{"variant_id": "gid://shopify/ProductVariant/1", "quantity": 0}], "invalid_params"),
        ([{"variant_id": "gid://shopify/ProductVariant/1"}] * 21, "invalid_params"),
    ],
)
def test_a_cart_of_what_is_not_sold_is_refused(bench: Bench, lines: list[dict[str, Any]], code: str) -> None:
    result = bench.call(CART, lines=lines)
    assert (result.outcome, result.error_code) == ("refused", code)


def test_a_sold_out_variant_makes_no_cart(bench: Bench, shops: tuple[DemoShop, ...]) -> None:
    sold_out = next(variant for variant in shops[0].products[0].variants if variant.stock == 0)
    result = bench.call(CART, lines=[{"variant_id": f"gid://shopify/ProductVariant/{sold_out.id}"}])
    assert (result.outcome, result.error_code) == ("refused", "variant_sold_out")


def test_the_invoice_of_the_contract_is_told_to_its_customer(erp: Bench) -> None:
    result = erp.call(INVOICE, invoice_number="INV-2025-001")
    assert result.outcome == "ok", result.error_code
    assert result.data is not None
    assert result.data["identity_verified"]
    invoice = result.data["invoice"]
    assert (invoice["product_sku"], invoice["price"]) == ("ZRA-42", 39990)
    assert (invoice["warranty_expiration"], invoice["return_deadline"]) == ("2026-01-13", "2025-11-14")
    assert result.data["customer_history"] == {
        "total_purchases": 3,
        "total_returns": 0,
        "customer_tier": "regular",
    }


def test_a_folio_finds_the_same_invoice(erp: Bench) -> None:
    for number in ("1", "000001", "BEL 000001", "inv-2025-001"):
        result = erp.call(INVOICE, invoice_number=number)
        assert result.data is not None
        assert result.data["invoice"]["date"] == "2025-10-15"


def test_an_invoice_is_not_told_to_somebody_else(erp: Bench) -> None:
    result = erp.call(INVOICE, invoice_number="INV-2025-001", contact=Contact(id=2, proven="+56979540471"))
    assert result.outcome == "ok"
    assert result.data == {
        "found": True,
        "invoice": None,
        "customer_history": None,
        "identity": "unknown",
        "identity_verified": False,
        "second_fact_needed": False,
        "ambiguous": False,
    }


@pytest.mark.parametrize("number", ["%", "_______", "INV%", "NOPE", "INV-2026-999"])
def test_numbers_nobody_has_find_nothing(erp: Bench, number: str) -> None:
    result = erp.call(INVOICE, invoice_number=number)
    assert result.outcome == "ok", result.error_code
    assert result.data is not None
    assert not result.data["found"]


def test_the_same_number_in_another_shop_is_another_invoice(erp: Bench) -> None:
    result = erp.call(INVOICE, tenant="TENANT_RUT_77123456", invoice_number="INV-2025-001")
    assert result.outcome == "ok", result.error_code
    assert result.data is not None
    assert (result.data["identity_verified"], result.data["invoice"]) == (False, None)
    valentina = Contact(id=3, proven="vale.castro@example.cl")
    own = erp.call(INVOICE, tenant="TENANT_RUT_77123456", contact=valentina, invoice_number="INV-2025-001")
    assert own.data is not None
    assert own.data["invoice"]["product_name"] == "Polera Básica Sur"


def test_the_invoice_of_another_shop_is_not_found(erp: Bench) -> None:
    result = erp.call(INVOICE, tenant="TENANT_RUT_77123456", invoice_number="INV-2024-001")
    assert result.data is not None
    assert not result.data["found"]


def test_a_wrong_api_key_is_an_error_of_the_configuration(erp: Bench) -> None:
    erp.secrets.write(erp.tenants["TENANT_DEMO"].scope, "odoo/api_key", "wrong")
    result = erp.call(INVOICE, invoice_number="INV-2025-001")
    assert (result.outcome, result.error_code) == ("error", "odoo_access_refused")


def test_an_unreachable_erp_is_an_error_without_details(with_keys: Bench) -> None:
    with_keys.secrets.write(with_keys.tenants["TENANT_DEMO"].scope, "odoo/instance_url", "http://127.0.0.1:1")
    result = with_keys.call(INVOICE, invoice_number="INV-2025-001", fallback=True)
    assert (result.outcome, result.error_code, result.data) == ("error", "odoo_unavailable", None)
