"""A shop with a site, a Chatwoot, customers who asked, and somebody who keeps its texts up to date."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from typing import Any, cast

from tests.support import MemorySecrets
from tests.unit.agents.diary import Diary, sure
from tests.unit.channels.conftest import Answer, Request, Site
from tests.unit.sandbox.chatwoot_stand import ACCOUNT, Stand

from smarteros.agents.native import NativeAgent
from smarteros.alerts.email import Mailer
from smarteros.domain.alerts import Alert
from smarteros.domain.decisions import Citation, Intent
from smarteros.domain.tenants import Tenant
from smarteros.domain.upkeep import USUAL_INTERVAL, SourceKind, TextSource, UpkeepSettings
from smarteros.kit.clock import FixedClock, SystemClock
from smarteros.kit.http import HttpClient
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.upkeep.chatwoot_texts import ChatwootTexts
from smarteros.knowledge.upkeep.check import AnswerCheck
from smarteros.knowledge.upkeep.notices import UpkeepNotices
from smarteros.knowledge.upkeep.pages import PageReader
from smarteros.knowledge.upkeep.reports import WeeklyReports
from smarteros.knowledge.upkeep.upkeep import KnowledgeUpkeep
from smarteros.store.alerts import open_alerts
from smarteros.store.audit import list_events
from smarteros.store.database import Database
from smarteros.store.documents import PostgresDocumentStore

OWNER = "duena@nandu.example"
PAYING, SHIPPING = "¿Cómo se paga?", "¿Despachan a regiones?"
_numbers = itertools.count(1)


class FaqPage:
    """The FAQ page of a site; it says by its ETag whether it has changed, unless told not to."""

    def __init__(self, site: Site) -> None:
        self.answers: dict[str, str] = {PAYING: "Con débito.", SHIPPING: "Sí, por Starken."}
        self.status = 200
        self.says_state = True
        self.sent = 0
        site.answer = self._answer
        self.url = f"{site.url}/faq"

    def _answer(self, request: Request) -> Answer:
        if self.status != 200:
            return Answer(self.status)
        body = "".join(f"<h2>{question}</h2><p>{text}</p>" for question, text in self.answers.items()).encode()
        etag = f'"{hash(body)}"'
        if self.says_state and request.headers.get("if-none-match") == etag:
            return Answer(304)
        self.sent += 1
        return Answer(200, body, {"Content-Type": "text/html", **({"ETag": etag} if self.says_state else {})})


@dataclass
class Upkept:
    """The shop. ``mails`` are those that were sent."""

    database: Database
    http: HttpClient
    site: Site
    stand: Stand | None = None
    chatwoot_url: str = "http://127.0.0.1:1"
    mails: list[EmailMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tenant = Tenant(
            tenant_id=f"UPKEEP_{next(_numbers)}_{threading.get_native_id()}",
            name="Zapatería Ñandú",
            rut="76123456-0",
            tenant_key="k" * 24,
            chatwoot_url=self.chatwoot_url,
            chatwoot_account_ids=(ACCOUNT,),
            kb=UpkeepSettings(owner_email=OWNER),
        )
        token = self.stand.token if self.stand is not None else "none"
        self.secrets = MemorySecrets({(self.tenant.tenant_id, "chatwoot/user_token"): token})
        self.clock = FixedClock(SystemClock().now())
        self.knowledge = EmbeddedKnowledgeBase(PostgresDocumentStore(self.database), clock=self.clock)
        self.notices = UpkeepNotices(self.database, Mailer(self.deliver, "bot@smarteros.example"), self.clock)
        self.upkeep = KnowledgeUpkeep(
            database=self.database,
            knowledge=self.knowledge,
            pages=PageReader(self.http, trusted=(self.site.url,)),
            chatwoot=ChatwootTexts(self.http, self.secrets),
            check=AnswerCheck(self.knowledge, None, self.clock),
            notices=self.notices,
            clock=self.clock,
            priors=lambda _tenant: lambda _text: None,
        )
        self.reports = WeeklyReports(self.database, self.notices, self.clock)

    def deliver(self, mail: EmailMessage) -> None:
        self.mails.append(mail)

    def add(self, kind: SourceKind, name: str, address: str = "", **more: Any) -> None:
        now = self.clock.now()
        every = more.pop("every", USUAL_INTERVAL[kind])
        source = TextSource(name=name, kind=kind, address=address, every=every, added_at=now, next_at=now, **more)
        self.upkeep.add(self.tenant, source)

    def sync(self, name: str = "faq") -> str:
        return self.upkeep.sync(self.tenant, name).outcome

    def source(self, name: str = "faq") -> TextSource:
        return next(each for each in self.upkeep.sources(self.tenant) if each.name == name)

    def asked(self, text: str, intent: Intent) -> None:
        """A customer asked yesterday and was answered from the shop's texts."""
        decision = sure(intent).model_copy(
            update={"rag_context": (Citation(document="faq", title="-", text="-", score=1.0),)}
        )
        diary = Diary(self.database, self.tenant, cast("NativeAgent", None), self.knowledge)
        diary.say(next(_numbers), text, decision, ago=timedelta(days=1))

    def answer(self, question: str) -> str | None:
        hits = self.knowledge.search(self.tenant.scope, question, limit=1)
        return hits[0].passage.text if hits else None

    def versions(self) -> int:
        return len(self.knowledge.versions(self.tenant.scope))

    def alerts(self) -> Sequence[Alert]:
        with self.database.tenant(self.tenant.scope) as connection:
            return open_alerts(connection, self.tenant.tenant_id)

    def audited(self) -> list[str]:
        with self.database.tenant(self.tenant.scope) as connection:
            return [event.kind for event in list_events(connection, self.tenant.tenant_id, None, 100)]
