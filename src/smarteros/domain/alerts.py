"""Alerts: something the operator must know, from the moment it began until it is over, and who was told of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from smarteros.domain.model import Model

Severity = Literal["page", "ticket", "info"]
# Where a contract may send its alerts.
Sink = Literal["slack", "email", "pagerduty", "whatsapp_founder"]
# The console of the process stands behind all of them: it is always there.
SinkName = Literal["slack", "email", "pagerduty", "whatsapp_founder", "console"]
# What an alert is about: the signals of a contract's rules, and those of the installation itself.
Signal = Literal[
    "latency_p95_ms", "error_rate", "consecutive_tool_timeouts", "consecutive_low_confidence",
    "consecutive_low_ocr_confidence", "invoice_not_found_rate", "service_down",
    "backlog_oldest_s", "escalation", "kb_change_waits", "kb_source_failed", "test", "relayed",
]  # fmt: skip
# What a message says of an alert; ``repeated`` is a reminder, ``acknowledged`` says that somebody silenced it.
NewsKind = Literal["firing", "repeated", "acknowledged", "resolved"]

# Who is told when a sink does not take a message: the next of the row that does.
FALLBACKS: dict[Severity, tuple[SinkName, ...]] = {
    "page": ("pagerduty", "whatsapp_founder", "slack", "email", "console"),
    "ticket": ("slack", "email", "console"),
    "info": ("slack", "email", "console"),
}


class Told(Model):
    """What a sink was last told of an alert.

    ``by`` is the sink that took the message, another one when the sink itself did not. ``again`` says that the sink's
    own trouble may pass by itself: it is tried again with every round.
    """

    kind: NewsKind
    at: datetime
    by: SinkName
    again: bool = False


class Alert(Model):
    """One alert. ``tenant_id`` is ``-`` when it is the installation's.

    ``key`` is what makes it the same alert while it lasts, and a receiver's key for putting its news together.
    ``subject`` names the service, tool or conversation it is about. An alert that is a moment (a customer lost his
    patience) is over as soon as it was told: nothing resolves it.
    """

    alert_id: int = 0
    tenant_id: str
    key: str
    name: str
    signal: Signal
    flow_id: str | None = None
    subject: str | None = None
    severity: Severity
    notify: tuple[Sink, ...]
    value: float | None = None
    threshold: float | None = None
    moment: bool = False
    started_at: datetime
    resolved_at: datetime | None = None
    told: dict[Sink, Told] = Field(default_factory=dict[Sink, Told])

    @property
    def dedup_key(self) -> str:
        """The name under which receivers put the news of this alert together."""
        return f"smos/{self.tenant_id}/{self.key}"


class Silence(Model):
    """Nobody is told of matching alerts until it ends. ``tenant_id`` ``-`` means those of all tenants."""

    silence_id: int
    tenant_id: str
    name: str | None = Field(default=None, description="Only alerts of this name; unset means all")
    reason: str
    made_by: str
    made_at: datetime
    until_at: datetime

    def covers(self, alert: Alert) -> bool:
        """Tell whether an alert is meant, whatever the time is."""
        return self.tenant_id in ("-", alert.tenant_id) and self.name in (None, alert.name)
