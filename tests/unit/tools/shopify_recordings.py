"""Records what the stand-in shop answers to our tools, one file per situation in ``tests/fixtures/shopify``.

``uv run python -m tests.unit.tools.shopify_recordings`` writes them anew; ``test_shopify_recordings.py`` plays them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support import MemorySecrets, demo_tenant, serving

from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import ShopDoor
from smarteros.domain.tools import ToolCall
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.tools.cache import MemoryToolCache
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.protocol import ToolContext
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.ucp.client import UcpClient
from smarteros.tools.ucp.profile import profile_url
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shopify import create_shopify_app
from smarteros_sandbox.shopify.schemas import SCHEMAS
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.shops.models import DemoShop

FOLDER = Path(__file__).parents[2] / "fixtures" / "shopify"
TODAY = date(2026, 11, 23)
Fault = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Situation:
    """One question to a tool. ``fault`` is armed at the shop before it; ``proven`` is who asks.

    ``patience_ms`` is short only where what is recorded is that there is no time to wait. By the door ``ucp`` the shop
    gave no credentials; ``storefront``: it gave a token of its Storefront API as well.
    """

    name: str
    tool: str
    params: dict[str, Any]
    fault: Fault | None = None
    proven: str | None = None
    patience_ms: int = 30_000
    door: ShopDoor = "admin"
    storefront: bool = False


@dataclass
class Exchange:
    """One request of ours and the shop's answer."""

    path: str
    asked: Any
    status: int
    body: Any


def asked(body: Any) -> Any:
    """Return what of a request's body differs between questions: GraphQL's variables, or the tool and its arguments."""
    return body.get("variables", body.get("params"))


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def situations(shop: DemoShop) -> tuple[Situation, ...]:
    search, shoe = "shopify_search_products", shop.products[0]
    in_stock = next(variant for variant in shoe.variants if variant.stock > 1)
    sold_out = next(variant for variant in shoe.variants if variant.stock == 0)
    line = {"variant_id": gid("ProductVariant", in_stock.id), "quantity": 1}
    gone = {"variant_id": gid("ProductVariant", sold_out.id), "quantity": 1}
    product = gid("Product", shoe.id)
    return (
        Situation("search_found", search, {"query": "zapatillas talla 42", "limit": 2}),
        Situation("search_nothing", search, {"query": "bicicletas"}),
        Situation("search_server_error", search, {"query": "botas"}, ("http_500", {})),
        Situation("search_token_refused", search, {"query": "botas"}, ("expired_token", {})),
        Situation("search_throttled", search, {"query": "botas"}, ("throttle", {"times": 1}), patience_ms=3000),
        Situation("search_other_currency", search, {"query": "mocasines"}, ("wrong_currency", {"value": "USD"})),
        Situation("product", "shopify_get_product", {"product_id": product}),
        Situation("product_unknown", "shopify_get_product", {"product_id": gid("Product", 1)}),
        Situation("stock_changed", "shopify_check_stock", {"lines": [{**line, "seen_price": 29990}, gone]}),
        Situation("cart", "shopify_create_cart", {"lines": [{**line, "quantity": 2}]}),
        Situation("cart_sold_out", "shopify_create_cart", {"lines": [gone]}),
        Situation("cart_partial", "shopify_create_cart", {"lines": [line, gone], "partial": True}),
        Situation("cart_of_the_storefront", "shopify_create_cart", {"lines": [line]}, storefront=True),
        Situation("cart_server_error", "shopify_create_cart", {"lines": [line]}, ("http_500", {})),
        Situation("stock_server_error", "shopify_check_stock", {"lines": [line]}, ("http_500", {})),
        Situation("product_server_error", "shopify_get_product", {"product_id": product}, ("http_500", {})),
        Situation("recommend_similar", "shopify_recommend_products", {"product_id": product, "limit": 2}),
        Situation("recommend_complement", "shopify_recommend_products", {"product_id": product, "mode": "complement"}),
        Situation("recommend_for_unknown", "shopify_recommend_products", {"product_id": gid("Product", 1)}),
        Situation("recommend_server_error", "shopify_recommend_products", {"query": "botas"}, ("http_500", {})),
        Situation("order_server_error", "shopify_order_status", {}, ("http_500", {}), proven="+56912345678"),
        Situation("order_of_the_asker", "shopify_order_status", {"order_number": "1001"}, proven="+56912345678"),
        Situation("order_of_somebody_else", "shopify_order_status", {"order_number": "1001"}, proven="+56987654321"),
        Situation("order_unknown", "shopify_order_status", {"order_number": "9999"}, proven="+56912345678"),
        *by_ucp(product, line, gone),
    )


def by_ucp(product: str, line: dict[str, Any], gone: dict[str, Any]) -> tuple[Situation, ...]:
    search = "shopify_search_products"
    questions = (
        Situation("ucp_search_found", search, {"query": "zapatillas talla 42", "limit": 2}),
        Situation("ucp_search_nothing", search, {"query": "bicicletas"}),
        Situation("ucp_search_server_error", search, {"query": "botas"}, ("http_500", {})),
        Situation("ucp_product", "shopify_get_product", {"product_id": product}),
        Situation("ucp_product_unknown", "shopify_get_product", {"product_id": gid("Product", 1)}),
        Situation("ucp_recommend", "shopify_recommend_products", {"product_id": product, "limit": 2}),
        Situation("ucp_stock_changed", "shopify_check_stock", {"lines": [{**line, "seen_price": 29990}, gone]}),
        Situation("ucp_cart", "shopify_create_cart", {"lines": [{**line, "quantity": 2}]}),
        Situation("ucp_cart_sold_out", "shopify_create_cart", {"lines": [gone]}),
        Situation("ucp_order", "shopify_order_status", {"order_number": "1001"}, proven="+56912345678"),
    )
    return tuple(replace(question, door="ucp") for question in questions)


@contextmanager
def tools_at(url: str, shop: DemoShop) -> Iterator[Callable[[Situation], dict[str, Any]]]:
    """Yield a function that asks the tools over a shop and returns their answer without its duration."""
    spec = shop.spec
    http = HttpClient()

    def ask(situation: Situation) -> dict[str, Any]:
        tenant = demo_tenant(shop, url).model_copy(update={"shop_door": situation.door})
        secrets = MemorySecrets({(tenant.tenant_id, "shopify/store_domain"): spec.store_domain})
        if situation.door == "admin":
            secrets.write(tenant.scope, "shopify/admin_token", spec.admin_token)
        if situation.storefront:
            secrets.write(tenant.scope, "shopify/storefront_token", spec.storefront_token)
        shopify = ShopifyClient(http, secrets)
        tools = embedded_tools(
            http=http,
            secrets=secrets,
            cache=MemoryToolCache(),
            policy_of=lambda _scope: Policy(warranty_days=90),
            shopify=shopify,
            ucp=UcpClient(http, shopify, profile_url("https://bots.example.cl")),
        )
        context = ToolContext(conversation_id=7, contact=Contact(id=1, proven=situation.proven), today=TODAY)
        call = ToolCall(tool=situation.tool, params=situation.params)
        result = tools.call(tenant, call, context, timeout_ms=situation.patience_ms, fallback=False)
        return result.model_dump(mode="json", exclude={"duration_ms"})

    yield ask
    http.close()


@dataclass
class Between:
    """A server that answers by ``respond`` and keeps what was exchanged."""

    respond: Callable[[str, dict[str, str], Any], tuple[int, Any]]
    exchanges: list[Exchange] = field(default_factory=list[Exchange])

    @contextmanager
    def serving(self) -> Iterator[str]:
        between = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, body = between.respond(self.path, dict(self.headers.items()), sent)
                between.exchanges.append(Exchange(self.path, asked(sent), status, body))
                answer = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()
        thread.join(5)


def record() -> None:
    """Write all situations."""
    shop = load_shops(TODAY)[0]
    FOLDER.mkdir(parents=True, exist_ok=True)
    SCHEMAS.get("admin")  # built once, before anything is timed
    http = HttpClient()
    for situation in situations(shop):
        faults = Faults()
        if situation.fault is not None:
            faults.set("shopify", situation.fault[0], **situation.fault[1])
        with serving(create_shopify_app((shop,), faults)) as real:

            def pass_on(path: str, headers: dict[str, str], body: Any, real: str = real) -> tuple[int, Any]:
                sent = {name: value for name, value in headers.items() if name.lower().startswith(("x-", "host"))}
                try:
                    return 200, http.json("POST", f"{real}{path}", headers=sent, json=body)
                except HttpFault as fault:
                    return fault.status or 502, json.loads(fault.body or "{}")

            between = Between(pass_on)
            with between.serving() as url, tools_at(url, shop) as ask:
                result = ask(situation)
        recorded = {
            "situation": situation.name,
            "exchanges": [vars(exchange) for exchange in between.exchanges],
            "result": result,
        }
        text = json.dumps(recorded, ensure_ascii=False, indent=1) + "\n"
        (FOLDER / f"{situation.name}.json").write_text(text, "utf-8")
    http.close()


if __name__ == "__main__":
    record()
