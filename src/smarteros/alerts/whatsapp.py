"""WhatsApp to the founder, by a template of the Cloud API (https://developers.facebook.com/docs/whatsapp/cloud-api).

Free text is only allowed within 24 hours of a message of the receiver's own, so an alert is always a template: one
body with two parameters, what has become of it and the sentence. Meta must have approved it before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from smarteros.alerts.protocol import Notice
from smarteros.alerts.refusals import post
from smarteros.alerts.texts import alert_texts
from smarteros.kit.http import HttpClient

# The whole body of a template may have 1024 characters, its fixed text included.
_LONGEST_PARAMETER = 700


@dataclass(frozen=True)
class WhatsAppAlertSink:
    """Sends to one phone. ``url`` ends with the version of Graph, which Meta retires after two years."""

    http: HttpClient
    token: str = field(repr=False)
    phone_number_id: str
    to: str
    template: str = "smos_alert"
    language: str = "es_CL"
    url: str = "https://graph.facebook.com/v26.0"

    def send(self, notice: Notice) -> None:
        """Send one template for the whole notice."""
        words = alert_texts("en" if self.language.startswith("en") else "es").kinds[notice.news[0].kind]
        sentence = " · ".join(filter(None, (notice.headline, *notice.notes, notice.news[0].url)))
        body = {
            "messaging_product": "whatsapp",
            "to": self.to,
            "type": "template",
            "template": {
                "name": self.template,
                "language": {"code": self.language},
                "components": [{"type": "body", "parameters": [_parameter(words), _parameter(sentence)]}],
            },
        }
        post(
            self.http,
            "whatsapp",
            f"{self.url}/{self.phone_number_id}/messages",
            body,
            {"Authorization": f"Bearer {self.token}"},
        )


def _parameter(text: str) -> dict[str, str]:
    """A parameter may hold no line break, no tab and no four spaces in a row."""
    return {"type": "text", "text": " ".join(text.split())[:_LONGEST_PARAMETER]}
