"""What the console is made of; put together in ``bootstrap``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from smarteros.agents.llm.protocol import LlmCall
from smarteros.console.access import Access
from smarteros.console.invitations import Invitations
from smarteros.contracts.loader import ContractSet
from smarteros.domain.audit_chain import AuditSeal
from smarteros.domain.people import Person
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.edge.health import Health
from smarteros.flow.engine import Engine
from smarteros.flow.hand_overs import HandOvers
from smarteros.kit.clock import Clock
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.knowledge.upkeep.upkeep import KnowledgeUpkeep
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory


class PlayedAgain(Protocol):
    """What deciding a recorded turn again showed; see ``replay.report.ReplayResult``."""

    @property
    def verdict(self) -> str:
        """Same, different or not_replayable."""
        ...

    def in_words(self) -> list[str]:
        """Write the result in lines."""
        ...


@dataclass(frozen=True)
class ConsoleParts:
    """The parts behind the pages.

    ``play_again`` decides a turn once more and sends nothing; ``llm_calls`` are those made for one message of a
    conversation; ``seal`` is what the audit's chains are checked with; ``public_url`` is the beginning of one-time
    links, by default the address the page was asked by; ``alerts_elsewhere`` says that Alertmanager has the silences.
    """

    database: Database
    tenants: TenantDirectory
    knowledge: KnowledgeBase
    upkeep: KnowledgeUpkeep
    contracts: ContractSet
    hand_overs: HandOvers
    engine: Engine
    clock: Clock
    access: Access
    invitations: Invitations
    health: Callable[[], Health]
    play_again: Callable[[str], PlayedAgain]
    llm_calls: Callable[[TenantScope, int, int], tuple[LlmCall, ...]]
    seal: AuditSeal
    public_url: str | None = None
    alerts_elsewhere: bool = False

    @property
    def https(self) -> bool:
        """Whether browsers reach the console over https."""
        return (self.public_url or "").startswith("https://")

    def tenants_of(self, person: Person) -> tuple[Tenant, ...]:
        """List the tenants a person may see: his own, or every one."""
        if person.tenant_id is None:
            return self.tenants.all()
        own = self.tenants.find(person.tenant_id)
        return () if own is None else (own,)
