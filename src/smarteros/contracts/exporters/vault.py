"""A Vault (or OpenBao) set up for an installation: policies by tenant, and the roles that may use them.

The installation's own token reads nothing. It may only mint tokens of five minutes with one tenant's policy, so what
a turn of one shop holds opens no other shop. Two token roles: one whose tokens read, one whose tokens also write; the
servers' AppRole may use the first, the one of the operator's commands both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from smarteros.contracts.models import Contract
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope

# The engine of an installation that was told no other.
DEFAULT_MOUNT = "secret"
# Token roles. A role mints policies whose names begin with its own.
READERS = "smos-tenant"
WRITERS = "smos-tenant-writer"
# AppRoles, and the policies of the same names.
SERVER = "smos-server"
OPERATOR = "smos-operator"
# What a running turn reads whatever its contract says.
_OF_EVERY_FLOW = frozenset({"chatwoot", "botpress", "llm", "privacy"})
_CAPABILITIES = {READERS: ("read",), WRITERS: ("create", "read", "update")}
_APP_ROLES = {SERVER: (READERS,), OPERATOR: (READERS, WRITERS)}
_HEAD = """\
#!/bin/sh
# Written by `smos contract export vault`; every run writes the same for the same contracts and tenants.
# Run it with VAULT_ADDR and VAULT_TOKEN of an administrator. It may be run again; it changes only what it names.
# BAO is the program: bao (OpenBao) or vault.
set -eu
BAO="${BAO:-bao}"
"""
_FOOT = """\
# The servers' settings are SMOS_VAULT_ROLE_ID and SMOS_VAULT_SECRET_ID_FILE; for the operator's commands likewise:
#   "$BAO" read -field=role_id auth/approle/role/ROLE/role-id
#   (umask 077 && "$BAO" write -force -field=secret_id auth/approle/role/ROLE/secret-id > SECRET_ID_FILE)
"""


def role_in(mount: str, role: str) -> str:
    """Return the name of a token role or AppRole for an engine: one that is a single shop's has roles of its own."""
    return role if mount == DEFAULT_MOUNT else f"{mount}-{role}"


def policy_of(tenant_id: str, role: str) -> str:
    """Return the name of a tenant's policy for a token role. Vault lower-cases names; tenant ids have no lower case."""
    return f"{role}.{tenant_id.lower()}"


def vault_setup(contracts: Iterable[Contract], tenant_ids: Iterable[str], mount: str) -> str:
    """Write a shell script that sets a Vault up for these tenants; the same text for the same input.

    Of a tenant's secrets a policy opens the systems the contracts name, and what every flow needs. Raises ConfigError
    (code ``tenant_ids_collide``) for ids that are one and the same name for Vault.
    """
    tenants = sorted(set(tenant_ids))
    if len({tenant_id.lower() for tenant_id in tenants}) < len(tenants):
        raise ConfigError("tenant_ids_collide", "Two tenant ids differ in upper and lower case only.")
    scopes = [TenantScope(tenant_id=tenant_id) for tenant_id in tenants]
    systems = sorted(_OF_EVERY_FLOW.union(path.split("/")[0] for each in contracts for path in each.secrets))
    parts = (_engines(mount), _tenant_policies(scopes, systems, mount), _token_roles(mount), _app_roles(mount))
    return "\n".join((_HEAD, *chain.from_iterable(parts), _FOOT))


def _engines(mount: str) -> Iterator[str]:
    yield f'"$BAO" read "sys/mounts/{mount}" >/dev/null 2>&1 || "$BAO" secrets enable -path={mount} -version=2 kv'
    yield '"$BAO" read sys/auth/approle >/dev/null 2>&1 || "$BAO" auth enable approle'
    yield ""


def _tenant_policies(scopes: Sequence[TenantScope], systems: Sequence[str], mount: str) -> Iterator[str]:
    for scope in scopes:
        for role, capabilities in _CAPABILITIES.items():
            paths = [f"tenant/{scope.tenant_id}/{system}{end}" for system in systems for end in ("", "/*")]
            rules = [(f"{mount}/data/{path}", capabilities) for path in paths]
            if role == WRITERS:  # a shop that leaves takes its secrets' earlier versions with it
                rules.append((f"{mount}/metadata/tenant/{scope.tenant_id}/*", ("delete",)))
            yield _policy(policy_of(scope.tenant_id, role_in(mount, role)), rules)


def _token_roles(mount: str) -> Iterator[str]:
    for role in (role_in(mount, each) for each in _CAPABILITIES):
        yield (
            f"\"$BAO\" write auth/token/roles/{role} allowed_policies_glob='{policy_of('*', role)}' token_type=batch"
            " orphan=true renewable=false token_no_default_policy=true"
        )
    yield ""


def _app_roles(mount: str) -> Iterator[str]:
    for app_role, roles in _APP_ROLES.items():
        name = role_in(mount, app_role)
        paths = [(f"auth/token/create/{role_in(mount, role)}", ("update",)) for role in roles]
        yield _policy(name, [*paths, ("auth/token/renew-self", ("update",))])
        yield (
            f'"$BAO" write auth/approle/role/{name} token_policies={name} token_no_default_policy=true'
            " token_ttl=1h token_max_ttl=24h"
        )
    yield ""


def _policy(name: str, rules: Iterable[tuple[str, Sequence[str]]]) -> str:
    lines = [f'path "{path}" {{ capabilities = [{_quoted(allowed)}] }}' for path, allowed in rules]
    return "\n".join((f"\"$BAO\" policy write {name} - <<'HCL'", *lines, "HCL"))


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
