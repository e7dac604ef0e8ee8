"""Pages out of templates, with the headers that keep other sites and injected markup away."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from smarteros.console import charts, diagrams, texts
from smarteros.console.access import Visitor
from smarteros.console.permissions import Permission, may
from smarteros.console.tokens import csrf_of
from smarteros.domain.decisions import Language
from smarteros.domain.people import Person, Theme
from smarteros.kit.clock import Clock

_SCRIPT, _STYLE, _IMAGE = "text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/svg+xml"
STATIC_FILES = {
    "htmx.min.js": _SCRIPT,
    "console.js": _SCRIPT,
    "palette.css": _STYLE,
    "base.css": _STYLE,
    "parts.css": _STYLE,
    "pages.css": _STYLE,
    "charts.css": _STYLE,
    "favicon.svg": _IMAGE,
}
# Nothing inline, nothing from elsewhere, in nobody's frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Looks:
    """How a page looks to somebody."""

    language: Language = "es"
    theme: Theme = "auto"


class Pages:
    """Renders templates; every value in them is escaped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files = {
            name: resources.files("smarteros.console").joinpath(f"static/{name}").read_bytes() for name in STATIC_FILES
        }
        self._version = hashlib.sha256(b"".join(self._files.values())).hexdigest()[:12]
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("smarteros.console"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        written: dict[str, Any] = {"clock_time": texts.clock_time, "browser": texts.browser_name, "ms": _milliseconds}
        self._environment.filters.update(written)
        drawn: dict[str, Any] = {
            "static": self._static_url,
            "query": _query,
            "step_bar": diagrams.step_bar,
            "bar_width": diagrams.BAR_WIDTH,
            "box": (diagrams.BOX_WIDTH, diagrams.BOX_HEIGHT),
            "budget_mood": charts.budget_mood,
            "burn_mood": charts.burn_mood,
            "wait_gauge": charts.wait_gauge,
            "chart": (charts.CHART_WIDTH, charts.CHART_HEIGHT),
        }
        self._environment.globals.update(drawn)

    def page(
        self,
        request: Request,
        template: str,
        *,
        visitor: Visitor | None = None,
        token: str = "",
        looks: Looks | None = None,
        status: int = 200,
        **context: Any,
    ) -> HTMLResponse:
        """Render a page or a fragment. ``token`` is the cookie whose holder may send the page's forms."""
        person = visitor.person if visitor else None
        shown = Looks(person.language, person.theme) if person else looks or language_of(request)
        now = self._clock.now()
        context |= {
            "person": person,
            "session": visitor.session if visitor else None,
            "csrf": csrf_of(token) if token else "",
            "language": shown.language,
            "theme": shown.theme,
            "path": request.url.path,
            "t": partial(texts.say, shown.language),
            "code": partial(texts.say_code, shown.language),
            "age": partial(texts.age, shown.language, now),
            "length": partial(texts.length, shown.language),
            "figure": partial(texts.figure, shown.language),
            "may": partial(_may, person),
        }
        html = self._environment.get_template(template).render(context)
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    def static_file(self, name: str) -> Response | None:
        """Return one of the page's files; its address changes with its content."""
        if name not in STATIC_FILES:
            return None
        cached: Mapping[str, str] = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(self._files[name], media_type=STATIC_FILES[name], headers=cached)

    def _static_url(self, name: str) -> str:
        return f"/console/static/{name}?v={self._version}"


@jinja2.pass_context
def _milliseconds(context: jinja2.runtime.Context, duration_ms: float) -> str:
    return texts.milliseconds(context["language"], duration_ms)


def _query(**fields: str | None) -> str:
    return urlencode({name: value for name, value in fields.items() if value})


def _may(person: Person | None, permission: Permission) -> bool:
    return person is not None and may(person.role, permission)


def language_of(request: Request) -> Looks:
    """Read the language of somebody unknown from the browser: Spanish unless English comes first."""
    first = request.headers.get("accept-language", "").split(",")[0].strip().lower()
    return Looks("en" if first.startswith("en") else "es")
