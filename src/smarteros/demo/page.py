"""The demo's chat page: a visitor plays a shop's customer and sees how each turn was solved.

The page talks to Chatwoot as any customer's program would, through the public client API, and reads the turns from
our own store. Only the demo mounts these routes; they need no token, so they belong on the loopback interface.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, ValidationError

from smarteros.demo.proxy import Answer, Proxy, UpstreamError
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import TENANT_ID, reply_id
from smarteros.domain.messages import ChannelName
from smarteros.domain.tenants import TenantScope
from smarteros.domain.turns import TurnRecord
from smarteros.store.database import Database
from smarteros.store.turns import list_turns

AboutUs = Callable[[], dict[str, Any]]

STATIC_DIR = Path(__file__).parent / "static"
PAGE_FILE = "page.html"
_SCRIPT, _STYLE, _IMAGE = "text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/svg+xml"
STATIC_FILES = {
    "app.js": _SCRIPT,
    "chat_view.js": _SCRIPT,
    "composer.js": _SCRIPT,
    "conversation.js": _SCRIPT,
    "dom.js": _SCRIPT,
    "format.js": _SCRIPT,
    "markdown.js": _SCRIPT,
    "poller.js": _SCRIPT,
    "samples.js": _SCRIPT,
    "server.js": _SCRIPT,
    "setup_view.js": _SCRIPT,
    "storage.js": _SCRIPT,
    "texts.js": _SCRIPT,
    "thumbnails.js": _SCRIPT,
    "turn_view.js": _SCRIPT,
    "chat.css": _STYLE,
    "composer.css": _STYLE,
    "page.css": _STYLE,
    "setup.css": _STYLE,
    "turn.css": _STYLE,
    "favicon.svg": _IMAGE,
}
# Its colours are those of the console, and kept there.
CONSOLE_FILES = {"palette.css": _STYLE}
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The files carry no version in their names; the next release must not meet yesterday's scripts.
    "Cache-Control": "no-cache",
}
_MAX_SANDBOX_BODY = 1024 * 1024
_MAX_CHATWOOT_BODY = 45 * 1024 * 1024
_TURNS_SHOWN = 100


class _Shown(BaseModel):
    """Base of what the browser may see: whatever else the sandbox tells (tokens above all) is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SampleInvoice(_Shown):
    """An invoice whose photo the visitor can send."""

    number: str
    date: str
    customer_name: str | None = None
    customer_phone: str | None = None
    customer_email: str | None = None
    product_name: str
    in_odoo: bool
    image_url: str
    blurred_image_url: str


class DemoShop(_Shown):
    """One shop of the sandbox."""

    tenant_id: str
    name: str
    tone: str = ""
    account_id: int
    inbox_identifiers: dict[ChannelName, str]
    invoices: tuple[SampleInvoice, ...] = ()
    catalogue: tuple[str, ...] = ()


class DemoShops(_Shown):
    """The shops to choose from."""

    tenants: tuple[DemoShop, ...]


class DemoTurns(BaseModel):
    """The turns of one conversation, oldest first, and by turn id the marker its reply carries in Chatwoot."""

    turns: tuple[TurnRecord, ...]
    reply_ids: dict[str, str]


def demo_router(database: Database, sandbox_url: str, chatwoot_url: str, about_us: AboutUs | None = None) -> APIRouter:
    """Build the page's routes.

    ``sandbox_url`` and ``chatwoot_url`` are base URLs without path. ``about_us`` returns what an outside program
    needs to know of this installation; it is added to ``GET /sandbox/info`` under ``smarteros``.
    """
    sandbox = Proxy(f"{sandbox_url.rstrip('/')}/sandbox", name="The sandbox", max_body_bytes=_MAX_SANDBOX_BODY)
    chatwoot = Proxy(f"{chatwoot_url.rstrip('/')}/public/api/v1", name="Chatwoot", max_body_bytes=_MAX_CHATWOOT_BODY)
    router = APIRouter(include_in_schema=False)
    _add_page(router)
    data = APIRouter(dependencies=[Depends(_own_page_or_program)])
    _add_data(data, database, sandbox)
    _add_sandbox(data, sandbox, about_us)
    _add_chatwoot(data, chatwoot)
    router.include_router(data)
    return router


def _own_page_or_program(sec_fetch_site: Annotated[str, Header()] = "none") -> None:
    """Refuse what another site's page asks for; programs do not send the header."""
    if sec_fetch_site not in ("same-origin", "none"):
        raise RejectedInputError("cross_site", "Pages of other sites may not use the demo.", status=403)


def _add_page(router: APIRouter) -> None:
    files = {name: (STATIC_DIR / name).read_bytes() for name in (PAGE_FILE, *STATIC_FILES)}
    files |= {name: (resources.files("smarteros.console") / "static" / name).read_bytes() for name in CONSOLE_FILES}
    types = STATIC_FILES | CONSOLE_FILES

    @router.get("/")
    async def page() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(files[PAGE_FILE], media_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)

    @router.get("/demo/static/{name}")
    async def static_file(name: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        if name not in types:
            raise RejectedInputError("unknown_file", "There is no such file.", status=404)
        return Response(files[name], media_type=types[name], headers=_PAGE_HEADERS)


def _add_data(router: APIRouter, database: Database, sandbox: Proxy) -> None:
    @router.get("/demo/shops")
    async def shops(response: Response) -> DemoShops:  # pyright: ignore[reportUnusedFunction]
        answer = await sandbox.fetch("info")
        response.headers["Cache-Control"] = "no-store"
        try:
            return DemoShops.model_validate(_info(answer))
        except ValidationError as error:
            raise _not_understood(f"{error.error_count()} fields amiss") from error

    @router.get("/demo/turns")
    def turns(  # pyright: ignore[reportUnusedFunction]
        response: Response,
        tenant_id: Annotated[str, Query(pattern=TENANT_ID.pattern)],
        conversation_id: Annotated[int, Query(ge=0, le=2**53)],
    ) -> DemoTurns:
        response.headers["Cache-Control"] = "no-store"
        with database.tenant(TenantScope(tenant_id=tenant_id)) as connection:
            records = list_turns(connection, tenant_id, conversation_id, _TURNS_SHOWN)
        return DemoTurns(turns=records, reply_ids={turn.turn_id: reply_id(turn.turn_id) for turn in records})


def _add_sandbox(router: APIRouter, sandbox: Proxy, about_us: AboutUs | None) -> None:
    @router.get("/sandbox/info")
    async def info() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        answer = _info(await sandbox.fetch("info"))
        if about_us is not None:
            answer["smarteros"] = await run_in_threadpool(about_us)
        return answer

    @router.api_route("/sandbox/{path:path}", methods=["GET", "POST", "DELETE"])
    async def anything(path: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await sandbox.forward(request, path)


def _add_chatwoot(router: APIRouter, chatwoot: Proxy) -> None:
    @router.api_route("/demo/chatwoot/public/api/v1/{path:path}", methods=["GET", "POST", "PATCH"])
    async def customer(path: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await chatwoot.forward(request, path)


def _info(answer: Answer) -> dict[str, Any]:
    """Return the sandbox's description of itself."""
    if answer.status != 200:
        raise _not_understood(f"HTTP {answer.status}")
    try:
        info = json.loads(answer.body)
    except ValueError as error:
        raise _not_understood("not JSON") from error
    if not isinstance(info, dict):
        raise _not_understood("not an object")
    return info  # pyright: ignore[reportUnknownVariableType]


def _not_understood(detail: str) -> UpstreamError:
    return UpstreamError(
        "upstream_not_understood",
        f"The sandbox's description of itself is not understood: {detail}",
        public_message="The sandbox's answer is not understood.",
    )
