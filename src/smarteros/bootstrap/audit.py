"""Which bus the audit goes to, and the key that seals it."""

from __future__ import annotations

from datetime import timedelta

from smarteros.bootstrap.services import Services
from smarteros.bus.loop import AuditLoop
from smarteros.bus.protocol import EventBus
from smarteros.bus.redpanda_http import RedpandaHttpBus
from smarteros.bus.relay import OutboxRelay
from smarteros.domain.audit_chain import AuditSeal
from smarteros.domain.errors import ConfigError
from smarteros.kit.clock import Clock
from smarteros.kit.http import HttpClient
from smarteros.privacy.audit_retention import AuditRetention
from smarteros.secrets.keys import GivenKeys, KeyFile
from smarteros.settings import Settings
from smarteros.store.database import owner_engine
from smarteros.store.locks import OneProcess


def open_audit_loop(services: Services) -> AuditLoop:
    """Start the thread that publishes and seals the audit; to be stopped. ConfigError when the bus is not set up."""
    settings = services.settings
    bus = event_bus(settings, services.http)
    owner = owner_engine(services.database.owner_url)
    relay = None if bus is None else OutboxRelay(owner, bus)
    loop = AuditLoop(owner, audit_seal(settings), relay, keep=timedelta(days=settings.outbox_keep_days))
    loop.start()
    return loop


def open_audit_retention(services: Services, clock: Clock) -> AuditRetention | None:
    """Return what removes old audit events, to be closed; None when the installation keeps them all."""
    days = services.settings.audit_keep_days
    if days is None:
        return None
    url = services.database.owner_url
    only = OneProcess(owner_engine(url), "audit-retention")
    return AuditRetention(owner_engine(url), only, audit_seal(services.settings), clock, timedelta(days=days))


def event_bus(settings: Settings, http: HttpClient) -> EventBus | None:
    """Return the bus the settings name; None leaves the events in the outbox. ConfigError says what is missing."""
    if settings.bus == "kafka":
        if not settings.kafka_brokers:
            raise ConfigError("bus_not_configured", "SMOS_BUS=kafka also needs SMOS_KAFKA_BROKERS.")
        return _kafka(settings, settings.kafka_brokers)
    if settings.bus == "redpanda-http":
        if not settings.redpanda_url:
            raise ConfigError("bus_not_configured", "SMOS_BUS=redpanda-http also needs SMOS_REDPANDA_URL.")
        credentials = settings.redpanda_credentials
        return RedpandaHttpBus(
            http, settings.redpanda_url, None if credentials is None else credentials.get_secret_value()
        )
    return None


def _kafka(settings: Settings, brokers: str) -> EventBus:
    try:
        from smarteros.bus.kafka import KafkaBus
    except ImportError:
        raise ConfigError("kafka_not_installed", "SMOS_BUS=kafka needs the extra: uv sync --extra kafka.") from None
    return KafkaBus(brokers, {name: value.get_secret_value() for name, value in settings.kafka_options.items()})


def audit_seal(settings: Settings) -> AuditSeal:
    """Return what seals the audit: the given key, or one in a file of the data directory, made on first use."""
    if settings.audit_key is not None:
        return AuditSeal(GivenKeys(settings.audit_key.get_secret_value(), "SMOS_AUDIT_KEY").read())
    own = KeyFile(settings.data_dir / "audit.key")
    own.make_if_absent()
    return AuditSeal(own.read())
