"""The two doors to the tools, ``/api/tools`` and ``/mcp``, put together over one access."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter

from smarteros.contracts.loader import ContractSet
from smarteros.edge.mcp.endpoint import McpEndpoint
from smarteros.edge.mcp.library import Library
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.tokens import TenantTokens
from smarteros.edge.tool_access import ToolAccess
from smarteros.edge.tool_api import tool_router
from smarteros.kit.clock import Clock
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.protocol import ToolProvider


def tool_doors(
    provider: ToolProvider,
    tenants: TenantDirectory,
    tokens: TenantTokens,
    database: Database,
    knowledge: KnowledgeBase,
    contracts: ContractSet,
    clock: Clock,
    *,
    rate: TenantRate,
    hosts: Iterable[str],
    public_url: str | None,
) -> tuple[APIRouter, ...]:
    """Build the routes; ``rate`` counts a tenant's requests to both together."""
    access = ToolAccess(provider, tenants, tokens, database, clock, rate)
    library = Library(knowledge, contracts, clock)
    return (
        tool_router(access),
        McpEndpoint(access, library, contracts, hosts=hosts, public_url=public_url).router(),
    )
