"""The agent endpoint: the contract between an orchestrator (n8n, or any other) and the tenant's agent."""

from __future__ import annotations

import hmac
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from smarteros.agents.protocol import Agent
from smarteros.agents.rebuilt import with_rebuilt_state
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.standard_headers import StandardHeaders, standard_headers
from smarteros.edge.turn_tokens import TurnTokens
from smarteros.secrets.protocol import SecretStore
from smarteros.tenants.directory import TenantDirectory

BotId = Literal["sales", "support", "faq"]
_bearer = HTTPBearer(auto_error=False, description="The tenant's botpress/api_key, or the key of a turn")


def agent_router(
    agent: Agent,
    tenants: TenantDirectory,
    secrets: SecretStore,
    rate: TenantRate | None = None,
    turns: TurnTokens | None = None,
    earlier: Agent | None = None,
) -> APIRouter:
    """Build the route over an agent; without ``rate`` it may be asked any number of times.

    ``earlier`` decides the messages before the last one in its place: nobody outside is asked about them again. With
    ``turns`` the key of a turn opens it as well, for that turn's conversation; its message was counted already.
    """
    router = APIRouter(tags=["agent"])

    @router.post("/api/v1/workspaces/{workspace_id}/bots/{bot_id}/run", operation_id="run_bot")
    def run(  # pyright: ignore[reportUnusedFunction]
        workspace_id: str,
        bot_id: BotId,
        body: AgentRequest,
        headers: Annotated[StandardHeaders, Depends(standard_headers)],
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Decision:
        """Decide one message: intent, confidence, route, entities, actions and the reply or its lead-in.

        With ``context.history`` but no state, the earlier messages are decided first.
        """
        del bot_id  # one native agent serves all three; the path is the contract's
        headers.require(tenant_id=body.tenant_id, conversation_id=body.conversation_id, channel=body.channel)
        tenant, given = tenants.find(headers.tenant_id), bearer.credentials if bearer else ""
        has_key = turns is not None and turns.opens(given, headers.tenant_id, headers.conversation_id)
        if not has_key:
            _require_api_key(tenant, secrets, given)
        tenant = _own_workspace(tenant, workspace_id)
        if rate is not None and not has_key:
            rate.require(tenant)
        return agent.decide(with_rebuilt_state(earlier or agent, body))

    return router


def _require_api_key(tenant: Tenant | None, secrets: SecretStore, given: str) -> None:
    keys = secrets.accepted(tenant.scope, "botpress/api_key") if tenant else ()
    if not any(key and hmac.compare_digest(key.encode(), given.encode()) for key in keys):
        raise RejectedInputError("invalid_api_key", "The bearer is not this tenant's agent key.", status=401)


def _own_workspace(tenant: Tenant | None, workspace_id: str) -> Tenant:
    if tenant is None or not tenant.active or workspace_id != tenant.workspace_id:
        raise RejectedInputError("foreign_workspace", "The workspace is not this tenant's.", status=403)
    return tenant
