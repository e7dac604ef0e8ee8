"""The console's routes, all below ``/console``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from smarteros.console.alert_routes import add_alerts
from smarteros.console.audit_routes import add_audit
from smarteros.console.contract_routes import add_contracts
from smarteros.console.conversation_routes import add_conversations
from smarteros.console.guard import HOME, Guard, console_route, not_found
from smarteros.console.knowledge_routes import add_knowledge
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.console.people_routes import add_people
from smarteros.console.promise_routes import add_promises
from smarteros.console.settings_routes import add_settings
from smarteros.console.sign_in_routes import add_sign_in
from smarteros.console.tenant_routes import add_tenants
from smarteros.console.turn_routes import add_turns

_ADD = (
    add_sign_in,
    add_settings,
    add_conversations,
    add_turns,
    add_alerts,
    add_tenants,
    add_promises,
    add_knowledge,
    add_contracts,
    add_audit,
    add_people,
)


def console_router(parts: ConsoleParts) -> APIRouter:
    """Build the console over its parts."""
    pages, guard = Pages(parts.clock), Guard(parts.access, https=parts.https)
    router = APIRouter(prefix="/console", include_in_schema=False, route_class=console_route(pages, guard))

    @router.get("")
    def home() -> Response:  # pyright: ignore[reportUnusedFunction]
        return RedirectResponse(HOME, status_code=303)

    @router.get("/static/{name}")
    def static_file(name: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        found = pages.static_file(name)
        if found is None:
            raise not_found()
        return found

    for add in _ADD:
        add(router, parts, pages, guard)

    @router.get("/{path:path}")
    def anything_else(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        guard.visitor(request)
        raise not_found()

    return router
