"""PagerDuty, by its Events API v2 (https://developer.pagerduty.com/docs/events-api-v2-overview)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from smarteros.alerts.protocol import AlertNews, Notice
from smarteros.alerts.refusals import post
from smarteros.domain.alerts import NewsKind, Severity
from smarteros.kit.http import HttpClient

_ACTIONS: dict[NewsKind, str] = {
    "firing": "trigger", "repeated": "trigger", "acknowledged": "acknowledge", "resolved": "resolve",
}  # fmt: skip
_SEVERITIES: dict[Severity, str] = {"page": "critical", "ticket": "warning", "info": "info"}
_LONGEST_SUMMARY = 1024
_LONGEST_KEY = 255


@dataclass(frozen=True)
class PagerDutyAlertSink:
    """Opens, acknowledges and resolves one incident for each alert, by its key; sending twice changes nothing.

    ``url`` is the service region's: ``https://events.pagerduty.com`` or ``https://events.eu.pagerduty.com``.
    """

    http: HttpClient
    routing_key: str = field(repr=False)
    url: str = "https://events.pagerduty.com"
    source: str = "smarteros"

    def send(self, notice: Notice) -> None:
        """Send one event for each alert."""
        for news in notice.news:
            post(self.http, "pagerduty", f"{self.url}/v2/enqueue", self._event(news, notice.notes))

    def _event(self, news: AlertNews, notes: tuple[str, ...]) -> dict[str, Any]:
        action = _ACTIONS[news.kind]
        event: dict[str, Any] = {
            "routing_key": self.routing_key,
            "event_action": action,
            "dedup_key": news.alert.dedup_key[:_LONGEST_KEY],
        }
        if action == "trigger":
            event |= {"client": "SmarterOS", "payload": self._payload(news, notes)}
            if news.url is not None:
                event["client_url"] = news.url
        return event

    def _payload(self, news: AlertNews, notes: tuple[str, ...]) -> dict[str, Any]:
        alert = news.alert
        details = {"value": alert.value, "threshold": alert.threshold, "subject": alert.subject, "notes": list(notes)}
        return {
            "summary": news.text[:_LONGEST_SUMMARY],
            "source": self.source,
            "severity": _SEVERITIES[alert.severity],
            "timestamp": alert.started_at.isoformat(),
            "component": alert.flow_id or alert.subject or "smarteros",
            "group": alert.tenant_id,
            "class": alert.name,
            "custom_details": {name: value for name, value in details.items() if value not in (None, [])},
        }
