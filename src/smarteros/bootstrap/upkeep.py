"""Who keeps the tenants' texts up to date, and the loop of the workers that has it done."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from smarteros.alerts.settings import AlertSettings
from smarteros.alerts.sinks import open_mailer
from smarteros.bootstrap.services import Services
from smarteros.domain.knowledge import Category
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock, SystemClock
from smarteros.knowledge.upkeep.chatwoot_texts import ChatwootTexts
from smarteros.knowledge.upkeep.check import AnswerCheck, Priors
from smarteros.knowledge.upkeep.loop import UpkeepLoop
from smarteros.knowledge.upkeep.notices import UpkeepNotices
from smarteros.knowledge.upkeep.pages import PageReader
from smarteros.knowledge.upkeep.reports import WeeklyReports
from smarteros.knowledge.upkeep.upkeep import KnowledgeUpkeep
from smarteros.settings import Role
from smarteros.store.database import owner_engine
from smarteros.store.locks import OneProcess


@dataclass(frozen=True)
class Upkeep:
    """The parts of the upkeep, for commands and for the loop."""

    texts: KnowledgeUpkeep
    reports: WeeklyReports


def open_upkeep(services: Services, clock: Clock | None = None) -> Upkeep:
    """Return the upkeep over the parts of an installation."""
    clock = clock or SystemClock()
    mailer = open_mailer(AlertSettings(), services.settings.data_dir)
    notices = UpkeepNotices(services.database, mailer, clock)

    def priors_of(tenant: Tenant) -> Priors:
        def priors(text: str) -> Mapping[Category, float]:
            return services.agent.category_priors(tenant.tenant_id, text)

        return priors

    texts = KnowledgeUpkeep(
        database=services.database,
        knowledge=services.knowledge,
        pages=PageReader(services.http, trusted=services.settings.page_origins),
        chatwoot=ChatwootTexts(services.http, services.secrets),
        check=AnswerCheck(services.knowledge, services.embedders, clock),
        notices=notices,
        clock=clock,
        priors=priors_of,
    )
    return Upkeep(texts, WeeklyReports(services.database, notices, clock))


@contextmanager
def kept_up(services: Services, role: Role) -> Generator[None]:
    """Look after the texts while the block runs; an edge leaves that to the workers."""
    if role == "edge":
        yield
        return
    clock = SystemClock()
    upkeep = open_upkeep(services, clock)
    leader = OneProcess(owner_engine(services.database.owner_url), "kb-upkeep")
    loop = UpkeepLoop(upkeep.texts, upkeep.reports, services.tenants.all, leader, clock)
    loop.start()
    try:
        yield
    finally:
        loop.stop()
