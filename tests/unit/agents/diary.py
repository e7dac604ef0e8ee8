"""A shop in a real database whose conversations are written down as the flow writes them."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support import MemorySecrets

from smarteros.agents.native import NativeAgent
from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import (
    ROUTE_OF_INTENT,
    AgentContext,
    AgentMessage,
    AgentRequest,
    Candidate,
    Decision,
    DialogueState,
    Intent,
)
from smarteros.domain.ids import turn_id
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import (
    DecidedTurn,
    Outcome,
    Replied,
    ResolvedTurn,
    ToolsCalled,
    TurnRecord,
    TurnStart,
    TurnStory,
)
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.store.database import Database
from smarteros.store.examples import PostgresExampleStore
from smarteros.store.turn_inputs import save_inputs
from smarteros.store.turns import save_turn
from smarteros.tenants.directory import TenantDirectory

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
_FLOW = "e2e_faq_quick"
_numbers = itertools.count(1)


def clarify(*options: Intent) -> Decision:
    """A question in doubt, asked back with these to choose from."""
    candidates = tuple(Candidate(intent=intent, probability=0.3) for intent in options)
    return Decision(intent=options[0], confidence=0.3, route="clarify", candidates=candidates, options=options)


def sure(intent: Intent, confidence: float = 0.95) -> Decision:
    """A question understood."""
    return Decision(intent=intent, confidence=confidence, route=ROUTE_OF_INTENT[intent])


@dataclass(frozen=True)
class Diary:
    """One tenant; ``say`` writes a turn down."""

    database: Database
    tenant: Tenant
    agent: NativeAgent
    knowledge: KnowledgeBase

    def say(
        self,
        conversation: int,
        text: str,
        decision: Decision,
        *,
        state: DialogueState | None = None,
        outcome: Outcome = "answered",
        ago: timedelta = timedelta(hours=3),
    ) -> None:
        message_id, at = next(_numbers), datetime.now(UTC) - ago
        start = TurnStart(
            turn_id=turn_id(self.tenant.tenant_id, conversation, message_id),
            tenant_id=self.tenant.tenant_id,
            account_id=1,
            conversation_id=conversation,
            message_id=message_id,
            received_at=at,
        )
        message = IncomingMessage(
            id=message_id,
            tenant_id=self.tenant.tenant_id,
            account_id=1,
            conversation_id=conversation,
            inbox_id=1,
            channel="whatsapp",
            contact=Contact(id=5),
            text=text,
            created_at=at,
        )
        record = TurnRecord(
            turn_id=start.turn_id,
            tenant_id=start.tenant_id,
            flow_id=_FLOW,
            conversation_id=conversation,
            message_id=message_id,
            received_at=at,
            finished_at=at,
            outcome=outcome,
            decision=decision,
        )
        story = TurnStory(
            resolved=ResolvedTurn(messages=(message,), state=state or DialogueState()),
            decided=DecidedTurn(flow_id=_FLOW, decision=decision),
            called=ToolsCalled(),
            replied=Replied(outcome=outcome),
        )
        with self.database.tenant(self.tenant.scope) as connection:
            save_turn(connection, record)
            save_inputs(connection, self.tenant, start, story, CONTRACTS.by_id)

    def asks_and_picks(self, conversation: int, text: str, pick: str, *options: Intent) -> None:
        """A question in doubt, and the answer to what was asked back."""
        self.say(conversation, text, clarify(*options))
        self.say(conversation, pick, sure(options[0], 0.97), state=DialogueState(options=options))

    def ask(self, text: str) -> Decision:
        """What the agent makes of a message now."""
        self.agent.prepare(self.tenant.tenant_id)
        return self.agent.decide(
            AgentRequest(
                tenant_id=self.tenant.tenant_id,
                channel="whatsapp",
                conversation_id=1,
                contact=Contact(id=1),
                message=AgentMessage(id=1, content=text),
                context=AgentContext(),
            )
        )

    @property
    def services(self) -> Any:
        """The parts that commands open."""
        return SimpleNamespace(
            database=self.database,
            tenants=TenantDirectory(self.database),
            examples=PostgresExampleStore(self.database),
            knowledge=self.knowledge,
            agent=SimpleNamespace(native=self.agent, prepare=self.agent.prepare, decide=self.agent.decide),
            http=None,
            secrets=MemorySecrets({}),
        )

    @contextmanager
    def open_services(self, _settings: object) -> Generator[Any]:
        """Stand in for opening an installation."""
        yield self.services


def new_diary(database: Database, agent: NativeAgent, knowledge: KnowledgeBase) -> Diary:
    """A shop no other test uses."""
    number = next(_numbers)
    tenant = Tenant(
        tenant_id=f"DIARY_{number}",
        name="Almacén Quemchi",
        rut="76123456-0",
        tenant_key=f"{number:d>24}",
        chatwoot_url="http://127.0.0.1:1",
        chatwoot_account_ids=(7_000_000 + number,),
    )
    TenantDirectory(database).save(tenant)
    return Diary(database, tenant, agent, knowledge)
