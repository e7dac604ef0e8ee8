"""The two doors to the tools, ``/mcp`` and ``/api/tools``, over tools that look at nothing but their input."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from pydantic import Field
from starlette.types import ASGIApp

from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import PermanentError, TransientError
from smarteros.domain.messages import Contact
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.edge.app import create_app
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.tokens import READ, TenantTokens
from smarteros.edge.tool_doors import tool_doors
from smarteros.kit.clock import SystemClock
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore
from smarteros.settings import default_contracts_dir
from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.events import store_event
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.limit_notices import LimitNotices
from smarteros.tools.inputs import ToolInput
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.provider import EmbeddedToolProvider
from smarteros.tools.registry import EmbeddedTool, ToolRun
from tests.support import heard, serving, whatsapp_message

MODERN, LEGACY = "2026-07-28", "2025-11-25"
_HOURS = "---\ncategory: horarios\n---\n# Horarios\n\n## ¿Cuándo abren?\nDe lunes a viernes de 9:00 a 18:00.\n"
_DRAFT = "---\ncategory: pago\napproval: draft\n---\n# Pagos\n\n## ¿Cheques?\nTodavía no lo sabemos.\n"
_accounts = itertools.count(70_001)


class Question(ToolInput):
    """What the tools are asked."""

    query: str = Field(max_length=100)
    limit: int = Field(default=1, ge=1, le=5)


class Nothing(ToolInput):
    """The input of a tool that needs none."""


class Answer(Model):
    """Who asked what, as the tool saw it."""

    query: str
    tenant_id: str
    contact_id: int


def _answered(question: Question, run: ToolRun) -> Answer:
    if question.query == "away":
        raise TransientError("shopify_throttled", "token shpat_secret was throttled")
    if question.query == "broken":
        raise PermanentError("unheard_of", "internal detail 10.0.0.7")
    if question.query == "crash":
        raise RuntimeError("internal detail 10.0.0.7")
    return Answer(query=question.query, tenant_id=run.tenant.tenant_id, contact_id=run.context.contact.id)


def a_tool(name: str, *, read_only: bool = True, query: str | None = None) -> EmbeddedTool[Any]:
    """Return a tool that gives back what it was asked; with ``query`` it takes no input and is asked that always."""
    spec = ToolSpec(
        name=name,
        title=name.replace("_", " ").capitalize(),
        description="Gives back what it was asked.",
        read_only=read_only,
        idempotent=not read_only,
        input_model=Question if query is None else Nothing,
        output_model=Answer,
    )
    if query is None:
        return EmbeddedTool(spec, "shopify", Question, _answered)
    return EmbeddedTool(spec, "shopify", Nothing, lambda _nothing, run: _answered(Question(query=query), run))


@dataclass(frozen=True)
class Keys:
    """What the operator of the doors knows: tenants and tokens."""

    database: Database
    tenants: TenantDirectory
    tokens: TenantTokens

    def tenant(self, tenant_id: str, **settings: Any) -> Tenant:
        """Save a tenant."""
        tenant = Tenant(
            tenant_id=tenant_id,
            name=f"Tienda {tenant_id}",
            rut="76543210-3",
            tenant_key=f"{tenant_id.lower()}-webhook-key",
            chatwoot_url="http://127.0.0.1:9",
            chatwoot_account_ids=(next(_accounts),),
            **settings,
        )
        self.tenants.save(tenant)
        return tenant

    def token(self, tenant_id: str, *scopes: str) -> str:
        """Issue a token, by default one that may read."""
        return self.tokens.issue(TenantScope(tenant_id=tenant_id), scopes or (READ,), timedelta(hours=1))

    def heard(self, tenant_id: str, conversation_id: int, contact: Contact) -> None:
        """Let the tenant have got a message of a contact."""
        event = heard(whatsapp_message(tenant_id, conversation_id, conversation_id, contact=contact))
        with self.database.tenant(TenantScope(tenant_id=tenant_id)) as connection:
            store_event(connection, event)


@dataclass(frozen=True)
class Door(Keys):
    """The application of both doors on loopback."""

    url: str
    http: httpx2.Client

    def post(self, token: str | None, body: Any, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """Send a body to ``/mcp`` as it is; a header given as "" is left out."""
        sent = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **({"Authorization": f"Bearer {token}"} if token is not None else {}),
            **(headers or {}),
        }
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post("/mcp", content=content, headers={name: value for name, value in sent.items() if value})

    def ask(
        self, token: str | None, method: str, params: dict[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        """Send a request of the protocol's present version."""
        body, routing = modern(method, params or {})
        return self.post(token, body, routing | {name.replace("_", "-"): value for name, value in headers.items()})

    def call(self, token: str | None, tool: str, query: str = "hola", **headers: str) -> httpx2.Response:
        """Call a tool."""
        return self.ask(token, "tools/call", {"name": tool, "arguments": {"query": query}}, **headers)

    def rest(self, token: str, tool: str, tenant_id: str, query: str = "hola") -> httpx2.Response:
        """Call a tool by ``POST /api/tools/{tool}``."""
        headers = {
            "Authorization": f"Bearer {token}",
            "X-SMOS-Tenant-ID": tenant_id,
            "X-SMOS-Conversation-ID": "0",
            "X-SMOS-Channel": "whatsapp",
            "X-SMOS-User-Role": "system",
            "X-Chatwoot-Signature": "0" * 64,
        }
        return self.http.post(f"/api/tools/{tool}", json={"query": query}, headers=headers)


def modern(method: str, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body of a request of the present version, and the headers that must say the same."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    name = params.get("name") or params.get("uri")
    return body, headers | ({"Mcp-Name": name} if isinstance(name, str) else {})


def legacy(method: str, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body and headers of a request of the version before."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, {"MCP-Protocol-Version": LEGACY}


@pytest.fixture(scope="session")
def door(postgres: EmbeddedPostgres) -> Iterator[Door]:
    """Both doors, one for all tests; each test that needs to be alone makes a tenant of its own."""
    database = Database(postgres.url(), postgres.url("smos_app"))
    with open_door(database) as opened:
        yield opened
    database.dispose()


@contextmanager
def open_door(database: Database, *, per_minute: int = 100_000, tenant_id: str = "MCP_SHOP") -> Iterator[Door]:
    """Serve both doors on loopback."""
    app, keys = door_app(database, per_minute=per_minute, tenant_id=tenant_id)
    # A connection that is kept is closed by the server after five seconds, perhaps while the next test uses it.
    fresh = httpx2.Limits(max_keepalive_connections=0)
    with serving(app) as url, httpx2.Client(base_url=url, timeout=300, trust_env=False, limits=fresh) as http:
        yield Door(keys.database, keys.tenants, keys.tokens, url, http)


def door_app(
    database: Database,
    *,
    per_minute: int = 100_000,
    tenant_id: str = "MCP_SHOP",
    more_tools: Sequence[EmbeddedTool[Any]] = (),
) -> tuple[ASGIApp, Keys]:
    """Return the application of both doors, with one tenant that has one text and one draft."""
    clock = SystemClock()
    tenants = TenantDirectory(database)
    tokens = TenantTokens(b"k" * 32, clock)
    provider = EmbeddedToolProvider((a_tool("look_up"), a_tool("take_note", read_only=False), *more_tools))
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    texts = (parse_markdown("horarios.md", _HOURS), parse_markdown("pagos.md", _DRAFT))
    knowledge.replace(TenantScope(tenant_id=tenant_id), texts)
    contracts = load_contracts(default_contracts_dir())
    routers = tool_doors(
        provider,
        tenants,
        tokens,
        database,
        knowledge,
        contracts,
        clock,
        rate=TenantRate(per_minute, LimitNotices(database, clock)),
        hosts=("127.0.0.1",),
        public_url="https://bots.example.cl",
    )
    keys = Keys(database, tenants, tokens)
    keys.tenant(tenant_id)
    return create_app(routers), keys
