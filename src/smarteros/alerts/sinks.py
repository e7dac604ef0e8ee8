"""The sinks an installation has set up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from smarteros.alerts.console import ConsoleAlertSink
from smarteros.alerts.email import EmailAlertSink, Mailer, MailFile, SmtpServer
from smarteros.alerts.pagerduty import PagerDutyAlertSink
from smarteros.alerts.protocol import AlertSink
from smarteros.alerts.settings import AlertSettings
from smarteros.alerts.slack import SlackAlertSink
from smarteros.alerts.whatsapp import WhatsAppAlertSink
from smarteros.domain.alerts import SinkName
from smarteros.domain.errors import ConfigError
from smarteros.kit.clock import Clock
from smarteros.kit.http import HttpClient

MAIL_FILE = "alerts.mbox"
_NOBODY = "operador@localhost.localdomain"


def open_sinks(settings: AlertSettings, http: HttpClient, data_dir: Path, clock: Clock) -> Mapping[SinkName, AlertSink]:
    """Return the sinks by name. ``email`` and ``console`` are always there. ConfigError for half a set-up."""
    sinks: dict[SinkName, AlertSink] = {"console": ConsoleAlertSink(), "email": _email(settings, data_dir, clock)}
    if settings.slack_webhook_url is not None:
        sinks["slack"] = SlackAlertSink(http, settings.slack_webhook_url.get_secret_value())
    if settings.pagerduty_routing_key is not None:
        key = settings.pagerduty_routing_key.get_secret_value()
        sinks["pagerduty"] = PagerDutyAlertSink(http, key, settings.pagerduty_url)
    whatsapp = _whatsapp(settings, http)
    if whatsapp is not None:
        sinks["whatsapp_founder"] = whatsapp
    return sinks


def open_mailer(settings: AlertSettings, data_dir: Path) -> Mailer:
    """Return what sends mails: through the SMTP server that is set up, else into a file of the data directory."""
    if settings.smtp_host is None:
        return Mailer(MailFile(data_dir / MAIL_FILE).deliver, settings.email_from)
    password = settings.smtp_password
    server = SmtpServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_encryption,
        settings.smtp_user,
        None if password is None else password.get_secret_value(),
    )
    return Mailer(server.deliver, settings.email_from)


def _email(settings: AlertSettings, data_dir: Path, clock: Clock) -> EmailAlertSink:
    to = settings.email_to
    if not to and settings.smtp_host is not None:
        raise ConfigError("alerts_not_configured", "SMOS_ALERT_SMTP_HOST also needs SMOS_ALERT_EMAIL_TO.")
    mailer = open_mailer(settings, data_dir)
    return EmailAlertSink(mailer.deliver, mailer.sender, to or (_NOBODY,), clock, settings.language)


def _whatsapp(settings: AlertSettings, http: HttpClient) -> WhatsAppAlertSink | None:
    token, number, to = settings.whatsapp_token, settings.whatsapp_phone_number_id, settings.whatsapp_to
    if token is None and number is None and to is None:
        return None
    if token is None or number is None or to is None:
        names = "SMOS_ALERT_WHATSAPP_TOKEN, SMOS_ALERT_WHATSAPP_PHONE_NUMBER_ID and SMOS_ALERT_WHATSAPP_TO"
        raise ConfigError("alerts_not_configured", f"WhatsApp needs all of {names}.")
    return WhatsAppAlertSink(
        http,
        token.get_secret_value(),
        number,
        to,
        settings.whatsapp_template,
        settings.whatsapp_language,
        settings.whatsapp_url.rstrip("/"),
    )
