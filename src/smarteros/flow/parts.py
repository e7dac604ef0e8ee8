"""What the steps of a turn work with: one Protocol per role, chosen in ``bootstrap``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from smarteros.agents.protocol import Agent
from smarteros.channels.protocol import Channel
from smarteros.contracts.loader import ContractSet
from smarteros.domain.errors import TransientError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DocumentReading
from smarteros.flow.lanes import SlowLane
from smarteros.flow.links import Links
from smarteros.kit.clock import Clock, SystemClock
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.protocol import ToolProvider

T = TypeVar("T")

# Waits between tries of a step whose fault passes by itself, in seconds. Together a little under 8 s.
_PAUSES_S = (0.25, 0.5, 1.0, 2.0, 4.0)


class Reader(Protocol):
    """Reads an invoice from a photo or PDF."""

    def read(self, tenant: Tenant, data: bytes) -> DocumentReading:
        """Read a document; what cannot be read has confidence 0, it is never an exception."""
        ...


@dataclass(frozen=True)
class Parts:
    """Everything a turn needs from outside the flow."""

    database: Database
    tenants: TenantDirectory
    channel: Channel
    agent: Agent
    knowledge: KnowledgeBase
    tools: ToolProvider
    reader: Reader
    contracts: ContractSet
    contact_keys: KeyWrapping
    links: Links = field(default_factory=Links)
    clock: Clock = field(default_factory=SystemClock)
    pause: Callable[[float], None] = time.sleep
    slow_lane: SlowLane = field(default_factory=lambda: SlowLane(1))

    def patiently(self, work: Callable[[], T]) -> T:
        """Do something that may fail in passing: only a TransientError is tried again, with growing pauses."""
        for pause_s in _PAUSES_S:
            try:
                return work()
            except TransientError:
                self.pause(pause_s)
        return work()
