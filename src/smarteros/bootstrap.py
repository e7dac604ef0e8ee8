"""The only place that chooses implementations: one line per role.

``open_services`` gives commands the parts they need; ``open_runtime`` adds the durable engine and the web application.
"""

from __future__ import annotations

import base64
import hashlib
import secrets as random_secrets
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from fastapi import APIRouter, FastAPI

from smarteros.agents.llm.agent import LlmAgent
from smarteros.agents.llm.protocol import LanguageModel, LlmLedger
from smarteros.agents.llm.pydantic_ai_model import PydanticAiModel
from smarteros.agents.llm.recorded import RecordedLlmAgent
from smarteros.agents.llm.stored_ledger import PostgresLlmLedger
from smarteros.agents.native import NativeAgent
from smarteros.agents.shadow import ShadowAgent
from smarteros.agents.tenant_agents import TenantAgents
from smarteros.agents.training.protocol import ExampleStore
from smarteros.channels.chatwoot.channel import ChatwootChannel
from smarteros.channels.chatwoot.history import ChatwootHistory
from smarteros.channels.hand_overs import HandOverMemory
from smarteros.channels.protocol import Channel
from smarteros.contracts.loader import ContractSet, load_contracts
from smarteros.documents.fallback import OcrEngines, confidence_of
from smarteros.documents.local import DocumentWorker, LocalOcrEngine, jpeg_in
from smarteros.documents.protocol import OcrEngine
from smarteros.documents.reader import DocumentReader
from smarteros.documents.timbre.keys import with_test_keys
from smarteros.documents.timbre.verify import TimbreVerifier
from smarteros.documents.vision import VisionOcrEngine
from smarteros.documents.vision_books import PostgresVisionBooks, VisionBooks
from smarteros.domain.decisions import Intent
from smarteros.domain.llm import LlmSettings
from smarteros.domain.tenants import Tenant
from smarteros.edge.agent_api import agent_router
from smarteros.edge.app import create_app
from smarteros.edge.health import Check, HealthChecks, health_router
from smarteros.edge.operator_api import operator_router
from smarteros.edge.receive import Receiver
from smarteros.edge.shopify_webhooks import shopify_webhook_router
from smarteros.edge.tokens import TenantTokens
from smarteros.edge.tool_doors import tool_doors
from smarteros.edge.webhooks import ACCEPTED_AT_A_TIME, WebhooksFirst, WebhookTaker, webhook_router
from smarteros.embedders.loading import Embedders
from smarteros.flow.backlog import watch_backlog
from smarteros.flow.engine import Engine
from smarteros.flow.lanes import SlowLane, slow_places
from smarteros.flow.parts import Parts
from smarteros.flow.workflow import TurnWorkflow
from smarteros.kit.clock import Clock, SystemClock
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.reconcile.api import reconcile_router
from smarteros.reconcile.catch_up import CatchUpLimits
from smarteros.reconcile.loop import ReconcileLoop
from smarteros.reconcile.reconciler import Reconciler
from smarteros.secrets.opening import is_key_beside_data, open_secret_store, secret_keys
from smarteros.secrets.protocol import SecretKeeper, SecretStore
from smarteros.settings import Role, Settings
from smarteros.store.database import Database, migrate
from smarteros.store.documents import PostgresDocumentStore
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.examples import PostgresExampleStore
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.mirror.opening import ShopCatalogues
from smarteros.tools.protocol import ToolProvider
from smarteros.tools.stored_cache import PostgresToolCache

_log = structlog.get_logger()


@dataclass(frozen=True)
class Services:
    """The parts of one installation, each behind its Protocol."""

    settings: Settings
    database: Database
    tenants: TenantDirectory
    secrets: SecretKeeper
    contracts: ContractSet
    knowledge: KnowledgeBase
    embedders: Embedders
    examples: ExampleStore
    agent: TenantAgents
    language_model: PydanticAiModel
    llm_ledger: LlmLedger
    channel: Channel
    tools: ToolProvider
    catalogues: ShopCatalogues
    reader: DocumentReader
    http: HttpClient
    tokens: TenantTokens
    operator_token: str


@contextmanager
def open_services(settings: Settings | None = None) -> Generator[Services]:
    """Open the parts without working on turns. Raises ConfigError with one clear sentence for each thing amiss."""
    settings = settings or Settings()
    contracts = load_contracts(settings.contracts_dir)
    with ExitStack() as stack:
        owner_url, app_url = _database_urls(settings, stack)
        migrate(owner_url)
        database = Database(owner_url, app_url, pool_size=settings.worker_threads + ACCEPTED_AT_A_TIME)
        stack.callback(database.dispose)
        http = HttpClient()
        stack.callback(http.close)
        keys = secret_keys(settings)
        key = keys.read()[0]  # also signs tokens: they end with a key that is changed
        tenants = TenantDirectory(database)
        secrets = open_secret_store(settings, keys, tenants.is_suspended, stack)
        embedders = Embedders(settings.brain, cache=settings.data_dir / "encoders")
        knowledge = EmbeddedKnowledgeBase(PostgresDocumentStore(database), encoders=embedders)
        clock = SystemClock()
        catalogues = ShopCatalogues.open(http, secrets, database, clock, settings.shopify_api_version)
        reader = _document_reader(settings, secrets, catalogues, PostgresVisionBooks(database))
        stack.callback(reader.close)
        language_model = PydanticAiModel()
        stack.callback(language_model.close)
        llm_ledger = PostgresLlmLedger(database)
        examples = PostgresExampleStore(database)
        cache = PostgresToolCache(database)
        native = NativeAgent(
            knowledge,
            extra_examples=_examples(contracts),
            embedders=embedders,
            examples=examples,
            catalogue=catalogues.seen_titles(cache),
        )
        yield Services(
            settings=settings,
            database=database,
            tenants=tenants,
            secrets=secrets,
            contracts=contracts,
            knowledge=knowledge,
            embedders=embedders,
            examples=examples,
            agent=_tenant_agents(native, language_model, llm_ledger, tenants, secrets, contracts, settings),
            language_model=language_model,
            llm_ledger=llm_ledger,
            channel=ChatwootChannel(http, secrets, handed_over=HandOverMemory(database, clock)),
            tools=embedded_tools(
                http=http,
                secrets=secrets,
                cache=cache,
                policy_of=knowledge.policy,
                shopify=catalogues.client,
                catalogue_copy=catalogues.copies,
            ),
            catalogues=catalogues,
            reader=reader,
            http=http,
            tokens=TenantTokens(_derived(key, "tenant-tokens"), clock),
            operator_token=_operator_token(settings, key),
        )


@dataclass(frozen=True)
class Runtime:
    """An installation at work: the application to serve, and the parts behind it."""

    app: FastAPI
    services: Services
    receiver: Receiver
    engine: Engine


@contextmanager
def open_runtime(
    services: Services, extra_routers: tuple[APIRouter, ...] = (), *, role: Role = "all", drain_s: int = 1
) -> Generator[Runtime]:
    """Start the durable engine over the parts and build the web application of a role.

    ``edge`` accepts and runs no turns, ``worker`` runs turns and tells its health, ``all`` does both. ``drain_s`` is
    how long running turns may take to finish in the end.
    """
    clock = SystemClock()
    if is_key_beside_data(services.settings):
        _log.warning(
            "secrets_key_beside_data", remedy="set SMOS_SECRETS_KEY or SMOS_SECRETS_KEY_FILE (docs/secrets.md)"
        )
    shadow = None if role == "edge" else _shadow(services)
    slow_lane = SlowLane(slow_places(services.settings.worker_threads))
    parts = Parts(
        database=services.database,
        tenants=services.tenants,
        channel=services.channel,
        agent=shadow or services.agent,
        knowledge=services.knowledge,
        tools=services.tools,
        reader=services.reader,
        contracts=services.contracts,
        clock=clock,
        slow_lane=slow_lane,
    )
    if role != "edge":  # an edge is seldom asked, and learning would keep its webhooks waiting
        services.agent.prepare_soon([tenant.tenant_id for tenant in services.tenants.all() if tenant.active])
    engine = Engine(
        services.database.owner_url,
        None if role == "edge" else TurnWorkflow(parts).run,
        poll_ms=services.settings.queue_poll_ms,
        worker_threads=services.settings.worker_threads,
        slow_lane=slow_lane,
        drain_s=drain_s,
    )
    engine.start()
    watch_backlog(engine.backlog)
    receiver = Receiver(services.database, services.tenants, services.secrets, engine, clock)
    reconciler = Reconciler(
        services.database,
        services.channel,
        ChatwootHistory(services.http, services.secrets),
        receiver,
        clock,
        limits=_catch_up_limits(services.settings),
    )
    reconcile_loop = ReconcileLoop(reconciler, services.tenants.all)
    catalogue_loop, shop_events = services.catalogues.begin(services.tenants.all, compares=role != "edge")
    webhooks = WebhookTaker(receiver)
    health = HealthChecks(lambda: _checks(services, engine, role))
    routers = [health_router(health, engine.backlog, services.operator_token)]
    if role != "worker":
        routers += [
            webhook_router(webhooks),
            shopify_webhook_router(services.tenants, services.secrets, shop_events, receiver.audit_refusal),
            agent_router(services.agent, services.tenants, services.secrets),
            *_tool_doors(services, clock),
            operator_router(services.database, services.operator_token),
            reconcile_router(reconciler, services.tenants, services.operator_token),
            *extra_routers,
        ]
    app = create_app(routers)
    if role != "worker":
        app.add_middleware(WebhooksFirst, taker=webhooks)
    if role != "edge":
        services.language_model.load_soon(tenant.llm for tenant in services.tenants.all() if tenant.llm)
        reconcile_loop.start()
        if services.settings.warm_documents:
            services.reader.worker.warm_up_soon()
    try:
        yield Runtime(app=app, services=services, receiver=receiver, engine=engine)
    finally:
        reconcile_loop.stop()
        catalogue_loop.stop()
        health.close()
        engine.stop()
        if shadow is not None:
            shadow.close()


def _tenant_agents(
    native: NativeAgent,
    model: LanguageModel,
    ledger: LlmLedger,
    tenants: TenantDirectory,
    secrets: SecretStore,
    contracts: ContractSet,
    settings: Settings,
) -> TenantAgents:
    """Return the agent of every tenant: the native one, improved by a language model where the tenant has one."""

    def model_of(tenant_id: str) -> LlmSettings | None:
        tenant = tenants.find(tenant_id)
        return tenant.llm if tenant is not None else None

    places = max(1, settings.worker_threads // 2)  # turns that wait for a model never hold all threads
    with_model = LlmAgent(native, model_of, model, ledger, secrets, contracts, most_at_once=places)
    return TenantAgents(native, with_model, recorded=RecordedLlmAgent(native, ledger, contracts))


def _shadow(services: Services) -> ShadowAgent | None:
    """Return the agent with a second one behind it, if one is asked for. ConfigError when its contracts are amiss."""
    settings = services.settings
    if settings.shadow is None and settings.shadow_contracts is None:
        return None
    contracts = services.contracts if settings.shadow_contracts is None else load_contracts(settings.shadow_contracts)
    second = NativeAgent(
        services.knowledge,
        extra_examples=_examples(contracts),
        embedders=services.embedders,
        examples=services.examples,
    )
    return ShadowAgent(services.agent, second)


def _tool_doors(services: Services, clock: Clock) -> tuple[APIRouter, ...]:
    return tool_doors(
        services.tools,
        services.tenants,
        services.tokens,
        services.database,
        services.knowledge,
        services.contracts,
        clock,
        per_minute=services.settings.requests_per_minute,
        hosts=services.settings.hosts,
        public_url=services.settings.public_url,
    )


def _catch_up_limits(settings: Settings) -> CatchUpLimits:
    return CatchUpLimits(
        answer_within=timedelta(minutes=settings.reconcile_answer_within_min),
        apologise_within=timedelta(hours=settings.reconcile_apologise_within_h),
    )


def _document_reader(cfg: Settings, secrets: SecretStore, shops: ShopCatalogues, books: VisionBooks) -> DocumentReader:
    worker = DocumentWorker(processes=cfg.document_workers)

    def cloud_of(shop: Tenant) -> OcrEngine:
        return VisionOcrEngine(shops.client.http, secrets, shop.scope, cfg.vision_url, shrink=partial(jpeg_in, worker))

    engines = OcrEngines(LocalOcrEngine(worker), cloud_of, confidence_of, books)
    verifier = TimbreVerifier(with_test_keys(cfg.timbre_keys))
    return DocumentReader(engines.of, worker, verifier, catalogue_of=shops.invoice_titles().of)


def _examples(contracts: ContractSet) -> dict[Intent, tuple[str, ...]]:
    """Gather the example messages of all contracts."""
    gathered: dict[Intent, tuple[str, ...]] = {}
    for contract in contracts.by_id.values():
        for intent, texts in contract.agent.examples.items():
            gathered[intent] = (*gathered.get(intent, ()), *texts)
    return gathered


def _database_urls(settings: Settings, stack: ExitStack) -> tuple[str, str]:
    """Return the URLs of the owner and of the application's role."""
    if settings.database_url is not None:
        return settings.database_url, settings.app_database_url or settings.database_url
    postgres = stack.enter_context(EmbeddedPostgres(settings.data_dir / "postgres"))
    return postgres.url(), postgres.url("smos_app")


def _derived(key: str, purpose: str) -> bytes:
    return hashlib.sha256(f"{purpose}:{key}".encode()).digest()


def _operator_token(settings: Settings, key: str) -> str:
    if settings.operator_token is not None:
        return settings.operator_token.get_secret_value()
    return base64.urlsafe_b64encode(_derived(key, "operator")).decode().rstrip("=")


def new_tenant_key() -> str:
    """Return the unguessable part of a tenant's webhook URL."""
    return random_secrets.token_urlsafe(24)


def _checks(services: Services, engine: Engine, role: Role) -> dict[str, Check]:
    """Name the dependencies: our own parts, and the outside systems of the tenants, each address once."""
    checks: dict[str, Check] = {
        "store": services.database.ping,
        "engine": lambda: engine.running,
        "agent": lambda: services.agent.usable if role == "edge" else services.agent.ready,
        "tools": lambda: bool(services.tools.specs()),
    }
    if services.settings.secrets == "vault":
        checks["vault"] = services.secrets.answers
    for tenant in services.tenants.all():
        for name, url in _outside_urls(services, tenant):
            checks.setdefault(name, lambda url=url: _answers(services.http, url))
    return checks


def _outside_urls(services: Services, tenant: Tenant) -> list[tuple[str, str]]:
    uses_odoo = any("odoo/instance_url" in each.secrets for each in services.contracts.by_id.values())
    odoo = services.secrets.find(tenant.scope, "odoo/instance_url") if uses_odoo else None
    urls = [("chatwoot", f"{tenant.chatwoot_url}/health")]
    if tenant.shopify_url:
        urls.append(("shopify", tenant.shopify_url))
    if odoo:
        urls.append(("odoo", f"{odoo}/web/version"))
    return urls


def _answers(http: HttpClient, url: str) -> bool:
    """Tell whether anybody answers there; a refusal is an answer, a broken server is not."""
    try:
        http.request("GET", url, timeout_s=1.5)
    except HttpFault as fault:
        return fault.status is not None and fault.status < 500
    return True
