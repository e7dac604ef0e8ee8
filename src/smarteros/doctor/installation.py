"""What no tenant has for itself: contracts, disk, the keeper of secrets, and the walls in the database."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import sqlalchemy as sa

from smarteros.contracts.findings import mistakes
from smarteros.contracts.lint import lint
from smarteros.doctor.examination import Group, Observed, Step
from smarteros.domain.errors import ConfigError, TransientError
from smarteros.secrets.opening import is_key_beside_data
from smarteros.secrets.protocol import SecretKeeper
from smarteros.settings import Settings
from smarteros.store.database import Database
from smarteros.tenants.held_rows import held_tables

GB = 1_000_000_000
FAILS_BELOW_BYTES = GB // 2
WARNS_BELOW_BYTES = 5 * GB
# The directory of tenants is the installation's own: it must be read before anybody's scope is known.
_DIRECTORY = "tenants"
_ROLE = sa.text(
    """
SELECT current_user AS name, rolsuper OR rolbypassrls AS bypasses,
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'smos' AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS owns
  FROM pg_roles WHERE rolname = current_user
"""
)


@dataclass(frozen=True)
class OpenInstallation:
    """An installation whose database and secrets could be opened."""

    settings: Settings
    database: Database
    secrets: SecretKeeper


def before_opening() -> tuple[Group[Settings], ...]:
    """Return what can be looked at even where nothing can be opened."""
    return (
        Group(
            "contracts",
            lambda _: True,
            (Step("lint", _contracts, "Mend them: `smos contract lint` names every mistake by file and line."),),
        ),
        Group("disk", lambda _: True, (Step("space", _disk, "Make room where SMOS_DATA_DIR lies."),)),
    )


def when_open() -> tuple[Group[OpenInstallation], ...]:
    """Return what is looked at in an installation that opens."""
    roles = "Set SMOS_APP_DATABASE_URL to the same database as role smos_app, which owns nothing."
    return (
        Group(
            "database",
            lambda _: True,
            (
                Step("role", _role, roles),
                Step("row_security", _row_security, "Add the table to a migration with `keep_to_own_rows`."),
            ),
        ),
        Group(
            "secrets",
            lambda _: True,
            (
                Step("store", _secret_store, "See docs/secrets.md: is the key the right one, is Vault unsealed?"),
                Step("key", _secret_key, "Set SMOS_SECRETS_KEY or SMOS_SECRETS_KEY_FILE (docs/secrets.md)."),
            ),
        ),
    )


def _contracts(settings: Settings) -> Observed:
    found = mistakes(lint([settings.contracts_dir]))
    if found:
        raise ConfigError("contract_invalid", f"{found[0]}" + (f" (and {len(found) - 1} more)" if found[1:] else ""))
    return Observed(f"the contracts of {settings.contracts_dir} are in order")


def _disk(settings: Settings) -> Observed:
    place = settings.data_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < FAILS_BELOW_BYTES:
        raise TransientError("disk_full", f"Only {free / GB:.1f} GB are free at {place}.")
    return Observed(f"{free / GB:.1f} GB are free", warning=free < WARNS_BELOW_BYTES)


def _role(installation: OpenInstallation) -> Observed:
    with installation.database.installation() as connection:
        role = connection.execute(_ROLE).one()
    if role.bypasses or role.owns:
        why = "passes by row-level security" if role.bypasses else "owns tables"
        raise ConfigError("database_role_too_strong", f"Requests are served as {role.name}, who {why}.")
    return Observed(f"requests are served as {role.name}, who owns nothing")


def _row_security(installation: OpenInstallation) -> Observed:
    with installation.database.installation() as connection:
        tables = [table for table in held_tables(connection) if table.is_tenants_own and table.name != _DIRECTORY]
    open_ones = [table.name for table in tables if not (table.guarded and table.forced)]
    if open_ones:
        raise ConfigError("row_security_missing", f"Row-level security is not forced on {', '.join(open_ones)}.")
    return Observed(f"row-level security is forced on all {len(tables)} tables of tenants")


def _secret_store(installation: OpenInstallation) -> Observed:
    if not installation.secrets.answers():
        raise TransientError("secret_store_away", "The secret store cannot be read.")
    return Observed(f"secrets are in {'Vault' if installation.settings.secrets == 'vault' else 'an encrypted file'}")


def _secret_key(installation: OpenInstallation) -> Observed:
    if is_key_beside_data(installation.settings):
        return Observed("the key lies beside the data: a copy of the directory tells all secrets", warning=True)
    return Observed("the key is not beside the data")
