"""An installation with one shop whose turns are really decided, worded and recorded; only sending is left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from smarteros.bootstrap import Services, open_services
from smarteros.domain.ids import turn_id
from smarteros.domain.knowledge import Document
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import Product, ProductList, ToolResult
from smarteros.domain.turns import ClaimedTurn, Outcome, Replied, ResolvedTurn, ToolsCalled, TurnStart, TurnStory
from smarteros.flow.audit import AuditStep
from smarteros.flow.context import reply_context
from smarteros.flow.decide import DecideStep
from smarteros.flow.lanes import PLACES
from smarteros.flow.parts import Parts
from smarteros.flow.sources import Sources
from smarteros.flow.wording import written_reply
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.replay.replayer import Replayer
from smarteros.settings import Settings
from smarteros.store.queue import claim_turns, enqueue_turn

HOURS = Document(
    name="horarios.md",
    title="Horarios",
    category="horarios",
    markdown="# Horarios\n\n## ¿Cuál es el horario de atención?\n\nAtendemos de lunes a viernes de 10:00 a 19:00.\n",
    facts={"warranty_days": 90},
)
SHOES = ProductList(
    total=1,
    products=(
        Product(
            id="gid://shopify/Product/1",
            title="Zapatilla Running Azul",
            variant="Talla 42",
            price=39990,
            stock=5,
            url="https://tienda.example/products/zapatilla",
        ),
    ),
)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Installation:
    """Open services on a data directory."""

    data_dir: Path
    services: Services


@dataclass
class Shop:
    """One tenant; ``answer`` is a turn from message to record."""

    services: Services
    tenant: Tenant
    turns: list[str] = field(default_factory=list[str])

    def answer(self, text: str, *results: ToolResult, outcome: Outcome = "answered") -> str:
        """Answer a message and record it; returns the turn's id."""
        parts, turn = self._parts(), self._claimed()
        start = turn.start
        message = IncomingMessage(
            id=start.message_id,
            tenant_id=self.tenant.tenant_id,
            account_id=1,
            conversation_id=start.conversation_id,
            inbox_id=1,
            channel="whatsapp",
            contact=Contact(id=5, name="Camila"),
            text=text,
            created_at=start.received_at,
        )
        resolved = ResolvedTurn(messages=(message,), history=("hola",))
        if outcome == "muted":
            muted = Replied(outcome=outcome)
            AuditStep(parts)(turn, TurnStory(resolved=resolved, decided=None, called=ToolsCalled(), replied=muted))
            return start.turn_id
        decided = DecideStep(parts)(turn, resolved)
        policy = self.services.knowledge.policy(self.tenant.scope)
        facts = reply_context(self.tenant, policy, resolved, decided, results)
        sources = Sources(self.services.knowledge, self.tenant, policy, resolved, decided, results)
        chosen = written_reply(self.services.contracts.get(decided.flow_id), facts, sources)
        replied = Replied(outcome=outcome, rule=chosen.rule, text=chosen.text)
        called = ToolsCalled(results=results)
        AuditStep(parts)(turn, TurnStory(resolved=resolved, decided=decided, called=called, replied=replied))
        return start.turn_id

    def replayer(self, **other: Any) -> Replayer:
        """A replayer over the installation, with another part where one is given."""
        services = self.services
        parts = {"agent": services.agent, "contracts": services.contracts, "knowledge": services.knowledge, **other}
        return Replayer(services.database, services.tenants, **parts)

    def _claimed(self) -> ClaimedTurn:
        """A turn in a worker's hands: the only one that waits."""
        message_id = next(_numbers)
        start = TurnStart(
            turn_id=turn_id(self.tenant.tenant_id, 7, message_id),
            tenant_id=self.tenant.tenant_id,
            account_id=1,
            conversation_id=7,
            message_id=message_id,
            received_at=datetime.now(UTC) - timedelta(seconds=1),
        )
        with self.services.database.tenant(self.tenant.scope) as connection:
            enqueue_turn(connection, start, PLACES["quick"])
        owner = sa.create_engine(self.services.database.owner_url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            (turn,) = claim_turns(connection, "worker", 10, 10)
        return turn

    def _parts(self) -> Parts:
        services = self.services
        return Parts(
            database=services.database,
            tenants=services.tenants,
            channel=cast("Any", None),
            agent=services.agent,
            knowledge=services.knowledge,
            tools=cast("Any", None),
            reader=cast("Any", None),
            contracts=services.contracts,
            contact_keys=KeyWrapping(services.secrets),
        )


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A real installation of its own: PostgreSQL, a trained agent, the project's contracts."""
    data_dir = tmp_path_factory.mktemp("replay")
    with pytest.MonkeyPatch.context() as patch:
        # Also for the command: encoders that are loaded between a turn and its replay are another brain.
        patch.setenv("SMOS_BRAIN", "words")
        with open_services(Settings(data_dir=data_dir)) as services:
            services.agent.wait_until_ready()
            yield Installation(data_dir, services)


@pytest.fixture
def shop(installation: Installation) -> Shop:
    """A shop no other test uses."""
    number = next(_numbers)
    tenant = Tenant(
        tenant_id=f"REPLAY_{number}",
        name="Zapatería Ñandú",
        rut="76123456-0",
        tenant_key=f"{number:k>24}",
        chatwoot_url="http://127.0.0.1:1",
        chatwoot_account_ids=(number,),
    )
    installation.services.tenants.save(tenant)
    installation.services.knowledge.replace(tenant.scope, (HOURS,))
    return Shop(installation.services, tenant)


@pytest.fixture
def found_shoes() -> ToolResult:
    """What the shop's catalogue answered."""
    return ToolResult(tool="shopify_search_products", outcome="ok", data=SHOES.model_dump(mode="json"))
