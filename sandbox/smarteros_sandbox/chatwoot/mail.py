"""What Chatwoot makes of an incoming mail (app/presenters/mail_presenter.rb)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from smarteros_sandbox.chatwoot.records import JsonObject

_QUOTE_START = re.compile(
    r"^\s*(?:El\s.{4,120}\sescribió:|On\s.{4,120}\swrote:|-{2,}\s*(?:Mensaje original|Original Message)|>)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. ``text`` is the whole body, with the quoted thread below the new lines."""

    sender: str
    recipient: str
    subject: str | None
    text: str
    message_id: str
    sent_at: float
    auto_reply: bool = False
    cc: str | None = None
    attachments: int = 0


def without_quoted_thread(text: str) -> str:
    """The new lines only. Chatwoot calls them ``text_content.quoted``, which surprises everyone once."""
    lines: list[str] = []
    for line in text.splitlines():
        if _QUOTE_START.match(line):
            break
        lines.append(line)
    return "\n".join(lines).strip()


def content_attributes(mail: Mail) -> JsonObject:
    """``content_attributes`` of the message: ``reply`` holds the full text, ``quoted`` the new part."""
    return {
        "email": {
            "bcc": None,
            "cc": [mail.cc] if mail.cc else None,
            "content_type": "text/plain; charset=UTF-8",
            "date": datetime.fromtimestamp(mail.sent_at, tz=UTC).isoformat(timespec="milliseconds"),
            "from": [mail.sender],
            "headers": None,
            "html_content": {},
            "in_reply_to": None,
            "message_id": mail.message_id,
            "multipart": mail.attachments > 0,
            "number_of_attachments": mail.attachments,
            "references": [],
            "subject": mail.subject,
            "text_content": {
                "full": mail.text,
                "reply": mail.text,
                "quoted": without_quoted_thread(mail.text),
            },
            "to": [mail.recipient],
            "auto_reply": mail.auto_reply,
        },
        "cc_email": [mail.cc] if mail.cc else None,
        "bcc_email": None,
    }
