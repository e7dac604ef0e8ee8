"""What a tool of the embedded provider consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.tools.deadline import Deadline
from smarteros.tools.inputs import ToolInput
from smarteros.tools.protocol import ToolContext, ToolSpec

InputT = TypeVar("InputT", bound=ToolInput)


@dataclass(frozen=True)
class ToolRun:
    """For whom a tool runs, and until when."""

    tenant: Tenant
    context: ToolContext
    deadline: Deadline


@dataclass(frozen=True)
class EmbeddedTool(Generic[InputT]):
    """One tool: how it is offered, and how it is done.

    ``service`` names the system behind it (one circuit breaker per tenant and service). ``recall`` answers from
    what was seen in the last 24 h, or returns None; tools without it have no fallback.
    """

    spec: ToolSpec
    service: str
    input_model: type[InputT]
    run: Callable[[InputT, ToolRun], Model]
    recall: Callable[[InputT, ToolRun], Model | None] | None = None
