"""Customers' words in shops unlike those of the demo: some whose words the search was taught, some it was not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product as combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.tools.shop_world import World, is_right, open_world

from smarteros.store.embedded import EmbeddedPostgres
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.shops.models import DemoShop, ProductSpec, VariantSpec

DATA = Path(__file__).parent / "data"
SHOPS: dict[str, dict[str, Any]] = {
    name: shop
    for file in ("other_catalogues.yml", "trade_words.yml", "more_trades.yml")
    for name, shop in yaml.safe_load((DATA / file).read_text("utf-8")).items()
}
TARGET, UNTAUGHT = 0.95, 0.85


def a_shop(name: str, rows: list[dict[str, Any]], like: DemoShop) -> DemoShop:
    own = {"tenant_id": f"TENANT_{name.upper()}", "store_domain": f"{name}.myshopify.com"}
    spec = like.spec.model_copy(update={**own, "admin_token": f"shpat_{name}"})
    products = tuple(a_product(number, row) for number, row in enumerate(rows, 1))
    return like.model_copy(update={"spec": spec, "products": products, "invoices": ()})


def a_product(number: int, row: dict[str, Any]) -> ProductSpec:
    options: dict[str, list[str]] = row.get("options") or {"Title": ["Default Title"]}
    variants = tuple(
        VariantSpec(
            id=number * 1000 + place,
            sku=f"{number}-{place}",
            options=dict(zip(options, values, strict=True)),
            price=row["price"],
            stock=5,
        )
        for place, values in enumerate(combinations(*options.values()))
    )
    return ProductSpec(
        id=number,
        title=row["title"],
        handle=f"p{number}",
        product_type=row["kind"],
        vendor=row["maker"],
        tags=tuple(row["tags"]),
        description=row["text"],
        variants=variants,
    )


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    like = load_shops(date(2026, 11, 1))[0]
    shops = [a_shop(name, shop["products"], like) for name, shop in SHOPS.items()]
    with open_world(postgres, shops) as opened:
        for tenant in opened.tenants.values():
            opened.keeper.compare(tenant, full=True)
        yield opened


@pytest.mark.parametrize("shop", SHOPS)
def test_customers_words_find_the_right_products_in_the_first_three(world: World, shop: str) -> None:
    questions = SHOPS[shop]["questions"]
    told = [
        (wanted, [row["title"] for row in world.search(wanted["q"], f"TENANT_{shop.upper()}")["products"]])
        for wanted in questions
    ]
    wrong = [(wanted["q"], titles) for wanted, titles in told if not is_right(wanted, titles)]
    assert len(questions) >= 20
    target = TARGET if SHOPS[shop].get("taught", True) else UNTAUGHT
    assert len(wrong) <= len(questions) * (1 - target), (len(wrong), wrong)
