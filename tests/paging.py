"""Everybody who can be told of an alert, on loopback: the stand-ins of the sandbox, and a real SMTP server."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from smarteros.alerts.settings import AlertSettings
from smarteros_sandbox.paging.app import (
    PHONE_NUMBER_ID,
    ROUTING_KEY,
    SLACK_PATH,
    WHATSAPP_TOKEN,
    Receivers,
    create_paging_app,
)
from tests.support import serving

SMTP_USER, SMTP_PASSWORD = "smarteros", "s3cret-of-the-mail-server"
FOUNDER = "+56911112222"
SECRETS = (SLACK_PATH.rpartition("/")[2], ROUTING_KEY, WHATSAPP_TOKEN, SMTP_PASSWORD)


@dataclass
class MailServer:
    """Takes mails; ``refuses`` is what it answers after DATA instead."""

    mails: list[EmailMessage] = field(default_factory=list)
    refuses: str | None = None
    anybody: bool = False
    port: int = 0

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        if not (self.anybody or session.authenticated):
            return "530 5.7.0 Authentication required"
        if self.refuses:
            return self.refuses
        mail = BytesParser(policy=default).parsebytes(envelope.content)
        self.mails.append(cast("EmailMessage", mail))
        return "250 OK"


class _OnAFreePort(Controller):
    """aiosmtpd looks at the port it was given, which is none."""

    def _trigger_server(self) -> None:
        self.port = cast("Any", self.server).sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(*, anybody: bool) -> Iterator[MailServer]:
    """A server without TLS that wants a name and a password, unless ``anybody`` may send."""

    def authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        known = (data.login, data.password) == (SMTP_USER.encode(), SMTP_PASSWORD.encode())
        return AuthResult(success=known, handled=False)

    there = MailServer(anybody=anybody)
    controller = _OnAFreePort(there, hostname="127.0.0.1", port=0, authenticator=authenticated, auth_require_tls=False)
    controller.start()
    there.port = controller.port
    try:
        yield there
    finally:
        controller.stop()


@dataclass
class Told:
    """All receivers of one test, and the settings that point at them."""

    url: str
    http: Receivers
    mail: MailServer

    def settings(self, **changed: Any) -> AlertSettings:
        values: dict[str, Any] = {
            "slack_webhook_url": SecretStr(f"{self.url}{SLACK_PATH}"),
            "email_to": ("ops@smarteros.example",),
            "email_from": "alertas@smarteros.example",
            "smtp_host": "127.0.0.1",
            "smtp_port": self.mail.port,
            "smtp_encryption": "none",
            "smtp_user": SMTP_USER,
            "smtp_password": SecretStr(SMTP_PASSWORD),
            "pagerduty_routing_key": SecretStr(ROUTING_KEY),
            "pagerduty_url": self.url,
            "whatsapp_token": SecretStr(WHATSAPP_TOKEN),
            "whatsapp_phone_number_id": PHONE_NUMBER_ID,
            "whatsapp_to": FOUNDER,
            "whatsapp_url": f"{self.url}/v26.0",
        }
        return AlertSettings(**values | changed)

    def clear(self) -> None:
        """Forget what was told, and be there again."""
        for kept in (self.http.slack, self.http.pagerduty, self.http.whatsapp, self.http.pings, self.mail.mails):
            kept.clear()
        self.http.away.clear()
        self.mail.refuses = None


@contextmanager
def receivers(*, anybody: bool = False) -> Iterator[Told]:
    """All of them, listening; ``anybody`` may send mails."""
    kept = Receivers()
    with mail_server(anybody=anybody) as mail, serving(create_paging_app(kept)) as url:
        yield Told(url, kept, mail)


def mails_in(path: Path) -> list[str]:
    """The subjects and texts of an mbox file."""
    box = mailbox.mbox(path, factory=None)
    try:
        return [message.as_string() for message in box]
    finally:
        box.close()
