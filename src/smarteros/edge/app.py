"""The HTTP application, put together from its routers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Response

import smarteros
from smarteros.edge.errors import install_error_handlers
from smarteros.edge.mcp.endpoint import McpEndpoint, McpFirst
from smarteros.observability.metrics import exposition


def create_app(routers: Iterable[APIRouter]) -> FastAPI:
    """Build the application over routers; the order is the order of matching, and ``/mcp`` comes before all."""
    routers = tuple(routers)
    app = FastAPI(
        title="SmarterOS",
        version=smarteros.__version__,
        summary="Webhooks, agent and tool endpoints of a bot runtime behind Chatwoot",
        # The interactive pages load scripts from elsewhere; the description itself is served.
        docs_url=None,
        redoc_url=None,
        # One name for one model, whether it comes in or goes out: generated clients have it once.
        separate_input_output_schemas=False,
    )
    install_error_handlers(app)
    for router in routers:
        app.include_router(router)

    endpoints = (getattr(route, "endpoint", None) for router in routers for route in router.routes)
    for endpoint in endpoints:
        if isinstance(endpoint, McpEndpoint):
            app.add_middleware(McpFirst, endpoint=endpoint)

    @app.get("/metrics", include_in_schema=False)
    def metrics(accept: Annotated[str, Header()] = "") -> Response:  # pyright: ignore[reportUnusedFunction]
        figures, content_type = exposition(accept)
        return Response(figures, headers={"content-type": content_type})

    return app
