"""The two installations of a tenant's move, and the loop that passes on what still comes to the old one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager

from smarteros.bootstrap.audit import audit_seal
from smarteros.bootstrap.services import Services, database_urls, operator_token
from smarteros.dedicated.passing_on import PassingOn, PassingOnLoop
from smarteros.dedicated.sides import Side
from smarteros.edge.receive import Receiver
from smarteros.kit.clock import Clock
from smarteros.secrets.opening import open_secret_store, secret_keys
from smarteros.secrets.protocol import SecretKeeper
from smarteros.settings import Settings
from smarteros.store.database import Database, migrate, owner_engine
from smarteros.tenants.directory import TenantDirectory


def side_of(services: Services) -> Side:
    """Return an open installation as a move sees it."""
    return _side(services.settings, services.database, services.tenants, services.secrets, services.operator_token)


@contextmanager
def opened_side(settings: Settings) -> Generator[Side]:
    """Open no more of an installation than a move needs; its tables are made when it has none.

    ConfigError as for any other command.
    """
    with ExitStack() as stack:
        owner_url, app_url = database_urls(settings, stack)
        migrate(owner_url)
        database = Database(owner_url, app_url)
        stack.callback(database.dispose)
        tenants = TenantDirectory(database)
        keys = secret_keys(settings)
        store = open_secret_store(settings, keys, tenants.is_suspended, stack)
        yield _side(settings, database, tenants, store, operator_token(settings, keys.read()[0]))


@contextmanager
def kept_passed_on(services: Services, receiver: Receiver, clock: Clock) -> Generator[None]:
    """Pass on what comes for tenants that have moved away while the block runs."""

    def take(raw: bytes, headers: Mapping[str, str], tenant_key: str) -> object:
        return receiver.receive(raw, headers, tenant_key)

    passing = PassingOn(services.database, services.tenants, services.secrets, services.http, clock, take)
    loop = PassingOnLoop(passing, owner_engine(services.database.owner_url))
    loop.start()
    try:
        yield
    finally:
        loop.stop()


def _side(settings: Settings, database: Database, tenants: TenantDirectory, secrets: SecretKeeper, token: str) -> Side:
    return Side(
        database=database,
        tenants=tenants,
        secrets=secrets,
        store=_store(settings),
        seal=audit_seal(settings),
        operator_token=token,
        url=(settings.public_url or "").rstrip("/"),
        place=str(settings.data_dir.absolute()),
    )


def _store(settings: Settings) -> str:
    """Name the place of an installation's secrets."""
    if settings.secrets == "vault":
        return f"{settings.vault_addr} {settings.vault_mount}"
    return str((settings.data_dir / "secrets.enc").absolute())
