"""The audit: what happened to whom, and whether its chain is whole."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from smarteros.console.access import Visitor
from smarteros.console.guard import Guard, not_found, scope_for, scopes_for
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.console.texts import codes_of, say_code
from smarteros.store.audit_chain import verify_chain
from smarteros.store.audit_search import search_events
from smarteros.store.database import NO_TENANT

_PAGE = 50
_LARGEST = 2**53
_LONGEST_KIND = 60


def add_audit(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""

    def chosen(request: Request, visitor: Visitor) -> str:
        """Return whose chain is asked for: the first tenant's, or the installation's for who sees all tenants."""
        wanted = request.query_params.get("tenant", "")
        if wanted:
            return scope_for(parts, visitor.person, wanted)
        scopes = scopes_for(parts, visitor.person)
        if not scopes:
            raise not_found()
        return scopes[0]

    @router.get("/audit")
    def audit(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_audit")
        scope = chosen(request, visitor)
        kind = request.query_params.get("kind", "").replace("\x00", "").strip()[:_LONGEST_KIND]
        conversation_id, before = _number(request, "conversation"), _number(request, "before")
        with parts.database.scoped(scope) as connection:
            events = search_events(
                connection,
                scope,
                kind=kind or None,
                conversation_id=conversation_id,
                before=before,
                limit=_PAGE + 1,
            )
        return pages.page(
            request,
            "audit.html",
            visitor=visitor,
            token=guard.token(request),
            tenants=parts.tenants_of(visitor.person),
            scope=scope,
            whole_installation=visitor.person.tenant_id is None,
            kind=kind,
            conversation=conversation_id,
            kinds=_kinds(visitor, kind),
            people=_people(parts, visitor, scope),
            events=events[:_PAGE],
            more=events[_PAGE - 1].position if len(events) > _PAGE else None,
        )

    @router.get("/audit/chain")
    def chain(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """Check a whole chain; a part of its own, because a long one takes seconds."""
        visitor = guard.allowed(request, "read_audit")
        scope = chosen(request, visitor)
        with parts.database.scoped(scope) as connection:
            report = verify_chain(connection, scope, parts.seal, parts.clock.now())
        return pages.page(request, "audit_chain.html", visitor=visitor, report=report)


def _kinds(visitor: Visitor, chosen: str) -> list[str]:
    """List what can be looked for, by its name; also a kind that was asked for and has no name."""
    known = {*codes_of("audit_kind"), *((chosen,) if chosen else ())}
    return sorted(known, key=lambda kind: say_code(visitor.person.language, "audit_kind", kind).casefold())


def _people(parts: ConsoleParts, visitor: Visitor, scope: str) -> dict[str, str]:
    """Name the people whose ids the events tell, as far as the visitor may know them."""
    whose = {None if scope == NO_TENANT else scope, visitor.person.tenant_id}
    return {person.person_id: person.called for person in parts.invitations.people(*whose)}


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return min(int(text), _LARGEST) if text.isascii() and text.isdigit() and len(text) < 20 else None
