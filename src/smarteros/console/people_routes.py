"""Who may sign in: everybody's role and tenant, letting people in, and shutting them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from smarteros.console.access import Visitor
from smarteros.console.guard import Form, Guard, form_of, not_found
from smarteros.console.invitations import Invitations
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.console.tokens import console_link
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.people import ROLES, Person


@dataclass(frozen=True)
class Done:
    """What was done to somebody. ``token`` is the secret of his one-time link, which is in no other answer."""

    what: str
    person: Person
    token: str | None = None


Act = Callable[[Invitations, Visitor, Form], Done]


def add_people(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes. An act answers with the page itself: an address to come back to would show its link again."""

    def shown(request: Request, *, done: Done | None = None, error: RejectedInputError | None = None) -> Response:
        visitor = guard.allowed(request, "manage_people")
        tenants = parts.tenants.all()
        address = parts.public_url or f"{request.url.scheme}://{request.url.netloc}"
        return pages.page(
            request,
            "people.html",
            visitor=visitor,
            token=guard.token(request),
            status=200 if error is None else error.status,
            people=parts.invitations.people(None, *(tenant.tenant_id for tenant in tenants)),
            tenants=tenants,
            names={tenant.tenant_id: tenant.name for tenant in tenants},
            roles=ROLES,
            form={} if error is None else form_of(request),
            done=done,
            link=None if done is None or done.token is None else console_link(address, done.token),
            error=None if error is None else error.code,
        )

    @router.get("/people")
    def people(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return shown(request)

    def add_act(name: str, act: Act) -> None:
        @router.post(f"/people/{name}", name=f"people_{name}")
        def route(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
            visitor = guard.allowed(request, "manage_people")
            try:
                return shown(request, done=act(parts.invitations, visitor, form_of(request)))
            except RejectedInputError as error:
                return shown(request, error=error)

    add_act("invite", _invite)
    add_act("reset", _reset)
    add_act("disable", _disable)


def _invite(invitations: Invitations, visitor: Visitor, form: Form) -> Done:
    role = form.get("role", "")
    if role not in ROLES:
        raise not_found()
    tenant_id = form.get("tenant") or None
    person, token = invitations.invite(
        form.get("email", ""), role, tenant_id, name=form.get("name", ""), by=visitor.person
    )
    return Done("invite", person, token)


def _reset(invitations: Invitations, visitor: Visitor, form: Form) -> Done:
    return Done("reset", *invitations.reset(form.get("email", ""), by=visitor.person))


def _disable(invitations: Invitations, visitor: Visitor, form: Form) -> Done:
    return Done("disable", invitations.disable(form.get("email", ""), by=visitor.person))
