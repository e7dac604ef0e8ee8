"""The demo shops: complete, contradictory to each other, and as the scenarios need them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from stdnum.cl import rut

from smarteros_sandbox.shops.loader import load_shop, load_shops, sku_text
from smarteros_sandbox.shops.models import DemoShop

from .shops_stand import CLOTHES, DEMO, ELECTRONICS, FIRST_START, demo_shops

KB_TOPICS = {
    "horarios": "horarios",
    "ubicacion": "ubicacion",
    "pago": "pago",
    "envios": "envios",
    "politica-devoluciones": "devoluciones",
    "politica-garantia": "garantia",
    "contacto": "contacto",
}
BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{24}")
each_shop = pytest.mark.parametrize("shop", demo_shops(), ids=lambda shop: shop.spec.tenant_id)


def front_matter(text: str) -> dict[str, object]:
    return yaml.safe_load(text.split("---")[1])


def test_three_tenants_in_order_of_their_accounts():
    assert [(shop.spec.tenant_id, shop.spec.account_id) for shop in demo_shops()] == [
        ("TENANT_DEMO", 1),
        ("TENANT_RUT_77123456", 2),
        ("TENANT_RUT_78987654", 3),
    ]


@each_shop
def test_ruts_have_their_check_digit(shop: DemoShop):
    assert rut.is_valid(shop.spec.rut)
    assert all(rut.is_valid(partner.vat) for partner in shop.partners if partner.vat)
    if shop.spec.tenant_id.startswith("TENANT_RUT_"):
        assert shop.spec.rut.startswith(shop.spec.tenant_id.removeprefix("TENANT_RUT_"))


@each_shop
def test_tokens_have_realistic_shapes(shop: DemoShop):
    assert all(BASE58.fullmatch(inbox.identifier) for inbox in shop.spec.inboxes)
    assert BASE58.fullmatch(shop.spec.administrator_token)
    assert re.fullmatch(r"shpat_[0-9a-f]{32}", shop.spec.admin_token)
    assert re.fullmatch(r"[0-9a-f]{32}", shop.spec.client_id)
    assert re.fullmatch(r"[0-9a-f]{32}", shop.spec.storefront_token)
    assert re.fullmatch(r"[0-9a-f]{40}", shop.spec.odoo_api_key)


@pytest.mark.parametrize(
    "values",
    [
        [shop.spec.admin_token for shop in demo_shops()],
        [shop.spec.odoo_api_key for shop in demo_shops()],
        [shop.spec.vision_api_key for shop in demo_shops()],
        [inbox.id for shop in demo_shops() for inbox in shop.spec.inboxes],
        [inbox.identifier for shop in demo_shops() for inbox in shop.spec.inboxes],
        [variant.id for shop in demo_shops() for product in shop.products for variant in product.variants],
        [variant.sku for product in demo_shops()[DEMO].products for variant in product.variants],
        [invoice.id for shop in demo_shops() for invoice in shop.invoices],
        [partner.id for shop in demo_shops() for partner in shop.partners],
        [partner.phone for shop in demo_shops() for partner in shop.partners],
    ],
)
def test_nothing_that_identifies_is_shared(values: list[object]):
    assert len(set(values)) == len(values)


@each_shop
def test_catalogues_are_big_enough_to_search(shop: DemoShop):
    assert 15 <= len(shop.products) <= 30
    assert len({product.product_type for product in shop.products}) >= 5
    assert len({product.vendor for product in shop.products}) >= 3
    assert sum(not product.published for product in shop.products) == 1
    assert any(variant.stock == 0 for product in shop.products for variant in product.variants)
    assert all(product.description.endswith((".", ")")) for product in shop.products)


def test_exactly_two_zapatillas_are_on_sale_in_size_42():
    found = {
        product.title: (variant.price, variant.stock)
        for product in demo_shops()[DEMO].products
        for variant in product.variants
        if product.product_type == "Zapatillas" and product.published
        if variant.options.get("Talla") == "42" and variant.stock > 0
    }
    assert found == {"Zapatilla Running Azul": (39990, 5), "Zapatilla Training Negro": (34990, 3)}


def test_the_product_of_the_contracts_has_its_id_link_and_sku():
    product = demo_shops()[DEMO].products[0]
    assert (product.id, product.handle) == (7891234567890, "zapatilla-running-azul-42")
    assert [variant.sku for variant in product.variants if variant.options["Talla"] == "42"] == ["ZRA-42"]


def test_nobody_sells_size_99():
    sizes = {value for product in demo_shops()[DEMO].products for v in product.variants for value in v.options.values()}
    assert not any("99" in size for size in sizes)


def test_storage_has_its_own_price():
    notebook = next(one for one in demo_shops()[ELECTRONICS].products if one.title == "Notebook Llaima 14")
    prices = {v.options["Almacenamiento"]: v.price for v in notebook.variants}
    assert prices == {"512 GB": 649990, "1 TB": 749990}


@each_shop
def test_invoices_fit_catalogue_and_partners(shop: DemoShop):
    skus = {variant.sku: product for product in shop.products for variant in product.variants}
    partners = {partner.id for partner in shop.partners}
    for invoice in shop.invoices:
        assert skus[invoice.sku].title == invoice.product_name
        assert invoice.partner_id in partners
        assert invoice.invoice_date is not None
    assert sum(not invoice.in_odoo for invoice in shop.invoices) == 1
    assert len(shop.invoices) >= 4


def test_demo_invoices_cover_the_scenarios():
    invoices = {invoice.number: invoice for invoice in demo_shops()[DEMO].invoices}
    assert invoices["INV-2025-001"].invoice_date == date(2025, 10, 15)
    assert invoices["INV-2024-001"].invoice_date == date(2024, 1, 1)
    assert invoices["INV-2026-012"].invoice_date == FIRST_START - timedelta(days=12)
    assert {invoice.days_ago for invoice in invoices.values()} >= {12, 60, 120}


@each_shop
def test_every_topic_exists_in_spanish_and_english(shop: DemoShop):
    assert set(shop.kb) == {f"{name}{ending}" for name in KB_TOPICS for ending in (".md", ".en.md")}
    for name, text in shop.kb.items():
        meta = front_matter(text)
        assert meta["category"] == KB_TOPICS[name.split(".")[0]]
        assert meta["language"] == ("en" if name.endswith(".en.md") else "es")
        questions = re.findall(r"^## (.+)$", text, re.M)
        assert questions and all(question.endswith("?") for question in questions)


@each_shop
def test_policies_are_machine_readable_and_said_in_words(shop: DemoShop):
    for ending in (".md", ".en.md"):
        returns, warranty = (shop.kb[f"politica-{name}{ending}"] for name in ("devoluciones", "garantia"))
        days, refund = front_matter(returns)["return_days"], front_matter(returns)["refund_working_days"]
        assert re.search(rf"\b{days} (días|days)", returns)
        assert re.search(rf"\b{refund} (días hábiles|working days)", returns)
        assert re.search(rf"\b{front_matter(warranty)['warranty_days']}[ -](días|days?)", warranty)
        assert re.search(r"garantía legal de seis meses|legal guarantee of six months", warranty)


def test_demo_hours_are_those_of_the_seed():
    assert (
        "Nuestro horario de atención es:\n• Lunes a Viernes: 9:00 a 18:00\n"
        "• Sábados: 10:00 a 14:00\n• Domingos: Cerrado" in demo_shops()[DEMO].kb["horarios.md"]
    )


@pytest.mark.parametrize("name", [f"{name}.md" for name in KB_TOPICS])
def test_the_shops_contradict_each_other(name: str):
    texts = [demo_shops()[shop].kb[name] for shop in (DEMO, CLOTHES, ELECTRONICS)]
    sentences = [set(re.split(r"(?<=[.:])\s", text.split("---")[2])) for text in texts]
    assert not sentences[0] & sentences[1] & sentences[2] - {""}


def test_sku_text_has_no_accents():
    assert sku_text("BTA-Café-42") == "BTA-CAFE-42"


def test_an_invoice_needs_exactly_one_kind_of_date(tmp_path: Path):
    source = Path(load_shops.__code__.co_filename).parent / "data" / "TENANT_DEMO"
    for name in ("shop.yml", "catalogue.yml"):
        (tmp_path / name).write_text((source / name).read_text("utf-8"), "utf-8")
    invoices = (source / "invoices.yml").read_text("utf-8").replace("    days_ago: 12\n", "")
    (tmp_path / "invoices.yml").write_text(invoices, "utf-8")
    with pytest.raises(ValueError, match="exactly one of"):
        load_shop(tmp_path, FIRST_START)
