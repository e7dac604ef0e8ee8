"""The tool endpoints: the functions of the flow, for outside callers, one thin route per tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tools import ToolCall
from smarteros.edge.standard_headers import StandardHeaders, standard_headers
from smarteros.edge.tool_access import ToolAccess, scope_of
from smarteros.edge.tool_texts import failure_of
from smarteros.tools.protocol import ToolSpec

_bearer = HTTPBearer(auto_error=False, description="A tenant token of `smos token issue`")
_STATUS = {"refused": 422, "timeout": 504, "error": 502}


def tool_router(access: ToolAccess) -> APIRouter:
    """Build ``POST /api/tools/{tool}``: one typed route per tool."""
    router = APIRouter(tags=["tools"])
    for spec in access.specs:
        router.add_api_route(
            f"/api/tools/{spec.name}",
            _route(access, spec),
            methods=["POST"],
            response_model=spec.output_model,
            operation_id=spec.name,
            summary=spec.title,
            description=f"{spec.description}\n\nNeeds the scope `{scope_of(spec)}`.",
        )
    return router


def _route(access: ToolAccess, spec: ToolSpec) -> Callable[..., Any]:
    def call(body: BaseModel, headers: StandardHeaders, bearer: HTTPAuthorizationCredentials | None) -> dict[str, Any]:
        caller = access.admit(bearer.credentials if bearer else "", headers.tenant_id)
        asked = ToolCall(tool=spec.name, params=body.model_dump(exclude_unset=True))
        result = access.call(caller, asked, headers.conversation_id)
        if result.data is None:
            failure = failure_of(result)
            raise RejectedInputError(failure.code, failure.sentences, status=_STATUS.get(result.outcome, 502))
        return result.data

    # FastAPI reads a route's parameters from its annotations; here they depend on the tool.
    call.__annotations__ = {
        "body": Annotated[spec.input_model, Body()],
        "headers": Annotated[StandardHeaders, Depends(standard_headers)],
        "bearer": Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
        "return": spec.output_model,
    }
    return call
