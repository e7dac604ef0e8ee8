"""E-mail: through an SMTP server, or into a file where there is none."""

from __future__ import annotations

import mailbox
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

from smarteros.alerts.protocol import AlertNews, Notice
from smarteros.alerts.texts import Language, alert_texts
from smarteros.domain.alerts import Alert
from smarteros.domain.errors import ConfigError, PermanentError, TransientError
from smarteros.kit.clock import Clock, in_santiago

Encryption = Literal["starttls", "tls", "none"]
_TIMEOUT_S = 10.0
_LONGEST_SUBJECT = 150


@dataclass(frozen=True)
class EmailAlertSink:
    """Writes one mail for a notice; the mails of one alert are one thread. ``deliver`` sends it."""

    deliver: Callable[[EmailMessage], None]
    sender: str
    to: Sequence[str]
    clock: Clock
    language: Language = "es"

    def send(self, notice: Notice) -> None:
        """Write the mail and have it delivered."""
        first = notice.news[0]
        mail = EmailMessage()
        mail["From"] = Address("SmarterOS", addr_spec=self.sender)
        mail["To"] = [Address(addr_spec=address) for address in self.to]
        mail["Subject"] = _one_line(f"[{alert_texts(self.language).kinds[first.kind]}] {notice.headline}")
        mail["Date"] = format_datetime(in_santiago(self.clock.now()))
        thread = self._thread(first.alert)
        mail["Message-ID"] = thread if first.kind == "firing" else f"{thread[:-1]}.{self._stamp()}>"
        if first.kind != "firing":
            mail["In-Reply-To"] = mail["References"] = thread
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n\n".join((*notice.notes, *map(_paragraph, notice.news))) + "\n")
        self.deliver(mail)

    def _thread(self, alert: Alert) -> str:
        name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "." for c in alert.dedup_key)
        return f"<{name}.{int(alert.started_at.timestamp())}@{self.sender.rpartition('@')[2]}>"

    def _stamp(self) -> int:
        return int(self.clock.now().timestamp() * 1000)


@dataclass(frozen=True)
class Mailer:
    """Sends mails to anybody as ``sender``; ``deliver`` raises what an AlertSink raises."""

    deliver: Callable[[EmailMessage], None]
    sender: str


@dataclass(frozen=True)
class SmtpServer:
    """Delivers mails through an SMTP server. ``starttls`` and ``tls`` believe the machine's authorities only."""

    host: str
    port: int
    encryption: Encryption = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def deliver(self, mail: EmailMessage) -> None:
        """Send one mail. TransientError, ConfigError and PermanentError as the AlertSink protocol says."""
        try:
            with self._connection() as server:
                if self.encryption == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user is not None:
                    server.login(self.user, self.password or "")
                server.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise ConfigError("sink_not_allowed", f"email refuses us: SMTP {error.smtp_code}.") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _refusal(max(codes)) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise ConfigError("sink_not_allowed", "email: the server lacks STARTTLS or a way to sign in.") from None
        except ssl.SSLCertVerificationError:
            raise ConfigError("sink_not_allowed", "email: the server's certificate is not believed.") from None
        except (smtplib.SMTPException, OSError) as error:
            raise TransientError("sink_unreachable", f"email did not answer: {type(error).__name__}.") from None

    def _connection(self) -> smtplib.SMTP:
        if self.encryption == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_S, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_S)


@dataclass(frozen=True)
class MailFile:
    """Adds mails to an mbox file, which every mail program opens. For machines without an SMTP server."""

    path: Path

    def deliver(self, mail: EmailMessage) -> None:
        """Add one mail; other processes may do so at the same time. TransientError when the file cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            box = mailbox.mbox(self.path)
            box.lock()
            try:
                box.add(mail)
            finally:
                box.close()
        except (OSError, mailbox.Error) as error:
            raise TransientError("sink_unavailable", f"email: no file written: {type(error).__name__}.") from None


def _refusal(code: int) -> TransientError | PermanentError:
    if 400 <= code < 500:
        return TransientError("sink_unavailable", f"email cannot be taken now: SMTP {code}.")
    return PermanentError("sink_refused", f"email is refused: SMTP {code}.")


def _paragraph(news: AlertNews) -> str:
    alert = news.alert
    facts = (alert.name, alert.tenant_id if alert.tenant_id != "-" else None, alert.flow_id, alert.severity)
    since = f"{in_santiago(alert.started_at):%Y-%m-%d %H:%M %Z}"
    until = "" if alert.resolved_at is None else f" – {in_santiago(alert.resolved_at):%Y-%m-%d %H:%M %Z}"
    return "\n  ".join(filter(None, (news.text, " · ".join(filter(None, facts)), f"{since}{until}", news.url)))


def _one_line(text: str) -> str:
    """A header is one line; a name with a line break in it must not become a header of its own."""
    return " ".join(text.split())[:_LONGEST_SUBJECT]
