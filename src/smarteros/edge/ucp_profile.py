"""``GET /ucp/agent.json``: who we are to shops that are asked by UCP. It says nothing of any tenant."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from smarteros.tools.ucp.profile import PATH, profile

_KEPT = "public, max-age=3600"
"""Shops keep what they read for at least a minute."""


def ucp_profile_router() -> APIRouter:
    """Return the route; anybody may read it."""
    router = APIRouter()

    @router.get(PATH, include_in_schema=False)
    def tell() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse(profile(), headers={"Cache-Control": _KEPT})

    return router
