"""The HTTP application, put together from its routers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Response

import smarteros
from smarteros.edge.errors import install_error_handlers
from smarteros.observability.metrics import exposition


def create_app(routers: Iterable[APIRouter]) -> FastAPI:
    """Build the application over routers; the order is the order of matching."""
    app = FastAPI(
        title="SmarterOS",
        version=smarteros.__version__,
        summary="Webhooks, agent and tool endpoints of a bot runtime behind Chatwoot",
        # The interactive pages load scripts from elsewhere; the description itself is served.
        docs_url=None,
        redoc_url=None,
    )
    install_error_handlers(app)
    for router in routers:
        app.include_router(router)

    @app.get("/metrics", include_in_schema=False)
    def metrics(accept: Annotated[str, Header()] = "") -> Response:  # pyright: ignore[reportUnusedFunction]
        figures, content_type = exposition(accept)
        return Response(figures, headers={"content-type": content_type})

    return app
