"""The pages behind the links a bot sends: product, cart permalink, cart and invoice of a draft order.

On the stand-in server the host is rarely a myshopify domain; then every shop is searched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from smarteros_sandbox.shopify.tenants import ShopifyTenant, ShopifyTenants
from smarteros_sandbox.shopify.values import shop_number, variant_title
from smarteros_sandbox.shops.models import DemoShop, ProductSpec, VariantSpec

PERMALINK = re.compile(r"\d{1,19}:\d{1,4}(,\d{1,19}:\d{1,4}){0,49}")

Row = tuple[str, int, int]
"""Title, quantity, price of one."""


def page_routes(tenants: ShopifyTenants) -> list[Route]:
    """GET routes."""
    pages = Pages(tenants)
    return [
        Route("/products/{handle}", pages.product),
        Route("/cart/c/{token}", pages.cart),
        Route("/cart/{lines}", pages.permalink),
        Route("/{shop:int}/invoices/{token}", pages.invoice),
    ]


class Pages:
    """Plain HTML, enough for a visitor of the demo to see where a link leads."""

    def __init__(self, tenants: ShopifyTenants) -> None:
        self._tenants = tenants

    async def product(self, request: Request) -> Response:
        """The product's page; unpublished products have none."""
        for tenant in self._candidates(request):
            for product in tenant.shop.products:
                if product.handle == request.path_params["handle"] and product.published:
                    return _page(tenant.shop, product.title, _product_rows(product), product.description)
        return _missing()

    async def permalink(self, request: Request) -> Response:
        """``/cart/{variant}:{quantity},...``: checkout with these articles."""
        if not PERMALINK.fullmatch(request.path_params["lines"]):
            return _missing()
        wanted = [pair.split(":") for pair in request.path_params["lines"].split(",")]
        pairs = [(int(variant), int(quantity)) for variant, quantity in wanted]
        for tenant in self._candidates(request):
            rows = _rows(tenant.shop, pairs)
            if rows is not None:
                return _page(tenant.shop, "Pago", rows, "Revisa tu compra")
        return _missing()

    async def cart(self, request: Request) -> Response:
        """The ``checkoutUrl`` of a Storefront cart."""
        for tenant in self._candidates(request):
            pairs = tenant.storefront.carts.lines_of(request.path_params["token"])
            if pairs is not None:
                return _page(tenant.shop, "Pago", _rows(tenant.shop, pairs) or [], "Revisa tu compra")
        return _missing()

    async def invoice(self, request: Request) -> Response:
        """The ``invoiceUrl`` of a draft order."""
        for tenant in self._tenants.all:
            draft = tenant.admin.drafts.by_token.get(request.path_params["token"])
            if draft is not None and shop_number(tenant.shop) == request.path_params["shop"]:
                total = draft["totalPriceSet"]["shopMoney"]["amount"].split(".")[0]
                return _page(tenant.shop, f"Pedido {draft['name']}", [("Total", 1, int(total))], "")
        return _missing()

    def _candidates(self, request: Request) -> Sequence[ShopifyTenant]:
        tenant = self._tenants.by_host(request.headers.get("host", ""))
        return self._tenants.all if tenant is None else [tenant]


def _rows(shop: DemoShop, pairs: list[tuple[int, int]]) -> list[Row] | None:
    """None unless all articles are this shop's."""
    known: dict[int, tuple[ProductSpec, VariantSpec]] = {
        variant.id: (product, variant) for product in shop.products for variant in product.variants
    }
    if any(variant not in known for variant, _ in pairs):
        return None
    rows: list[Row] = []
    for number, quantity in pairs:
        product, variant = known[number]
        rows.append((f"{product.title} - {variant_title(variant)}", quantity, variant.price))
    return rows


def _product_rows(product: ProductSpec) -> list[Row]:
    return [(variant_title(variant), variant.stock, variant.price) for variant in product.variants]


def _page(shop: DemoShop, title: str, rows: Sequence[Row], text: str) -> HTMLResponse:
    cells = "".join(
        f"<tr><td>{escape(name)}</td><td>{quantity}</td><td>${price:,}</td></tr>".replace(",", ".")
        for name, quantity, price in rows
    )
    name = escape(shop.spec.name)
    head = f'<!doctype html><html lang="es"><meta charset="utf-8"><title>{escape(title)} - {name}</title>'
    body = f"<h1>{name}</h1><h2>{escape(title)}</h2><p>{escape(text)}</p><table>{cells}</table>"
    return HTMLResponse(f"{head}<body>{body}</body></html>")


def _missing() -> HTMLResponse:
    return HTMLResponse("<h1>404</h1>", 404)
