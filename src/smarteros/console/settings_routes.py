"""What everybody sets for himself: language, theme, password, and where he is signed in."""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from smarteros.console.guard import SIGN_IN, Guard, form_of, local_path, not_found
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.people import Theme

_CHOICES = {"language": get_args(Language), "theme": get_args(Theme)}
_PAGE = "/console/settings"


def add_settings(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""

    def shown(request: Request, done: str | None = None, error: RejectedInputError | None = None) -> Response:
        visitor = guard.visitor(request)
        return pages.page(
            request,
            "settings.html",
            visitor=visitor,
            token=guard.token(request),
            status=200 if error is None else error.status,
            sessions=parts.access.sessions(visitor),
            done=done,
            error=None if error is None else error.code,
        )

    @router.get("/settings")
    def settings(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return shown(request)

    @router.post("/settings/preference")
    def preference(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor, form = guard.visitor(request), form_of(request)
        chosen = {name: form[name] for name in _CHOICES if name in form}
        if not chosen or any(value not in _CHOICES[name] for name, value in chosen.items()):
            raise not_found()
        parts.access.prefer(visitor, **chosen)
        return RedirectResponse(local_path(form.get("next", _PAGE)), status_code=303)

    @router.post("/settings/password")
    def password(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor, form = guard.visitor(request), form_of(request)
        try:
            parts.access.change_password(visitor, form.get("old", ""), form.get("new", ""))
        except RejectedInputError as error:
            return shown(request, error=error)
        return shown(request, done="password")

    @router.post("/settings/sessions")
    def sessions(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor, form = guard.visitor(request), form_of(request)
        named = form.get("session")
        parts.access.sign_out(visitor, named, others=named is None)
        if named == visitor.session.token_hash:
            response = RedirectResponse(SIGN_IN, status_code=303)
            guard.end_session(response)
            return response
        return shown(request, done="sessions")
