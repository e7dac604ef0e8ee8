"""Who may read and steer the installation over HTTP: the bearer of the operator's token."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from smarteros.domain.errors import RejectedInputError

Bearer = Annotated[
    HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, description="SMOS_OPERATOR_TOKEN"))
]


def is_operator(bearer: HTTPAuthorizationCredentials | None, operator_token: str) -> bool:
    """Tell whether a request's bearer is the operator's token."""
    given = bearer.credentials if bearer else ""
    return hmac.compare_digest(given.encode(), operator_token.encode())


def operator_routes(operator_token: str) -> APIRouter:
    """Return a router below ``/api/v1`` whose routes answer 401 without the operator's token."""

    def authorised(bearer: Bearer) -> None:
        if not is_operator(bearer, operator_token):
            raise RejectedInputError("invalid_operator_token", "The bearer is not the operator's token.", status=401)

    return APIRouter(prefix="/api/v1", tags=["operator"], dependencies=[Depends(authorised)])
