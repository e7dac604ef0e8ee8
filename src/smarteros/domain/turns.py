"""A turn: one answer, the durable unit of work, and what is recorded of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from smarteros.domain.decisions import Decision, DialogueState
from smarteros.domain.messages import ChannelName, IncomingMessage
from smarteros.domain.model import Model
from smarteros.domain.tools import ToolResult

StepName = Literal["receive", "resolve", "decide", "call_tools", "reply", "audit"]
STEP_NAMES: tuple[StepName, ...] = ("receive", "resolve", "decide", "call_tools", "reply", "audit")

Outcome = Literal[
    "answered",      # the reply is in the channel
    "escalated",     # a person was asked to take over, and the customer was told
    "merged",        # the message was answered together with an earlier one of the same burst
    "muted",         # a person has the conversation; silence is right
    "failed",        # not answered: no reply was possible (for example the conversation is gone)
]  # fmt: skip


class DocumentReading(Model):
    """What was read from the photos of a turn. ``confidence`` is the minimum over the required fields."""

    text: str = ""
    confidence: float = 0.0
    invoice_detected: bool = False
    fields: dict[str, Any] = Field(default_factory=dict)


class ResolvedTurn(Model):
    """Output of ``resolve``: everything the turn needs to be decided."""

    turn_id: str
    messages: tuple[IncomingMessage, ...]
    channel: ChannelName
    state: DialogueState
    history: tuple[str, ...] = ()
    reading: DocumentReading | None = None
    stop: Literal["merged", "muted", "failed"] | None = None
    stop_reason: str | None = None


class StepTiming(Model):
    """How long one step took, in milliseconds."""

    step: StepName
    duration_ms: float


class TurnRecord(Model):
    """The whole story of a turn, as kept in table ``turns`` and shown in console and traces."""

    turn_id: str
    tenant_id: str
    flow_id: str
    conversation_id: int
    message_id: int
    received_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    decision: Decision | None = None
    tool_results: tuple[ToolResult, ...] = ()
    reply_text: str | None = None
    template: str | None = None
    state: DialogueState = DialogueState()
    steps: tuple[StepTiming, ...] = ()
