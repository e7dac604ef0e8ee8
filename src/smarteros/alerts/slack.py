"""Slack, by an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from smarteros.alerts.protocol import AlertNews, Notice
from smarteros.alerts.refusals import post
from smarteros.domain.alerts import NewsKind
from smarteros.kit.http import HttpClient

# Slack shows at most twenty well; the headline says how many there are.
_MOST = 20
_SIGNS: dict[NewsKind, str] = {"firing": "🔴", "repeated": "🔁", "acknowledged": "🔕", "resolved": "✅"}
_COLOURS: dict[NewsKind, str] = {
    "firing": "danger", "repeated": "danger", "acknowledged": "warning", "resolved": "good",
}  # fmt: skip


@dataclass(frozen=True)
class SlackAlertSink:
    """Posts to one channel. ``webhook_url`` is a secret: whoever knows it may post."""

    http: HttpClient
    webhook_url: str = field(repr=False)

    def send(self, notice: Notice) -> None:
        """Post one message with an attachment for each alert."""
        sign = _SIGNS[notice.news[0].kind]
        text = "\n".join((f"{sign} {_escaped(notice.headline)}", *(f"_{_escaped(note)}_" for note in notice.notes)))
        body = {"text": text, "attachments": [_attachment(news) for news in notice.news[:_MOST]]}
        post(self.http, "slack", self.webhook_url, body)


def _attachment(news: AlertNews) -> dict[str, Any]:
    alert = news.alert
    fields = [{"title": name, "value": _escaped(value), "short": True} for name, value in _facts(news)]
    leads_to = {} if news.url is None else {"title_link": news.url}
    return {
        "color": _COLOURS[news.kind],
        "fallback": _escaped(news.text),
        "title": _escaped(alert.name),
        **leads_to,
        "text": _escaped(news.text),
        "fields": fields,
        "ts": int((alert.resolved_at or alert.started_at).timestamp()),
    }


def _facts(news: AlertNews) -> list[tuple[str, str]]:
    alert = news.alert
    told = {"tenant": alert.tenant_id, "flow": alert.flow_id, "severity": alert.severity}
    return [(name, value) for name, value in told.items() if value and value != "-"]


def _escaped(text: str) -> str:
    """The three characters Slack's own mark-up is made of; the rest is shown as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
