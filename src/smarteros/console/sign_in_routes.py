"""Signing in and out, and the pages of one-time links."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from smarteros.console.access import SignedIn
from smarteros.console.guard import HOME, SIGN_IN, Guard, form_of, local_path
from smarteros.console.pages import Pages, language_of
from smarteros.console.parts import ConsoleParts
from smarteros.domain.errors import RejectedInputError

# uvicorn tells the address of the nearest proxy it trusts; without one, of the caller.
_NO_ADDRESS = "-"


def add_sign_in(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""
    _add_password(router, parts, pages, guard)
    _add_links(router, parts, pages, guard)

    @router.post("/sign-out")
    def sign_out(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        parts.access.sign_out(guard.visitor(request))
        response = RedirectResponse(SIGN_IN, status_code=303)
        guard.end_session(response)
        return response


def _add_password(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    def shown(request: Request, wanted: str, error: RejectedInputError | None = None, email: str = "") -> Response:
        secret, keep = guard.begin_visit(request)
        status = 200 if error is None else error.status
        code = None if error is None else error.code
        response = pages.page(
            request, "sign_in.html", token=secret, status=status, error=code, email=email, wanted=wanted
        )
        keep(response)
        return response

    @router.get("/sign-in")
    def page(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        wanted = local_path(request.query_params.get("next", ""))
        if guard.visitor_or_none(request) is not None:
            return RedirectResponse(wanted, status_code=303)
        return shown(request, wanted)

    @router.post("/sign-in")
    def sign_in(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        form = form_of(request)
        wanted, email = local_path(form.get("next", "")), form.get("email", "")
        address = request.client.host if request.client else _NO_ADDRESS
        try:
            entered = parts.access.sign_in(email, form.get("password", ""), address=address, browser=_browser(request))
        except RejectedInputError as error:
            return shown(request, wanted, error, email)
        return _enter(guard, wanted, entered)


def _add_links(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    def shown(request: Request, token: str, error: RejectedInputError | None = None) -> Response:
        found = parts.invitations.link_of(token)
        secret, keep = guard.begin_visit(request)
        status = 410 if found is None else 200 if error is None else error.status
        response = pages.page(
            request,
            "welcome.html",
            token=secret,
            status=status,
            link=None if found is None else found[0],
            invited=None if found is None else found[1],
            link_token=token,
            error=None if error is None else error.code,
            form=form_of(request) if error else {},
        )
        keep(response)
        return response

    @router.get("/welcome/{token}")
    def page(request: Request, token: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        return shown(request, token)  # looking at it does not use it: mail programs look at links

    @router.post("/welcome/{token}")
    def use(request: Request, token: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        form = form_of(request)
        try:
            entered = parts.invitations.enter_by_link(
                token,
                password=form.get("password", ""),
                email=form.get("email", ""),
                name=form.get("name", ""),
                browser=_browser(request),
                language=language_of(request).language,
            )
        except RejectedInputError as error:
            return shown(request, token, error)
        return _enter(guard, HOME, entered)


def _enter(guard: Guard, wanted: str, entered: SignedIn) -> Response:
    response = RedirectResponse(wanted, status_code=303)
    guard.begin_session(response, entered.token)
    return response


def _browser(request: Request) -> str:
    return request.headers.get("user-agent", "")
