"""The door of every console route: who comes, whether he may, and whether the form is one of ours."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from smarteros.console.access import LONGEST_SESSION, Access, Visitor
from smarteros.console.pages import HEADERS, Pages
from smarteros.console.parts import ConsoleParts
from smarteros.console.permissions import Permission, may
from smarteros.console.tokens import csrf_fits, new_secret
from smarteros.domain.errors import RejectedInputError, SmosError
from smarteros.domain.people import Person
from smarteros.domain.tenants import Tenant
from smarteros.edge.bodies import read_body
from smarteros.store.database import NO_TENANT

HOME = "/console/conversations"
SIGN_IN = "/console/sign-in"
WELCOME = "/console/welcome"
_BEFORE_SESSION = (SIGN_IN, WELCOME)
_MOST_FORM_BYTES = 256 * 1024
_MOST_FIELDS = 50
# Pages ask these by themselves; whoever went away is not kept signed in by them.
ASKS_BY_ITSELF = "x-console-asks-itself"

Form = Mapping[str, str]


class NotSignedInError(RejectedInputError):
    """Nobody came with the request, or his session has ended."""

    def __init__(self) -> None:
        super().__init__("not_signed_in", "Sign in first.", status=401)


class Guard:
    """Reads the cookies. Over https their names begin with ``__Host-``: no other host can set them."""

    def __init__(self, access: Access, *, https: bool) -> None:
        self._access = access
        self._https = https
        prefix = "__Host-" if https else ""
        self.session_cookie, self._visit_cookie = f"{prefix}smos_session", f"{prefix}smos_visit"

    def visitor(self, request: Request) -> Visitor:
        """Return who is signed in. NotSignedInError when nobody is."""
        visitor = self.visitor_or_none(request)
        if visitor is None:
            raise NotSignedInError
        return visitor

    def visitor_or_none(self, request: Request) -> Visitor | None:
        """Return who is signed in, if anybody is."""
        token = request.cookies.get(self.session_cookie, "")
        return self._access.visitor(token, touch=not _asked_by_itself(request)) if token else None

    def token(self, request: Request) -> str:
        """Return the secret the page's forms are bound to: that of the session, or of the visit before it.

        A session that has ended may have left its cookie: it counts for nothing where one signs in.
        """
        before = request.url.path.startswith(_BEFORE_SESSION)
        return request.cookies.get(self._visit_cookie if before else self.session_cookie, "")

    def allowed(self, request: Request, permission: Permission) -> Visitor:
        """Return who is signed in. NotSignedInError when nobody is, 403 when he has not the permission."""
        visitor = self.visitor(request)
        if not may(visitor.person.role, permission):
            raise RejectedInputError("not_allowed", "Your role does not allow that.", status=403)
        return visitor

    async def read_form(self, request: Request) -> Form:
        """Read a form. RejectedInputError 403 unless a page of ours, made for this browser, sent it."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise RejectedInputError("cross_site", "Pages of other sites may not send this form.", status=403)
        raw = await read_body(request, _MOST_FORM_BYTES)
        try:
            fields = dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError as error:
            raise RejectedInputError("form_unreadable", "The form cannot be read.", status=400) from error
        if not csrf_fits(self.token(request), fields.pop("csrf", "")):
            raise RejectedInputError("csrf", "The form is too old; load the page again.", status=403)
        return {name: value.replace("\x00", "") for name, value in fields.items()}

    def begin_visit(self, request: Request) -> tuple[str, Callable[[Response], None]]:
        """Give a browser that is not signed in something to bind its forms to; returns it and what sets the cookie."""
        known = request.cookies.get(self._visit_cookie, "")
        secret = known if len(known) == len(new_secret()) else new_secret()
        return secret, lambda response: self._set(response, self._visit_cookie, secret, 3600)

    def begin_session(self, response: Response, token: str) -> None:
        """Let the browser keep a session. What it came with before is of no use any more."""
        response.delete_cookie(self._visit_cookie, path="/")
        self._set(response, self.session_cookie, token, int(LONGEST_SESSION.total_seconds()))

    def end_session(self, response: Response) -> None:
        """Let the browser forget the session."""
        response.delete_cookie(self.session_cookie, path="/", secure=self._https, httponly=True, samesite="lax")

    def _set(self, response: Response, name: str, value: str, max_age_s: int) -> None:
        # Path / as __Host- demands; the cookie is of no use outside the console.
        response.set_cookie(name, value, max_age=max_age_s, path="/", secure=self._https, httponly=True, samesite="lax")


def _asked_by_itself(request: Request) -> bool:
    """Tell whether the page asked, and not a person. A stream of events cannot say so with a header of its own."""
    return ASKS_BY_ITSELF in request.headers or request.headers.get("accept") == "text/event-stream"


def form_of(request: Request) -> Form:
    """Return the fields of a form that was found to be one of ours."""
    return request.state.form


def tenant_for(parts: ConsoleParts, person: Person, tenant_id: str) -> Tenant:
    """Return a tenant the person may see. 404 for any other: that it exists is told to nobody else."""
    found = next((tenant for tenant in parts.tenants_of(person) if tenant.tenant_id == tenant_id), None)
    if found is None:
        raise not_found()
    return found


def scope_for(parts: ConsoleParts, person: Person, wanted: str) -> str:
    """Return a scope the person may look into: a tenant's, or the installation's (``-``) for who sees all tenants."""
    if wanted == NO_TENANT and person.tenant_id is None:
        return NO_TENANT
    return tenant_for(parts, person, wanted).tenant_id


def scopes_for(parts: ConsoleParts, person: Person) -> tuple[str, ...]:
    """List the scopes the person may look into: the tenants', and the installation's as the last."""
    own = (NO_TENANT,) if person.tenant_id is None else ()
    return (*(tenant.tenant_id for tenant in parts.tenants_of(person)), *own)


def not_found() -> RejectedInputError:
    """Make the one answer to whatever is not there for this person."""
    return RejectedInputError("not_found", "There is nothing here.", status=404)


def local_path(wanted: str) -> str:
    """Return where to go after signing in: a page of the console, whatever was asked for."""
    inside = wanted.startswith("/console/") and wanted.isprintable() and "\\" not in wanted and "//" not in wanted
    return wanted if inside and not wanted.startswith(SIGN_IN) else HOME


def console_route(pages: Pages, guard: Guard) -> type[APIRoute]:
    """Return a route whose errors are pages in the visitor's language, and whose every answer has the headers."""

    class ConsoleRoute(APIRoute):
        """A route of the console."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                try:
                    if request.method == "POST":  # no route can forget it
                        request.state.form = await guard.read_form(request)
                    response = await handle(request)
                except NotSignedInError:
                    response = _to_sign_in(request)
                except RequestValidationError:
                    response = await run_in_threadpool(_error_page, pages, guard, request, not_found())
                except SmosError as error:
                    response = await run_in_threadpool(_error_page, pages, guard, request, error)
                for name, value in HEADERS.items():
                    response.headers.setdefault(name, value)
                return response

            return handled

    return ConsoleRoute


def _to_sign_in(request: Request) -> Response:
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": SIGN_IN})
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(asked)}" if request.method == "GET" else SIGN_IN, status_code=303)


def _error_page(pages: Pages, guard: Guard, request: Request, error: SmosError) -> Response:
    status = error.status if isinstance(error, RejectedInputError) else error.http_status
    visitor = guard.visitor_or_none(request)
    return pages.page(
        request,
        "error.html",
        visitor=visitor,
        token=guard.token(request),
        status=status,
        status_code=status,
        error=error.code,
        detail=error.public_message,
    )
