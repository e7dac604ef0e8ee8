"""What the brain needs: somebody who asks a model, and somebody who keeps the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, Field

from smarteros.domain.llm import LlmSettings, Spend, SpendLimit
from smarteros.domain.model import Model
from smarteros.domain.tenants import TenantScope

# Why there is no usable output of a model.
LlmFaultKind = Literal[
    "timeout",        # it took longer than the flow's promise allows
    "unavailable",    # no connection, 5xx, overloaded
    "rate_limited",   # 429
    "rejected",       # the request was refused: key, model name, credit
    "refused",        # the model would not answer (content filter)
    "malformed",      # not what the schema asks for
    "misconfigured",  # it could not be asked: no key, not installed
]  # fmt: skip


class LlmFault(Exception):
    """No usable output came. ``input_tokens`` and ``output_tokens`` are what is known to be charged."""

    def __init__(self, kind: LlmFaultKind, detail: str, *, input_tokens: int = 0, output_tokens: int = 0) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind: LlmFaultKind = kind
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens


@dataclass(frozen=True)
class Question:
    """Everything a model is told. ``prompt`` is JSON; what strangers wrote is only in there."""

    instructions: str
    prompt: str
    output: type[BaseModel]


@dataclass(frozen=True)
class Answered:
    """A model's output, valid by the question's schema, and what it took."""

    output: dict[str, Any]
    input_tokens: int
    output_tokens: int


class LanguageModel(Protocol):
    """Asks a tenant's model one question."""

    def ask(self, settings: LlmSettings, key: str | None, question: Question, timeout_s: float) -> Answered:
        """Return the output.

        LlmFault, and nothing else of the other side's making, when none comes within the time. ConfigError when it
        cannot be asked at all.
        """
        ...


class LlmCall(Model):
    """One call as it is kept: enough to decide the turn again without asking, and to account for it.

    ``message_id`` is the last message of the turn. ``request_hash`` is over instructions, prompt and schema as they
    were sent. ``output`` is what the model returned, personal data still hidden; None after a fault. ``estimated`` says
    that the provider did not tell the tokens: the reservation was counted in full.
    """

    conversation_id: int
    message_id: int
    request_hash: str
    provider: str
    model: str
    outcome: str
    output: dict[str, Any] | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    micro_usd: int = 0
    estimated: bool = False
    duration_ms: float = 0.0
    called_at: datetime = Field(description="Aware UTC")


@dataclass(frozen=True)
class Reservation:
    """What is set aside for a call before it is made, in the month it is counted in (``2026-11``)."""

    month: str
    micro_usd: int
    tokens: int


class LlmLedger(Protocol):
    """Books of what models were asked and what it cost, kept per tenant."""

    def calls(self, scope: TenantScope, conversation_id: int, message_id: int) -> tuple[LlmCall, ...]:
        """Return the calls that were made for one message."""
        ...

    def reserve(self, scope: TenantScope, reservation: Reservation, limit: SpendLimit) -> bool:
        """Set the amount aside if it still fits under the limit of its month; tells whether it did.

        Of two calls at once that fit only alone, one is refused. What is never settled stays counted.
        """
        ...

    def settle(self, scope: TenantScope, reservation: Reservation, call: LlmCall) -> None:
        """Replace a reservation by what the call cost, and keep the call as ``keep`` does."""
        ...

    def keep(self, scope: TenantScope, call: LlmCall) -> None:
        """Keep a call that nothing is counted for; one without output is overwritten by a later one."""
        ...

    def spent(self, scope: TenantScope, month: str) -> Spend:
        """Return what a month has cost so far."""
        ...
