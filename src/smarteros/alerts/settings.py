"""Who is told of alerts, read from ``SMOS_ALERT_*``. What is not set is not there: others are told in its place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from smarteros.alerts.email import Encryption
from smarteros.alerts.texts import Language
from smarteros.contracts.exporters.alertmanager import AlertmanagerSinks
from smarteros.domain.alerts import Sink
from smarteros.settings import ProjectSettings


class AlertSettings(ProjectSettings):
    """The sinks of one installation, and how often they are told."""

    model_config = SettingsConfigDict(env_prefix="SMOS_ALERT_", extra="ignore")

    evaluator: Literal["built-in", "prometheus"] = Field(
        default="built-in", description="Who watches: the worker itself, or Prometheus with Alertmanager"
    )
    language: Language = "es"
    slack_webhook_url: SecretStr | None = None
    email_to: Annotated[tuple[str, ...], NoDecode] = Field(default=(), description="Addresses, with commas")
    email_from: str = "smarteros@localhost.localdomain"
    smtp_host: str | None = Field(default=None, description="Unset means mails go into alerts.mbox of the data")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_encryption: Encryption = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    pagerduty_routing_key: SecretStr | None = Field(default=None, description="Of an Events API v2 integration")
    pagerduty_url: str = "https://events.pagerduty.com"
    whatsapp_token: SecretStr | None = Field(default=None, description="Bearer of the Cloud API")
    whatsapp_phone_number_id: str | None = Field(default=None, pattern=r"^\d{5,20}$")
    whatsapp_to: str | None = Field(default=None, pattern=r"^\+?\d{8,15}$", description="The founder's phone")
    whatsapp_template: str = "smos_alert"
    whatsapp_language: str = "es_CL"
    whatsapp_url: str = Field(default="https://graph.facebook.com/v26.0", description="With the version of Graph")
    deadman_url: SecretStr | None = Field(
        default=None, description="Asked every minute while alerts are watched; its owner warns when that stops"
    )
    bridge_token: SecretStr | None = Field(default=None, description="Bearer of Alertmanager's POST to the bridge")
    repeat_page_min: int = Field(default=60, ge=5, le=10_080, description="Reminder of a page while it lasts")
    repeat_ticket_min: int = Field(default=1440, ge=5, le=10_080, description="Reminder of everything else")
    group_min: int = Field(
        default=5, ge=0, le=60, description="New alerts of a tenant that are no page come together, this often at most"
    )
    routes: dict[str, tuple[Sink, ...]] = Field(
        default={}, description='In the place of the contracts\' notify, by alert or severity, as JSON: {"page": []}'
    )

    @field_validator("email_to", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def alertmanager_sinks(settings: AlertSettings, our_url: str) -> AlertmanagerSinks:
    """Return these settings without the secrets, for Alertmanager. ``our_url`` is where it reaches us."""
    mail_server = None if settings.smtp_host is None else f"{settings.smtp_host}:{settings.smtp_port}"
    return AlertmanagerSinks(
        slack=settings.slack_webhook_url is not None,
        pagerduty=settings.pagerduty_routing_key is not None,
        pagerduty_url=settings.pagerduty_url,
        whatsapp=settings.whatsapp_token is not None,
        deadman=settings.deadman_url is not None,
        bridge_url=f"{our_url.rstrip('/')}/alertmanager",
        mail_server=mail_server,
        mail_from=settings.email_from,
        mail_to=settings.email_to,
        mail_user=settings.smtp_user,
        mail_tls=settings.smtp_encryption != "none",
        group_interval=f"{max(1, settings.group_min)}m",
        repeat_page=f"{settings.repeat_page_min}m",
        repeat_ticket=f"{settings.repeat_ticket_min}m",
    )
