"""Two rival shops in one installation: everything but Chatwoot and the shops' own systems is the product's.

Each has canaries that must never be seen by the other: in its secrets, its texts, its catalogue and its customers.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx2
import sqlalchemy as sa
from fastapi.testclient import TestClient
from starlette.types import ASGIApp

from smarteros.agents.native import NativeAgent
from smarteros.channels.chatwoot.signatures import sign_v1
from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import TransientError
from smarteros.domain.messages import ConversationState, Desk, OutgoingReply, PostedReply
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import Product, ProductList
from smarteros.domain.turns import ClaimedTurn
from smarteros.edge.agent_api import agent_router
from smarteros.edge.app import create_app
from smarteros.edge.health import HealthChecks, health_router
from smarteros.edge.operator_api import operator_router
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.receive import Receiver
from smarteros.edge.refusals import Refusals, RefusalsCounted
from smarteros.edge.tokens import READ, WRITE, TenantTokens
from smarteros.edge.tool_doors import tool_doors
from smarteros.edge.webhooks import WebhooksFirst, WebhookTaker, webhook_router
from smarteros.flow.engine import Engine
from smarteros.flow.lanes import SlowLane
from smarteros.flow.parts import Parts
from smarteros.flow.workflow import TurnWorkflow
from smarteros.kit.clock import SystemClock
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import KeyFile
from smarteros.settings import default_contracts_dir
from smarteros.store.database import Database
from smarteros.store.documents import PostgresDocumentStore
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.queue import claim_turns
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.limit_notices import LimitNotices
from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.provider import EmbeddedToolProvider
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.stored_cache import PostgresToolCache

OPERATOR = "operator-token-of-the-rivals"
BODY = (Path(__file__).parents[1] / "fixtures" / "chatwoot" / "message_created.whatsapp_text.json").read_bytes()
SEARCHED = "search:zapatillas"
PATHS = ("chatwoot/hmac_secret", "chatwoot/api_token", "botpress/api_key", "shopify/admin_token")
_ids = itertools.count(5_000_000)


@dataclass
class Rival:
    """One of the shops: what it owns, and what its people and customers have been shown."""

    name: str
    account_id: int
    conversation_id: int
    heard: list[str] = field(default_factory=list[str])

    @property
    def tenant_id(self) -> str:
        return f"RIVAL_{self.name}"

    @property
    def key(self) -> str:
        return f"webhook-key-of-{self.name.lower()}"

    @property
    def canary(self) -> str:
        """In everything that is this shop's, and in nothing else in the world."""
        return f"Canario{self.name.capitalize()}"

    def secret(self, path: str) -> str:
        return f"{path.replace('/', '-')}-of-{self.canary}"

    def tenant(self, **changes: Any) -> Tenant:
        known: dict[str, Any] = {
            "tenant_id": self.tenant_id,
            "name": f"Tienda {self.canary}",
            "rut": "76192083-9",
            "tenant_key": self.key,
            "chatwoot_url": "https://chat.example",
            "chatwoot_account_ids": (self.account_id,),
        }
        return Tenant(**(known | changes))


class Channels:
    """What is written into the conversations of both shops, and by whom they are led."""

    def __init__(self) -> None:
        self.written: dict[str, list[str]] = {}
        self.said: list[str] = []  # to customers

    def conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> ConversationState:
        return ConversationState(
            conversation_id=conversation_id, status="pending", assigned_to_human=False, can_reply=True
        )

    def given_back(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> bool:
        return False

    def post(self, tenant: Tenant, reply: OutgoingReply, **_how: Any) -> PostedReply:
        self.written.setdefault(tenant.tenant_id, []).append(reply.text)
        self.said.append(reply.text)
        return PostedReply(message_id=next(_ids))

    def hand_over(
        self,
        tenant: Tenant,
        conversation_id: int,
        note: str,
        *,
        account_id: int | None = None,
        desk: Desk | None = None,
    ) -> None:
        self.written.setdefault(tenant.tenant_id, []).append(note)

    def open_conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> None:
        """Nobody looks."""


class Rivals:
    """The installation. A request's answer is kept with the shop whose caller made it."""

    def __init__(self, postgres: EmbeddedPostgres, folder: Path, per_minute: int) -> None:
        self.one, self.two = Rival("AZUL", 8101, 77), Rival("ROJO", 8102, 77)
        self.database = Database(postgres.url(), postgres.url("smos_app"))
        self.owner = sa.create_engine(postgres.url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self.tenants = TenantDirectory(self.database)
        key = KeyFile(folder / "key")
        key.make_if_absent()
        self.secrets = EncryptedFileSecretStore(folder / "secrets", key)
        self.knowledge = EmbeddedKnowledgeBase(PostgresDocumentStore(self.database))
        self.cache = PostgresToolCache(self.database)
        self.clock = SystemClock()
        self.tokens = TenantTokens(b"k" * 32, self.clock)
        self.refusals = Refusals(self.database, self.clock)
        self.agent = NativeAgent(self.knowledge)
        self.channels = Channels()
        self.shop_is_away = False
        self.tools = EmbeddedToolProvider((self._search_tool(),))
        self.engine = Engine(self.database.owner_url, None)  # turns are run by ``work``
        for shop in self.shops:
            self.tenants.save(shop.tenant())
            for path in PATHS:
                self.secrets.write(shop.tenant().scope, path, shop.secret(path))
            self.knowledge.replace(shop.tenant().scope, (parse_markdown("horarios.md", _hours(shop)),))
        self.app = self._application(per_minute)
        self.http = TestClient(self.app, base_url="http://127.0.0.1", raise_server_exceptions=False)

    @property
    def shops(self) -> tuple[Rival, Rival]:
        return self.one, self.two

    def other(self, shop: Rival) -> Rival:
        return self.two if shop is self.one else self.one

    def close(self) -> None:
        self.owner.dispose()
        self.database.dispose()

    def webhook(
        self,
        caller: Rival,
        *,
        url: Rival | None,
        secret: str,
        account: Rival,
        text: str,
        age: timedelta = timedelta(),
        name: str = "Ana",
    ) -> httpx2.Response:
        """Deliver a message; ``url`` None is the shared one."""
        body: dict[str, Any] = json.loads(BODY)
        body |= {"id": next(_ids), "content": text, "account": {"id": account.account_id, "name": "x"}}
        body["conversation"]["id"] = account.conversation_id
        body["sender"]["name"] = name
        raw = json.dumps(body).encode()
        stamp = int(time.time() - age.total_seconds())
        headers = {"X-Chatwoot-Signature": sign_v1(raw, secret, stamp), "X-Chatwoot-Timestamp": str(stamp)}
        path = "/webhook/chatwoot-events" if url is None else f"/webhooks/chatwoot/{url.key}"
        return self._kept(caller, self.http.post(path, content=raw, headers=headers))

    def ask_agent(self, caller: Rival, *, key: str, header: Rival, body: Rival, workspace: Rival) -> httpx2.Response:
        question = {
            "tenant_id": body.tenant_id,
            "channel": "whatsapp",
            "conversation_id": body.conversation_id,
            "contact": {"id": 1},
            "message": {"id": next(_ids), "content": "¿Cuál es el horario de atención?"},
        }
        path = f"/api/v1/workspaces/{workspace.tenant().workspace_id}/bots/faq/run"
        headers = standard(header) | {"Authorization": f"Bearer {key}"}
        return self._kept(caller, self.http.post(path, json=question, headers=headers))

    def call_tool(self, caller: Rival, *, header: Rival, token: str | None = None) -> httpx2.Response:
        bearer = token or self.token(caller)
        headers = standard(header) | {"Authorization": f"Bearer {bearer}"}
        return self._kept(
            caller,
            self.http.post("/api/tools/shopify_search_products", json={"query": "zapatillas"}, headers=headers),
        )

    def operator_reads(self, shop: Rival, what: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        return self._kept(shop, self.http.get(f"/api/v1/{what}", params={"tenant_id": shop.tenant_id}, headers=headers))

    def token(self, shop: Rival) -> str:
        return self.tokens.issue(shop.tenant().scope, (READ, WRITE), timedelta(minutes=5))

    def work(self) -> list[str]:
        """Run every turn that waits; returns how they ended."""
        parts = Parts(
            database=self.database,
            tenants=self.tenants,
            channel=cast("Any", self.channels),
            agent=self.agent,
            knowledge=self.knowledge,
            tools=self.tools,
            reader=cast("Any", None),
            contracts=load_contracts(default_contracts_dir()),
            contact_keys=KeyWrapping(self.secrets),
            clock=self.clock,
            pause=lambda _s: None,
            slow_lane=SlowLane(1000),
        )
        workflow = TurnWorkflow(parts)
        ended: list[str] = []
        while turns := self._claimed():
            ended += [workflow.run(turn) for turn in turns]
        for shop in self.shops:
            shop.heard += self.channels.written.pop(shop.tenant_id, [])
        return ended

    def _claimed(self) -> list[ClaimedTurn]:
        with self.owner.connect() as connection:
            # The customers have finished, without anybody waiting for it.
            connection.exec_driver_sql(
                "UPDATE smos.received_events SET received_at = received_at - interval '1 minute'"
                " WHERE tenant_id LIKE 'RIVAL_%%' AND turn_id IS NULL"
            )
            return claim_turns(connection, "rivals", 50, 50)

    def _kept(self, caller: Rival, answer: httpx2.Response) -> httpx2.Response:
        caller.heard.append(answer.text + json.dumps(dict(answer.headers)))
        return answer

    def _search_tool(self) -> EmbeddedTool[ShopSearchInput]:
        def search(_asked: ShopSearchInput, run: ToolRun) -> ProductList:
            if self.shop_is_away:
                raise TransientError("shopify_away", f"token {self.secrets.read(run.tenant.scope, PATHS[3])}")
            shop = next(shop for shop in self.shops if shop.tenant_id == run.tenant.tenant_id)
            found = _products(shop)
            self.cache.put(run.tenant.scope, SEARCHED, found.model_dump(mode="json"), self.clock.now())
            return found

        def recall(_asked: ShopSearchInput, run: ToolRun) -> ProductList | None:
            seen = self.cache.latest(run.tenant.scope, SEARCHED, datetime(2020, 1, 1, tzinfo=UTC))
            return None if seen is None else ProductList.model_validate(seen.data)

        spec = ToolSpec(
            name="shopify_search_products",
            title="Search products",
            description="Searches the shop's catalogue.",
            read_only=True,
            input_model=ShopSearchInput,
            output_model=ProductList,
        )
        return EmbeddedTool(spec, "shopify", ShopSearchInput, search, recall)

    def _application(self, per_minute: int) -> ASGIApp:
        rate = TenantRate(per_minute, LimitNotices(self.database, self.clock))
        receiver = Receiver(self.database, self.tenants, self.secrets, self.engine, self.clock, rate, self.refusals)
        taker = WebhookTaker(receiver)
        contracts = load_contracts(default_contracts_dir())
        app = create_app(
            [
                health_router(HealthChecks(dict), self.engine.backlog, OPERATOR),
                webhook_router(taker),
                agent_router(self.agent, self.tenants, self.secrets, rate),
                *tool_doors(
                    self.tools, self.tenants, self.tokens, self.database, self.knowledge, contracts, self.clock,
                    rate=rate, hosts=("127.0.0.1",), public_url=None,
                ),
                operator_router(self.database, OPERATOR),
            ]
        )  # fmt: skip
        app.add_middleware(RefusalsCounted, refusals=self.refusals)
        app.add_middleware(WebhooksFirst, taker=taker)
        return app


@contextmanager
def open_rivals(postgres: EmbeddedPostgres, folder: Path, *, per_minute: int = 1_000_000) -> Iterator[Rivals]:
    """Open the installation; its agent has learnt."""
    rivals = Rivals(postgres, folder, per_minute)
    try:
        rivals.agent.wait_until_ready()
        yield rivals
    finally:
        rivals.close()


def standard(shop: Rival) -> dict[str, str]:
    return {
        "X-SMOS-Tenant-ID": shop.tenant_id,
        "X-SMOS-Conversation-ID": str(shop.conversation_id),
        "X-SMOS-Channel": "whatsapp",
        "X-SMOS-User-Role": "system",
        "X-Chatwoot-Signature": "0" * 64,
    }


def _hours(shop: Rival) -> str:
    return (
        "---\ncategory: horarios\n---\n# Horarios\n\n## ¿Cuál es el horario de atención?\n"
        f"Atendemos en la sucursal {shop.canary}, de lunes a viernes.\n"
    )


def _products(shop: Rival) -> ProductList:
    product = Product(
        id=f"gid://shopify/Product/{shop.account_id}",
        variant_id=f"gid://shopify/ProductVariant/{shop.account_id}",
        title=f"Zapatilla {shop.canary}",
        variant="Talla 42",
        price=shop.account_id,
        stock=5,
        url=f"https://{shop.canary.lower()}.example/products/1",
    )
    return ProductList(products=(product,), total=1)
