"""An installation at work: the durable engine over the parts, and the web application of a role."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from fastapi import APIRouter, FastAPI

from smarteros.agents.native import NativeAgent
from smarteros.agents.shadow import ShadowAgent
from smarteros.bootstrap.alerts import alertmanager_bridge, watched_alerts
from smarteros.bootstrap.audit import open_audit_loop, open_audit_retention
from smarteros.bootstrap.brains import contract_examples
from smarteros.bootstrap.console import console
from smarteros.bootstrap.dedicated import kept_passed_on
from smarteros.bootstrap.health import health_checks
from smarteros.bootstrap.probes import probes_asked
from smarteros.bootstrap.services import Services
from smarteros.bootstrap.upkeep import kept_up
from smarteros.channels.chatwoot.history import ChatwootHistory
from smarteros.contracts.loader import load_contracts
from smarteros.edge.agent_api import agent_router
from smarteros.edge.app import create_app
from smarteros.edge.health import HealthChecks, health_router
from smarteros.edge.operator_api import operator_router
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.receive import Receiver
from smarteros.edge.refusals import Refusals, RefusalsCounted
from smarteros.edge.shopify_webhooks import shopify_webhook_router
from smarteros.edge.status_page import status_router
from smarteros.edge.tool_doors import tool_doors
from smarteros.edge.turn_api import TurnDoor, turn_router
from smarteros.edge.ucp_profile import ucp_profile_router
from smarteros.edge.webhooks import WebhooksFirst, WebhookTaker, webhook_router
from smarteros.flow.backlog import watch_backlog
from smarteros.flow.engine import Engine
from smarteros.flow.lanes import SlowLane, slow_places
from smarteros.flow.orchestrated import OrchestratedTurns
from smarteros.flow.parts import Parts
from smarteros.flow.workflow import TurnWorkflow
from smarteros.kit.clock import Clock, SystemClock
from smarteros.observability.turns import expect_turns
from smarteros.privacy.retention import Retention, RetentionLoop
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.reconcile.api import reconcile_router
from smarteros.reconcile.catch_up import CatchUpLimits
from smarteros.reconcile.loop import ReconcileLoop
from smarteros.reconcile.reconciler import Reconciler
from smarteros.secrets.opening import is_key_beside_data
from smarteros.settings import Role, Settings
from smarteros.tenants.limit_notices import LimitNotices

_log = structlog.get_logger()


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
    expect_turns((tenant.tenant_id for tenant in services.tenants.all()), services.contracts.by_id)
    _warn_of_key(services.settings)
    with ExitStack() as stack:
        parts = _parts(services, clock, role, stack)
        workflow = TurnWorkflow(parts)
        engine = _engine(services, parts, workflow, role, drain_s)
        notices = LimitNotices(services.database, clock)
        stack.callback(notices.close)
        # Customers and programs have a share each: a script must not cost a shop its answers.
        messages, requests = (TenantRate(services.settings.requests_per_minute, notices) for _ in range(2))
        refusals = Refusals(services.database, clock)
        refusals.start()
        stack.callback(refusals.stop)
        receiver = Receiver(services.database, services.tenants, services.secrets, engine, clock, messages, refusals)
        reconciler = _reconciler(services, receiver, clock)
        catalogue_loop, shop_events = services.catalogues.begin(services.tenants.all, compares=role != "edge")
        stack.callback(catalogue_loop.stop)
        audit_loop = None if role == "edge" else open_audit_loop(services)
        if audit_loop is not None:
            stack.callback(audit_loop.stop)
        health = HealthChecks(lambda: health_checks(services, engine, role, audit_loop))
        stack.callback(health.close)
        routers = [health_router(health, engine.backlog, services.operator_token)]
        webhooks = WebhookTaker(receiver)
        if role != "worker":
            routers += [
                webhook_router(webhooks),
                shopify_webhook_router(services.tenants, services.secrets, shop_events, receiver.audit_refusal),
                _agent_door(services, requests),
                _turn_door(services, webhooks, OrchestratedTurns(parts, workflow)),
                *_tool_doors(services, clock, requests),
                operator_router(services.database, services.operator_token),
                reconcile_router(reconciler, services.tenants, services.operator_token),
                console(services, engine, health),
                status_router(services.database, services.tenants, clock),
                ucp_profile_router(),
                alertmanager_bridge(services),
                *extra_routers,
            ]
        app = create_app(routers)
        if role != "worker":
            app.add_middleware(RefusalsCounted, refusals=refusals)
            app.add_middleware(WebhooksFirst, taker=webhooks)
        if role != "edge":
            _warm_up(services)
            _sweep(services, reconciler, clock, stack)
            stack.enter_context(kept_passed_on(services, receiver, clock))
        stack.enter_context(probes_asked(services, health, clock, role))
        stack.enter_context(watched_alerts(services, role, engine.backlog))
        stack.enter_context(kept_up(services, role))
        # Last, so that it ends first: running turns may finish while everything they need is still there.
        engine.start()
        stack.callback(engine.stop)
        yield Runtime(app=app, services=services, receiver=receiver, engine=engine)


def _parts(services: Services, clock: Clock, role: Role, stack: ExitStack) -> Parts:
    """Return what turns work with: in a worker, and in an edge for those another orchestrator leads."""
    shadow = None if role == "edge" else _shadow(services)
    if shadow is not None:
        stack.callback(shadow.close)
    return Parts(
        database=services.database,
        tenants=services.tenants,
        channel=services.channel,
        agent=shadow or services.agent,
        knowledge=services.knowledge,
        tools=services.tools,
        reader=services.reader,
        contracts=services.contracts,
        contact_keys=KeyWrapping(services.secrets),
        links=services.links,
        clock=clock,
        slow_lane=SlowLane(slow_places(services.settings.worker_threads)),
    )


def _engine(services: Services, parts: Parts, workflow: TurnWorkflow, role: Role, drain_s: int) -> Engine:
    """Return the durable engine over the parts, to be started; of an edge it only takes turns in."""
    if role != "edge":  # an edge is seldom asked, and learning would keep its webhooks waiting
        services.agent.prepare_soon([tenant.tenant_id for tenant in services.tenants.all() if tenant.active])
    engine = Engine(
        services.database.owner_url,
        None if role == "edge" else workflow.run,
        poll_ms=services.settings.queue_poll_ms,
        worker_threads=services.settings.worker_threads,
        slow_lane=parts.slow_lane,
        drain_s=drain_s,
    )
    watch_backlog(engine.backlog)
    return engine


def _agent_door(services: Services, requests: TenantRate) -> APIRouter:
    agent = services.agent
    return agent_router(agent, services.tenants, services.secrets, requests, services.turn_tokens, earlier=agent.native)


def _turn_door(services: Services, taker: WebhookTaker, turns: OrchestratedTurns) -> APIRouter:
    return turn_router(TurnDoor(taker, turns, services.turn_tokens, services.tenants, services.contracts))


def _reconciler(services: Services, receiver: Receiver, clock: Clock) -> Reconciler:
    settings = services.settings
    limits = CatchUpLimits(
        answer_within=timedelta(minutes=settings.reconcile_answer_within_min),
        apologise_within=timedelta(hours=settings.reconcile_apologise_within_h),
    )
    history = ChatwootHistory(services.http, services.secrets)
    return Reconciler(services.database, services.channel, history, receiver, services.hand_overs, clock, limits=limits)


def _sweep(services: Services, reconciler: Reconciler, clock: Clock, stack: ExitStack) -> None:
    """Look for lost messages, and remove what has been kept long enough, until the stack is closed."""
    wrapping = KeyWrapping(services.secrets)
    audit = open_audit_retention(services, clock)
    if audit is not None:
        stack.callback(audit.close)
    for loop in (
        RetentionLoop(
            (Retention(services.database, clock).sweep, partial(wrapping.rewrap, services.database)),
            services.tenants.at_home,
            () if audit is None else (audit.sweep,),
        ),
        ReconcileLoop(reconciler, services.tenants.all),
    ):
        loop.start()
        stack.callback(loop.stop)


def _warn_of_key(settings: Settings) -> None:
    if is_key_beside_data(settings):
        _log.warning(
            "secrets_key_beside_data", remedy="set SMOS_SECRETS_KEY or SMOS_SECRETS_KEY_FILE (docs/secrets.md)"
        )


def _warm_up(services: Services) -> None:
    """Load in the background what the first turns would have to wait for."""
    services.language_model.load_soon(tenant.llm for tenant in services.tenants.all() if tenant.llm)
    if services.settings.warm_documents:
        services.reader.worker.warm_up_soon()


def _shadow(services: Services) -> ShadowAgent | None:
    """Return the agent with a second one behind it, if one is asked for. ConfigError when its contracts are amiss."""
    settings = services.settings
    if settings.shadow is None and settings.shadow_contracts is None:
        return None
    contracts = services.contracts if settings.shadow_contracts is None else load_contracts(settings.shadow_contracts)
    second = NativeAgent(
        services.knowledge,
        extra_examples=contract_examples(contracts),
        embedders=services.embedders,
        examples=services.examples,
    )
    return ShadowAgent(services.agent, second)


def _tool_doors(services: Services, clock: Clock, rate: TenantRate) -> tuple[APIRouter, ...]:
    return tool_doors(
        services.tools,
        services.tenants,
        services.tokens,
        services.database,
        services.knowledge,
        services.contracts,
        clock,
        rate=rate,
        hosts=services.settings.hosts,
        public_url=services.settings.public_url,
    )
