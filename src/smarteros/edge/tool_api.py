"""The tool endpoints: the functions of the flow, for outside callers, one thin route per tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.edge.standard_headers import StandardHeaders, standard_headers
from smarteros.edge.tokens import TenantTokens
from smarteros.kit.clock import Clock, in_santiago
from smarteros.store.database import Database
from smarteros.store.events import contact_of
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.protocol import ToolContext, ToolProvider, ToolSpec

_bearer = HTTPBearer(auto_error=False, description="A tenant token of `smos token issue`")
_TIMEOUT_MS = 10_000
_STATUS = {"refused": 422, "timeout": 504, "error": 502}


class ToolEndpoints:
    """Routes ``POST /api/tools/{tool}`` over a ToolProvider."""

    def __init__(
        self,
        provider: ToolProvider,
        tenants: TenantDirectory,
        tokens: TenantTokens,
        database: Database,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._tenants = tenants
        self._tokens = tokens
        self._database = database
        self._clock = clock

    def router(self) -> APIRouter:
        """Build one typed route per tool."""
        router = APIRouter(tags=["tools"])
        for spec in self._provider.specs():
            router.add_api_route(
                f"/api/tools/{spec.name}",
                self._route(spec),
                methods=["POST"],
                response_model=spec.output_model,
                operation_id=spec.name,
                summary=spec.title,
                description=spec.description,
            )
        return router

    def _route(self, spec: ToolSpec) -> Callable[..., Any]:
        def call(
            body: BaseModel,
            headers: StandardHeaders,
            bearer: HTTPAuthorizationCredentials | None,
        ) -> dict[str, Any]:
            tenant = self._authorise(headers, bearer)
            result = self._call(tenant, headers, ToolCall(tool=spec.name, params=body.model_dump(exclude_unset=True)))
            if result.data is None:
                raise RejectedInputError(
                    result.error_code or result.outcome,
                    f"{spec.name}: {result.error_code or result.outcome}",
                    status=_STATUS.get(result.outcome, 502),
                )
            return result.data

        # FastAPI reads a route's parameters from its annotations; here they depend on the tool.
        call.__annotations__ = {
            "body": Annotated[spec.input_model, Body()],
            "headers": Annotated[StandardHeaders, Depends(standard_headers)],
            "bearer": Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
            "return": spec.output_model,
        }
        return call

    def _authorise(self, headers: StandardHeaders, bearer: HTTPAuthorizationCredentials | None) -> Tenant:
        scope = self._tokens.tenant_of(bearer.credentials if bearer else "")
        if scope.tenant_id != headers.tenant_id:
            raise RejectedInputError("header_mismatch", "The token is another tenant's.", status=403)
        tenant = self._tenants.find(scope.tenant_id)
        if tenant is None or not tenant.active:
            raise RejectedInputError("tenant_suspended", "The tenant is not active.", status=403)
        return tenant

    def _call(self, tenant: Tenant, headers: StandardHeaders, call: ToolCall) -> ToolResult:
        """Call for the contact we ourselves saw in the conversation: a caller cannot claim to be somebody else."""
        with self._database.tenant(tenant.scope) as connection:
            contact = contact_of(connection, tenant.tenant_id, headers.conversation_id)
        context = ToolContext(
            conversation_id=headers.conversation_id,
            contact=contact or Contact(id=0),
            today=in_santiago(self._clock.now()).date(),
        )
        return self._provider.call(tenant, call, context, timeout_ms=_TIMEOUT_MS, fallback=True)
