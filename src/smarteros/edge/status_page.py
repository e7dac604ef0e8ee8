"""``/status/{key}``: how a shop's bot is doing, for anybody who has the address. Off unless the shop wants it.

It names the shop and its systems, and nothing else of it; unknown addresses and shops without a page look the same.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Any, Literal

import jinja2
import yaml
from fastapi import APIRouter, Header, Query
from fastapi.responses import HTMLResponse

from smarteros.domain.availability import percent
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import status_key
from smarteros.domain.tenants import Tenant
from smarteros.health.report import OBJECTIVE
from smarteros.health.uptime import BOT, Day, Uptime, uptime
from smarteros.kit.clock import Clock, in_santiago
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory

Language = Literal["es", "en"]
# Public: whoever asks again and again gets the page of a moment ago.
_FRESH_FOR_S = 15.0
_POOR = 0.95
_GREEN, _YELLOW, _RED, _GREY = "#2e7d32", "#f9a825", "#c62828", "#9e9e9e"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1b1b;background:#fff}"
    "main{max-width:40rem;margin:auto}"
    "h2{font-size:1rem;margin:1.5rem 0 .25rem}small{color:#555;font-weight:400}svg{width:100%;height:2rem}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}small{color:#bbb}a{color:#9cf}}"
)
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": f"public, max-age={_FRESH_FOR_S:.0f}",
    "Vary": "Accept-Language",
}
_DATA = resources.files("smarteros.edge") / "data"
_TEXTS: dict[Language, dict[str, str]] = yaml.safe_load((_DATA / "status_page.yml").read_text("utf-8"))
_PAGE = jinja2.Environment(autoescape=True).from_string((_DATA / "status_page.html").read_text("utf-8"))


@dataclass(frozen=True)
class Bar:
    """One day: its colour, and what a pointer over it reads."""

    colour: str
    title: str


def status_router(database: Database, tenants: TenantDirectory, clock: Clock) -> APIRouter:
    """Build the route."""
    router = APIRouter(tags=["status"])
    seen: dict[str, tuple[float, tuple[Uptime, ...]]] = {}

    def lately(tenant: Tenant) -> tuple[Uptime, ...]:
        now = clock.now()
        known = seen.get(tenant.tenant_id)
        if known is None or not 0 <= now.timestamp() - known[0] < _FRESH_FOR_S:
            known = seen[tenant.tenant_id] = (now.timestamp(), uptime(database, tenant, now))
        return known[1]

    def status(
        key: str,
        lang: Annotated[Language | None, Query()] = None,
        accept_language: Annotated[str, Header()] = "",
    ) -> HTMLResponse:
        tenant = _of_key(tenants, key)
        language = lang or ("en" if accept_language.strip().lower().startswith("en") else "es")
        return HTMLResponse(_page(tenant, lately(tenant), language, clock), headers=_HEADERS)

    router.add_api_route(
        "/status/{key}", status, methods=["GET"], operation_id="status_page", response_class=HTMLResponse
    )
    return router


def _of_key(tenants: TenantDirectory, key: str) -> Tenant:
    for tenant in tenants.all():
        if tenant.status_page and hmac.compare_digest(status_key(tenant.tenant_key).encode(), key.encode()):
            return tenant
    raise RejectedInputError("no_status_page", "There is no such page.", status=404)


def _page(tenant: Tenant, lines: tuple[Uptime, ...], language: Language, clock: Clock) -> str:
    say = _TEXTS[language]
    shown: list[dict[str, Any]] = [
        {
            "label": say["bot"] if line.service == BOT else line.service.capitalize(),
            "state": line.state,
            "percent": _ratio(line.whole.ratio, say),
            "bars": [_bar(day, say) for day in line.days],
        }
        for line in lines
    ]
    return _PAGE.render(
        say=say,
        language=language,
        other="es" if language == "en" else "en",
        name=tenant.name,
        lines=shown,
        style=_STYLE,
        now=in_santiago(clock.now()),
    )


def _bar(day: Day, say: dict[str, str]) -> Bar:
    ratio = day.availability.ratio
    if ratio is None:
        return Bar(_GREY, f"{day.day}: {say['unknown']}")
    colour = _GREEN if ratio >= OBJECTIVE else _YELLOW if ratio >= _POOR else _RED
    return Bar(colour, f"{day.day}: {percent(ratio)}")


def _ratio(ratio: float | None, say: dict[str, str]) -> str:
    return say["unknown"] if ratio is None else percent(ratio)
