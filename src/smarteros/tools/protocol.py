"""What a provider of tools must be able to do."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from pydantic import BaseModel

from smarteros.domain.messages import Contact
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolResult


class ToolContext(Model):
    """For whom a tool is called. ``today`` is the Chilean calendar day on which the customer wrote."""

    conversation_id: int
    contact: Contact
    today: date


class ToolSpec(BaseModel):
    """One tool as it is offered: name, purpose, and the models of its input and output.

    ``read_only``, ``destructive`` and ``idempotent`` mean what MCP's annotations mean: it changes nothing anywhere;
    it removes or overwrites what was there; calling it again with the same parameters changes nothing more (said of
    tools that write; reading is idempotent anyway).
    """

    name: str
    title: str
    description: str
    read_only: bool
    destructive: bool = False
    idempotent: bool = False
    input_model: type[BaseModel]
    output_model: type[BaseModel]


class ToolProvider(Protocol):
    """Looks facts up for one tenant. Secrets are resolved inside; callers never pass them."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """List the tools offered."""
        ...

    def call(
        self,
        tenant: Tenant,
        call: ToolCall,
        context: ToolContext,
        *,
        timeout_ms: int,
        fallback: bool,
    ) -> ToolResult:
        """Call one tool within ``timeout_ms``.

        ``fallback`` allows an answer from what was seen in the last 24 h when the system behind is away (outcome
        ``fallback``). A fault of the system behind is a ToolResult with outcome ``timeout`` or ``error``, never an
        exception; unknown tools and wrong parameters are outcome ``refused``.
        """
        ...
