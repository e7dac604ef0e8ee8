"""The ASGI application."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from smarteros_sandbox.chatwoot.clock import iso_milliseconds
from smarteros_sandbox.chatwoot.errors import not_found
from smarteros_sandbox.chatwoot.http import contacts, conversations, help_center, integrations, messages, settings
from smarteros_sandbox.chatwoot.http.answers import answer_json
from smarteros_sandbox.chatwoot.http.failures import EXCEPTION_HANDLERS
from smarteros_sandbox.chatwoot.http.limits import BodyLimit
from smarteros_sandbox.chatwoot.http.public import public_routes
from smarteros_sandbox.chatwoot.http.routing import Access, account_routes, authenticate
from smarteros_sandbox.chatwoot.installation import Installation
from smarteros_sandbox.chatwoot.records import User
from smarteros_sandbox.chatwoot.shapes import api


def create_chatwoot_app(chatwoot: Installation) -> Starlette:
    """The application of one installation; its lifespan runs the background workers."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        await chatwoot.start()
        try:
            yield
        finally:
            await chatwoot.stop()

    account_api = (conversations, messages, contacts, settings, integrations, help_center)
    specs = [spec for module in account_api for spec in module.ROUTES]
    return Starlette(
        routes=[
            *_open_routes(chatwoot),
            *account_routes(chatwoot, specs),
            *public_routes(chatwoot),
            *_file_routes(chatwoot),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )


def _open_routes(chatwoot: Installation) -> list[Route]:
    async def health(_request: Request) -> Response:
        return answer_json({"status": "woot"})

    async def version(_request: Request) -> Response:
        return answer_json(
            {
                "version": chatwoot.profile.version_text,
                "timestamp": iso_milliseconds(chatwoot.clock.now(0)),
                "queue_services": "ok",
                "data_services": "ok",
            }
        )

    async def profile(request: Request) -> Response:
        actor = authenticate(chatwoot, request, Access.USER)
        if not isinstance(actor, User):
            raise not_found()
        return answer_json(api.profile(chatwoot.view, actor))

    return [
        Route("/health", health),
        Route("/api", version),
        Route("/api/v1/profile", profile),
    ]


def _file_routes(chatwoot: Installation) -> list[Route]:
    """Active Storage: a signed link without log-in redirects to the storage service."""

    async def redirect(request: Request) -> Response:
        signed_id = str(request.path_params["signed_id"])
        if not chatwoot.blobs.is_signed(signed_id):
            raise not_found()
        path = chatwoot.blobs.disk_path(signed_id, str(request.path_params["name"]))
        return RedirectResponse(chatwoot.view.base_url + path, status_code=302)

    async def disk(request: Request) -> Response:
        blob = chatwoot.blobs.find(str(request.path_params["signed_id"]))
        if blob is None:
            raise not_found()
        return FileResponse(
            blob.path,
            media_type=blob.content_type,
            filename=str(request.path_params["name"]),
            content_disposition_type=blob.disposition,
            headers={"X-Content-Type-Options": "nosniff"},
        )

    storage = "/rails/active_storage"
    return [
        Route(f"{storage}/blobs/redirect/{{signed_id}}/{{name}}", redirect),
        Route(f"{storage}/representations/redirect/{{signed_id}}/{{variation}}/{{name}}", redirect),
        Route(f"{storage}/disk/{{signed_id}}/{{name}}", disk),
    ]
