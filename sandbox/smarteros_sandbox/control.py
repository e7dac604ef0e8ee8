"""The sandbox's own surface: what exists, the faults, the clock. A real installation has none of this."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smarteros_sandbox.botpress import shop_bot
from smarteros_sandbox.chatwoot.errors import not_found, refused
from smarteros_sandbox.chatwoot.http.answers import answer_json
from smarteros_sandbox.chatwoot.http.failures import EXCEPTION_HANDLERS
from smarteros_sandbox.chatwoot.http.limits import BodyLimit
from smarteros_sandbox.chatwoot.http.params import read_params
from smarteros_sandbox.chatwoot.installation import Installation
from smarteros_sandbox.chatwoot.records import JsonObject
from smarteros_sandbox.chatwoot.values import as_integer
from smarteros_sandbox.faults import SERVICES, Faults
from smarteros_sandbox.shops.models import DemoShop, InvoiceSpec

MAX_BODY_BYTES = 64 * 1024
MAX_LABEL = 100
FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass
class Sandbox:
    """All stand-ins of one process. ``base_urls`` are known once the ports are."""

    shops: Sequence[DemoShop]
    faults: Faults
    chatwoot: Installation
    first_start: date
    base_urls: dict[str, str] = field(default_factory=dict[str, str])

    def shop(self, tenant_id: str) -> DemoShop:
        """A shop by tenant id; 404 for an unknown one."""
        for shop in self.shops:
            if shop.spec.tenant_id == tenant_id:
                return shop
        raise not_found()


def create_control_app(sandbox: Sandbox) -> Starlette:
    """The control application."""
    surface = _Surface(sandbox)
    return Starlette(
        routes=[
            Route("/sandbox/info", surface.info),
            Route("/sandbox/tenants/{tenant_id}/kb", surface.knowledge_base),
            Route("/sandbox/tenants/{tenant_id}/invoices/{number}.png", surface.invoice_image),
            Route("/sandbox/faults", surface.faults, methods=["GET", "POST", "DELETE"]),
            Route("/sandbox/clock", surface.clock, methods=["POST"]),
            Route("/sandbox/webhook-deliveries", surface.webhook_deliveries),
        ],
        middleware=[Middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)],
        exception_handlers=EXCEPTION_HANDLERS,
    )


class _Surface:
    """The endpoints."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def info(self, _request: Request) -> Response:
        """Everything a program needs to play with the sandbox, secrets included: they open nothing else."""
        return answer_json(sandbox_info(self._sandbox))

    async def knowledge_base(self, request: Request) -> Response:
        """The shop's documents."""
        shop = self._sandbox.shop(str(request.path_params["tenant_id"]))
        documents = [{"name": name, "markdown": text} for name, text in shop.kb.items()]
        return answer_json({"documents": documents})

    async def invoice_image(self, request: Request) -> Response:
        """The invoice as a picture; ``?blurred=1`` for one nobody can read, ``?timbre=altered`` or ``unreadable``."""
        # Pillow is only needed here, and its import is a good part of the process's memory.
        from smarteros_sandbox.shops.render import TIMBRES, render_invoice

        shop = self._sandbox.shop(str(request.path_params["tenant_id"]))
        number = str(request.path_params["number"])
        invoice = next((entry for entry in shop.invoices if entry.number == number), None)
        if invoice is None:
            raise not_found()
        blurred = request.query_params.get("blurred", "") in {"1", "true"}
        timbre = TIMBRES.get(request.query_params.get("timbre", ""))
        picture = await asyncio.to_thread(render_invoice, shop, invoice, blurred=blurred, timbre=timbre)
        return Response(picture, media_type="image/png", headers={"Cache-Control": "max-age=3600"})

    async def faults(self, request: Request) -> Response:
        """List, arm or disarm."""
        faults = self._sandbox.faults
        if request.method == "POST":
            await self._arm(request)
        elif request.method == "DELETE":
            query = request.query_params
            faults.clear(query.get("service"), query.get("kind"), scope=query.get("scope"))
        return answer_json({"faults": [fault.as_json() for fault in faults.list()]})

    async def _arm(self, request: Request) -> None:
        params = await read_params(request)
        service, kind = params.text("service"), params.text("kind")
        if service not in SERVICES:
            raise refused(f"service must be one of {', '.join(SERVICES)}")
        if not kind or len(kind) > MAX_LABEL:
            raise refused("kind must be the name of a fault")
        times, value = params.get("times"), params.get("value")
        if times is not None and (as_integer(times) is None or (as_integer(times) or 0) < 1):
            raise refused("times must be a number from 1, or null for always")
        if isinstance(value, bool) or not (value is None or isinstance(value, int | float | str)):
            raise refused("value must be a number or a text")
        self._sandbox.faults.set(service, kind, scope=params.text("scope"), times=as_integer(times), value=value)

    async def clock(self, request: Request) -> Response:
        """Hold an account at an instant, or let it run again with null."""
        params = await read_params(request)
        account_id = params.integer("account_id")
        if account_id is None or self._sandbox.chatwoot.store.accounts.get(account_id) is None:
            raise not_found()
        instant = _instant(params.get("now"))
        self._sandbox.chatwoot.clock.set(account_id, instant)
        return answer_json({"account_id": account_id, "now": None if instant is None else instant.isoformat()})

    async def webhook_deliveries(self, request: Request) -> Response:
        """The last webhook deliveries, newest last."""
        account_id = as_integer(request.query_params.get("account_id"))
        return answer_json({"deliveries": self._sandbox.chatwoot.deliverer.log.entries(account_id)})


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not FIRST_YEAR <= instant.year < LAST_YEAR:
        raise refused("now must be a time with offset, like 2025-11-01T12:00:00-03:00, or null")
    return instant


def sandbox_info(sandbox: Sandbox) -> JsonObject:
    """The body of ``GET /sandbox/info``."""
    return {
        "version": _version(),
        "chatwoot_profile": sandbox.chatwoot.profile.name,
        "tenants": [_tenant(sandbox, shop) for shop in sandbox.shops],
        "base_urls": sandbox.base_urls,
    }


def _version() -> str:
    try:
        return version("smarteros-sandbox")
    except PackageNotFoundError:
        return "0"


def _tenant(sandbox: Sandbox, shop: DemoShop) -> JsonObject:
    spec, store, bot = shop.spec, sandbox.chatwoot.store, shop_bot(shop)
    bots = [bot for bot in store.agent_bots if bot.account_id == spec.account_id]
    hooks = [hook for hook in store.webhooks if hook.account_id == spec.account_id]
    people = [user for user in store.users if user.account_id == spec.account_id and user.role == "agent"]
    path = f"/sandbox/tenants/{quote(spec.tenant_id, safe='')}"
    return {
        "tenant_id": spec.tenant_id,
        "name": spec.name,
        "rut": spec.rut,
        "tone": spec.tone,
        "account_id": spec.account_id,
        "inboxes": [
            {"id": inbox.id, "name": inbox.name, "channel": inbox.channel, "identifier": inbox.identifier}
            for inbox in spec.inboxes
        ],
        "inbox_identifiers": {inbox.channel: inbox.identifier for inbox in spec.inboxes},
        "tokens": {
            "chatwoot_administrator": spec.administrator_token,
            "chatwoot_bot": bots[0].access_token if bots else None,
        },
        "agents": [
            {"id": user.id, "name": user.name, "email": user.email, "token": user.access_token} for user in people
        ],
        "webhooks": [
            *({"kind": "agent_bot", "url": bot.outgoing_url, "secret": bot.secret} for bot in bots),
            *({"kind": "account", "url": hook.url, "secret": hook.secret} for hook in hooks),
        ],
        "shopify": {
            "store_domain": spec.store_domain,
            "admin_token": spec.admin_token,
            "client_id": spec.client_id,
            "client_secret": spec.client_secret,
            "storefront_token": spec.storefront_token,
        },
        "odoo": {
            "instance_url": sandbox.base_urls.get("odoo"),
            "database": spec.odoo_database,
            "api_key": spec.odoo_api_key,
            "company_id": spec.odoo_company_id,
        },
        "vision": {"api_key": spec.vision_api_key},
        "botpress": {"bot": bot.bot_id, "bot_key": bot.key},
        "legacy_hmac_secret": spec.legacy_hmac_secret,
        "kb_url": f"{path}/kb",
        "catalogue": [product.title for product in shop.products],
        "invoices": [_invoice(sandbox, shop, invoice, path) for invoice in shop.invoices],
    }


def _invoice(sandbox: Sandbox, shop: DemoShop, invoice: InvoiceSpec, path: str) -> JsonObject:
    partner = next((entry for entry in shop.partners if entry.id == invoice.partner_id), None)
    day = invoice.invoice_date or sandbox.first_start - timedelta(days=invoice.days_ago or 0)
    image = f"{path}/invoices/{quote(invoice.number, safe='')}.png"
    return {
        "number": invoice.number,
        "date": day.isoformat(),
        "customer_name": partner.name if partner else None,
        "customer_phone": partner.phone if partner else None,
        "customer_email": partner.email if partner else None,
        "product_name": invoice.product_name,
        "in_odoo": invoice.in_odoo,
        "image_url": image,
        "blurred_image_url": f"{image}?blurred=1",
    }
