"""Who may call which tool from outside, how often and for whom: the rules of ``/api/tools`` and of ``/mcp``."""

from __future__ import annotations

from dataclasses import dataclass

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import TENANT_SUSPENDED, Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.edge.errors import RefusedRequestError
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.tokens import READ, WRITE, Grant, TenantTokens
from smarteros.kit.clock import Clock, in_santiago
from smarteros.observability.metrics import TOOL_CALLS
from smarteros.store.database import Database
from smarteros.store.events import contact_of
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.protocol import ToolContext, ToolProvider, ToolSpec

_TIMEOUT_MS = 10_000
NO_CONVERSATION = 0


@dataclass(frozen=True)
class Caller:
    """Whom a bearer belongs to, and what it allows."""

    tenant: Tenant
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Refuse (403, and the scope by name) what the bearer does not allow."""
        if scope not in self.scopes:
            challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
            raise RefusedRequestError(
                "insufficient_scope",
                f"The token lacks the scope {scope}.",
                status=403,
                headers={"WWW-Authenticate": challenge},
            )


def scope_of(spec: ToolSpec) -> str:
    """Return the scope that a tool needs."""
    return READ if spec.read_only else WRITE


class ToolAccess:
    """Lets callers with a tenant's token use a ToolProvider."""

    def __init__(
        self,
        provider: ToolProvider,
        tenants: TenantDirectory,
        tokens: TenantTokens,
        database: Database,
        clock: Clock,
        rate: TenantRate,
    ) -> None:
        self._provider = provider
        self._specs = {spec.name: spec for spec in provider.specs()}
        self._tenants = tenants
        self._tokens = tokens
        self._database = database
        self._clock = clock
        self._rate = rate

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools there are."""
        return tuple(self._specs.values())

    def admit(self, bearer: str, tenant_id: str | None) -> Caller:
        """Return who is calling, and count the request.

        RejectedInputError: 401 for a bearer that is not ours, 403 when ``tenant_id``, which the request names, is
        another tenant or the tenant is suspended, 429 (with Retry-After) when the tenant's share is used up.
        """
        grant = self._granted(bearer, tenant_id)
        return self._admitted(grant, self._tenants.find(grant.tenant.tenant_id))

    def admit_at_once(self, bearer: str, tenant_id: str | None) -> Caller | None:
        """Do as ``admit`` without ever blocking; None when the tenant must be looked up first, nothing is counted."""
        grant = self._granted(bearer, tenant_id)
        tenant = self._tenants.at_hand(grant.tenant.tenant_id)
        return None if tenant is None else self._admitted(grant, tenant)

    def _granted(self, bearer: str, tenant_id: str | None) -> Grant:
        try:
            grant = self._tokens.grant_of(bearer)
        except RejectedInputError as error:
            challenge = 'Bearer error="invalid_token"' if bearer else "Bearer"
            raise RefusedRequestError(
                error.code, error.operator_message, status=401, headers={"WWW-Authenticate": challenge}
            ) from error
        if tenant_id is not None and grant.tenant.tenant_id != tenant_id:
            raise RejectedInputError("header_mismatch", "The token is another tenant's.", status=403)
        return grant

    def _admitted(self, grant: Grant, tenant: Tenant | None) -> Caller:
        if tenant is None or not tenant.active:
            raise RejectedInputError(TENANT_SUSPENDED, "The tenant is not active.", status=403)
        self._rate.require(tenant)
        return Caller(tenant, grant.scopes)

    def call(self, caller: Caller, call: ToolCall, conversation_id: int) -> ToolResult:
        """Call a tool for the contact we ourselves saw in the conversation: nobody can claim to be somebody else.

        RejectedInputError: 404 when there is no such tool, 403 when the bearer does not allow it.
        """
        spec = self._specs.get(call.tool)
        if spec is None:
            raise RejectedInputError("unknown_tool", "There is no such tool.", status=404)
        caller.require(scope_of(spec))
        context = ToolContext(
            conversation_id=conversation_id,
            contact=self._contact(caller.tenant, conversation_id) or Contact(id=0),
            today=in_santiago(self._clock.now()).date(),
        )
        result = self._provider.call(caller.tenant, call, context, timeout_ms=_TIMEOUT_MS, fallback=True)
        TOOL_CALLS.labels(caller.tenant.tenant_id, spec.name, result.outcome).inc()
        return result

    def _contact(self, tenant: Tenant, conversation_id: int) -> Contact | None:
        if conversation_id == NO_CONVERSATION:
            return None
        with self._database.tenant(tenant.scope) as connection:
            return contact_of(connection, tenant.tenant_id, conversation_id)
