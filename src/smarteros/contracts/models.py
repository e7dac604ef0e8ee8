"""The contract format ``smos/v2``: what differs between flows, and nothing else.

The steps of a turn are fixed (receive, resolve, decide, call_tools, reply, audit), so a contract is not a
workflow language. Conditions and texts are Jinja2 (sandboxed, strict); the names they may use are those of
``expressions.ReplyContext``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from smarteros.domain.alerts import Severity, Sink
from smarteros.domain.decisions import Intent, Pending, Route
from smarteros.domain.messages import ChannelName, Desk
from smarteros.domain.model import Model
from smarteros.domain.turns import Outcome

# Older ones are understood by `migrations`.
Format = Literal["smos/v2"]
CURRENT_FORMAT: Format = "smos/v2"

Expression = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Comparison = Annotated[str, StringConstraints(pattern=r"^(<|<=|>|>=|==) ?\d+(\.\d+)?( ?(ms|s))?$")]
SecretPath = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z_]+$")]


class BothLanguages(Model):
    """The same text in Spanish (as spoken in Chile) and English."""

    es: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Entry(Model):
    """Which messages belong to the flow."""

    channels: tuple[ChannelName, ...]
    attachments: tuple[Literal["image", "pdf"], ...] = Field(
        default=(), description="A message with one of these starts the flow whatever its text says"
    )
    intents: tuple[Intent, ...] = Field(min_length=1)


class Thresholds(Model):
    """Confidence at which an intent is believed; below it the bot asks instead of answering."""

    answer: float = Field(default=0.80, ge=0, le=1)
    per_intent: dict[Intent, float] = Field(default_factory=dict[Intent, float])

    def of(self, intent: Intent) -> float:
        """Return the threshold that holds for an intent."""
        return self.per_intent.get(intent, self.answer)


class AgentSection(Model):
    """Which bot of the tenant's workspace decides, when it is believed, and the flow's example messages."""

    bot: Literal["sales", "support", "faq"]
    thresholds: Thresholds = Thresholds()
    examples: dict[Intent, tuple[str, ...]] = Field(default_factory=dict[Intent, tuple[str, ...]])


class ToolSection(Model):
    """One allowed tool.

    ``params`` maps a parameter to the expression that fills it when the agent left it out; an expression that
    gives nothing (none) leaves it out too.
    """

    params: dict[str, Expression] = Field(default_factory=dict)
    timeout_ms: int = Field(ge=50, le=30_000)
    retries: int = Field(default=0, ge=0, le=3)
    answers: Pending | None = Field(
        default=None, description="Called only when the customer answers this question of the bot's last reply"
    )
    fallback: Literal["cache_24h", "none"] = "none"
    secrets: tuple[SecretPath, ...] = ()


class ReplyRule(Model):
    """One possible reply. The first rule of the route whose ``when`` holds is used; the last one has no ``when``.

    ``outcome`` names the situation (it is a metric label). ``escalate`` hands the conversation to a person after
    the text; ``pending`` is what a bare "sí" or the next photo will mean in the following turn.
    """

    route: Route
    outcome: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    when: Expression | None = None
    text: BothLanguages
    escalate: bool = False
    pending: Pending | None = None


class OtherFlow(Model):
    """Another flow answers this intent, in the same turn."""

    intent: Intent
    flow: str


class EscalationRule(Model):
    """When a person takes over, whatever the route says. ``notify`` names the alert sinks told at once."""

    name: str
    when: Expression
    text: BothLanguages
    notify: tuple[Sink, ...] = ()


class HandOver(Desk):
    """How people find the conversations this flow hands over, and the exceptions by rule.

    A rule's labels are added to the flow's own; its team and priority take the place of the flow's. A rule is named by
    the outcome of a reply rule, the name of an escalation rule, or one of ``turns.BUILT_IN_RULES``.
    """

    by_rule: dict[str, Desk] = Field(default_factory=dict[str, Desk])

    @property
    def desks(self) -> tuple[Desk, ...]:
        """All that may hold for a hand-over."""
        return (self.of(None), *(self.of(rule) for rule in self.by_rule))

    def of(self, rule: str | None) -> Desk:
        """Return what holds for a hand-over by ``rule``."""
        own = self.by_rule.get(rule or "", Desk())
        return Desk(
            labels=tuple(dict.fromkeys((*self.labels, *own.labels))),
            team=own.team or self.team,
            priority=own.priority or self.priority,
        )


class Notice(Model):
    """Something said before the reply when its condition holds, whatever the route; not before a hand-over."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    when: Expression
    text: BothLanguages


class Slo(Model):
    """The flow's promise: latency from the customer's message to the reply, and the share that succeeds."""

    latency_p95_ms: int = Field(gt=0)
    success_rate: float = Field(gt=0, lt=1)
    window: Annotated[str, StringConstraints(pattern=r"^\d+[hd]$")] = "30d"


class AlertRule(Model):
    """One alert of the contract; ``signal`` is what is watched.

    A latency or a rate alerts above the threshold, a count (``consecutive_…``, ``service_down``) when it is reached.
    """

    name: str
    signal: Literal[
        "latency_p95_ms", "error_rate", "consecutive_tool_timeouts", "consecutive_low_confidence",
        "consecutive_low_ocr_confidence", "invoice_not_found_rate", "service_down",
    ]  # fmt: skip
    threshold: float
    severity: Severity
    notify: tuple[Sink, ...] = Field(min_length=1)


class HealthCheck(Model):
    """A dependency that is probed regularly."""

    service: Literal["edge", "agent", "tools", "chatwoot", "shopify", "odoo", "ocr", "vault"]
    path: str
    every_s: int = Field(ge=5)


class Persona(Model):
    """The customer who plays a scenario."""

    name: str = "Juan Pérez"
    phone: str | None = "+56979540471"
    email: str | None = None


class Photo(Model):
    """A picture the customer sends: an invoice of the demo shop, or (no ``invoice``) one without any document."""

    invoice: str | None = None
    blurred: bool = False
    timbre: Literal["altered", "unreadable"] | None = Field(
        default=None, description="The invoice bears an electronic stamp that does not verify, or cannot be made out"
    )


class Fault(Model):
    """A fault injected into a stand-in before the turn."""

    service: Literal["chatwoot", "shopify", "odoo", "vision"]
    kind: str
    value: float | None = None
    times: int | None = None


class Expectation(Model):
    """What must be true after a turn. Comparisons are written like ``> 0.90`` or ``< 5s``."""

    http_status: int | None = None
    error: str | None = Field(default=None, description="Sentence in the HTTP error, for refused webhooks")
    intent: Intent | None = None
    route: Route | None = None
    flow: str | None = None
    outcome: Outcome | None = None
    rule: str | None = Field(default=None, description="Outcome of the reply rule, or name of the escalation rule")
    confidence: Comparison | None = None
    products: Comparison | None = None
    ocr_confidence: Comparison | None = None
    latency: Comparison | None = None
    contains: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    audit: dict[str, Any] = Field(default_factory=dict, description="Keys and values of the audit event")


class ScenarioTurn(Model):
    """One message of the customer and what must follow."""

    say: str = ""
    photo: Photo | None = None
    photos: tuple[Photo, ...] = Field(default=(), description="Further pictures in the same message")
    signature: Literal["valid", "wrong"] = "valid"
    faults: tuple[Fault, ...] = ()
    expect: Expectation


class Scenario(Model):
    """A conversation that proves a clause of the contract."""

    name: str
    tenant: str = "TENANT_DEMO"
    channel: ChannelName = "whatsapp"
    persona: Persona = Persona()
    now: datetime | None = Field(default=None, description="Instant at which the customer writes")
    turns: tuple[ScenarioTurn, ...] = Field(min_length=1)


class Contract(Model):
    """One flow."""

    apiVersion: Format
    flow_id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    priority: Literal["critical", "high", "normal"]
    owner: str
    description: BothLanguages
    entry: Entry
    agent: AgentSection
    secrets: tuple[SecretPath, ...] = ()
    tools: dict[str, ToolSection] = Field(default_factory=dict)
    reply: tuple[ReplyRule, ...] = Field(min_length=1)
    notices: tuple[Notice, ...] = ()
    other_flows: tuple[OtherFlow, ...] = ()
    escalation: tuple[EscalationRule, ...] = ()
    hand_over: HandOver = HandOver()
    slo: Slo
    alerts: tuple[AlertRule, ...] = Field(min_length=1)
    health: tuple[HealthCheck, ...] = ()
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
