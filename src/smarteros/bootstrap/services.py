"""The parts of an installation: one line for each role chooses who plays it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from smarteros.agents.botpress.client import HttpBots
from smarteros.agents.llm.protocol import LlmLedger
from smarteros.agents.llm.pydantic_ai_model import PydanticAiModel, provider_model
from smarteros.agents.llm.stored_ledger import PostgresLlmLedger
from smarteros.agents.native import NativeAgent
from smarteros.agents.tenant_agents import TenantAgents
from smarteros.agents.training.protocol import ExampleStore
from smarteros.bootstrap.brains import contract_examples, tenant_agents
from smarteros.channels.chatwoot.channel import ChatwootChannel
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
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.edge.capacity import ACCEPTED_AT_A_TIME
from smarteros.edge.tokens import TenantTokens
from smarteros.edge.turn_tokens import TurnTokens
from smarteros.embedders.loading import Embedders
from smarteros.flow.hand_overs import HandOvers
from smarteros.flow.links import Links
from smarteros.kit.addresses import AddressGuard
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.observability.tracing import open_tracing
from smarteros.secrets.opening import open_secret_store, secret_keys
from smarteros.secrets.protocol import SecretKeeper, SecretStore
from smarteros.settings import Settings
from smarteros.store.database import Database, migrate
from smarteros.store.documents import PostgresDocumentStore
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.examples import PostgresExampleStore
from smarteros.store.spend import SpendCap
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.limit_notices import LimitNotices
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.mirror.opening import ShopCatalogues
from smarteros.tools.protocol import ToolProvider
from smarteros.tools.stored_cache import PostgresToolCache


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
    turn_tokens: TurnTokens
    operator_token: str

    @property
    def links(self) -> Links:
        """Addresses in the notes for the shops' people."""
        return Links(self.settings.people_url, self.secrets)

    @property
    def hand_overs(self) -> HandOvers:
        """How conversations are given to people outside a turn."""
        return HandOvers(self.channel, self.contracts, self.links)


@contextmanager
def open_services(settings: Settings | None = None) -> Generator[Services]:
    """Open the parts without working on turns. Raises ConfigError with one clear sentence for each thing amiss."""
    settings = settings or Settings()
    contracts = load_contracts(settings.contracts_dir)
    with ExitStack() as stack:
        stack.callback(open_tracing(settings.otlp_url))
        owner_url, app_url = database_urls(settings, stack)
        migrate(owner_url)
        database = Database(owner_url, app_url, pool_size=settings.worker_threads + ACCEPTED_AT_A_TIME)
        stack.callback(database.dispose)
        hosts = settings.private_hosts
        guard = AddressGuard(None if hosts is None else frozenset(host.lower() for host in hosts))
        http = HttpClient(guard=guard)
        stack.callback(http.close)
        keys = secret_keys(settings)
        key = keys.read()[0]  # also signs tokens: they end with a key that is changed
        tenants = TenantDirectory(database)
        secrets = open_secret_store(settings, keys, tenants.is_suspended, stack)
        embedders = Embedders(settings.brain, cache=settings.data_dir / "encoders")
        knowledge = EmbeddedKnowledgeBase(PostgresDocumentStore(database), encoders=embedders)
        clock = SystemClock()
        catalogues = ShopCatalogues.open(
            http, secrets, database, clock, settings.shopify_api_version, settings.public_url
        )
        cap = _spend_cap(tenants, LimitNotices(database, clock))
        reader = _document_reader(settings, secrets, catalogues, PostgresVisionBooks(database, cap))
        stack.callback(reader.close)
        language_model = PydanticAiModel(partial(provider_model, guard=guard))
        stack.callback(language_model.close)
        llm_ledger = PostgresLlmLedger(database, cap)
        examples = PostgresExampleStore(database)
        cache = PostgresToolCache(database)
        native = NativeAgent(
            knowledge,
            extra_examples=contract_examples(contracts),
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
            agent=tenant_agents(
                native, language_model, HttpBots(http), llm_ledger, tenants, secrets, contracts, settings
            ),
            language_model=language_model,
            llm_ledger=llm_ledger,
            channel=ChatwootChannel(http, secrets, handed_over=HandOverMemory(database, clock)),
            tools=embedded_tools(
                http=http,
                secrets=secrets,
                cache=cache,
                policy_of=knowledge.policy,
                shopify=catalogues.client,
                ucp=catalogues.ucp,
                catalogue_copy=catalogues.copies,
            ),
            catalogues=catalogues,
            reader=reader,
            http=http,
            tokens=TenantTokens(_derived(key, "tenant-tokens"), clock),
            turn_tokens=TurnTokens(_derived(key, "turn-tokens"), clock),
            operator_token=operator_token(settings, key),
        )


def _spend_cap(tenants: TenantDirectory, notices: LimitNotices) -> SpendCap:
    """The limit of each tenant's money; one that is not known (any more) may spend nothing."""

    def cents_of(scope: TenantScope) -> int | None:
        tenant = tenants.find(scope.tenant_id)
        return 0 if tenant is None else tenant.may_use.monthly_usd_cents

    return SpendCap(cents_of, lambda scope: notices.tell(scope, "monthly_spend"))


def _document_reader(cfg: Settings, secrets: SecretStore, shops: ShopCatalogues, books: VisionBooks) -> DocumentReader:
    worker = DocumentWorker(processes=cfg.document_workers)

    def cloud_of(shop: Tenant) -> OcrEngine:
        return VisionOcrEngine(shops.client.http, secrets, shop.scope, cfg.vision_url, shrink=partial(jpeg_in, worker))

    engines = OcrEngines(LocalOcrEngine(worker), cloud_of, confidence_of, books)
    verifier = TimbreVerifier(with_test_keys(cfg.timbre_keys))
    return DocumentReader(engines.of, worker, verifier, catalogue_of=shops.invoice_titles().of)


def database_urls(settings: Settings, stack: ExitStack) -> tuple[str, str]:
    """Return the URLs of the owner and of the application's role."""
    if settings.database_url is not None:
        return settings.database_url, settings.app_database_url or settings.database_url
    postgres = stack.enter_context(EmbeddedPostgres(settings.data_dir / "postgres"))
    return postgres.url(), postgres.url("smos_app")


def _derived(key: str, purpose: str) -> bytes:
    return hashlib.sha256(f"{purpose}:{key}".encode()).digest()


def operator_token(settings: Settings, key: str) -> str:
    """Return the bearer of the operator's API: the one that was set, or one made of the installation's key."""
    if settings.operator_token is not None:
        return settings.operator_token.get_secret_value()
    return base64.urlsafe_b64encode(_derived(key, "operator")).decode().rstrip("=")
