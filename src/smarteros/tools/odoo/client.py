"""Talks to a tenant's Odoo, of whatever version.

Every call is confined to the tenant's company: ``allowed_company_ids`` is always in the context, so the same invoice
number in another company of the database is never found. Errors never carry the API key nor the traceback of Odoo. No
language is asked for: one that is not installed is an error in Odoo.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from smarteros.domain.errors import ConfigError, SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.deadline import Deadline, Monotonic
from smarteros.tools.faults import read_header_secret, tamed
from smarteros.tools.odoo.dialects import (
    FIRST_WITH_JSON2,
    MODEL_MISSING,
    SERVICE,
    Account,
    Dialect,
    Json2,
    log_in,
    major,
    version_of,
)

VERSION_BELIEVED_S = 3600.0
"""An Odoo is upgraded now and then; how long a version and a login are remembered."""

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class Server:
    """What was found out about an Odoo: its version, and the dialect that it speaks with this account."""

    version: str
    dialect: Dialect
    asked_at: float


@dataclass(frozen=True)
class OdooClient:
    """Asks the tenants' Odoos. Safe to use from many threads."""

    http: HttpClient
    secrets: SecretStore
    monotonic: Monotonic = time.monotonic
    _servers: dict[Account, Server] = field(default_factory=dict[Account, Server], repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def call(
        self,
        tenant: Tenant,
        method: str,
        arguments: dict[str, Any],
        shape: TypeAdapter[AnswerT],
        deadline: Deadline,
    ) -> AnswerT:
        """Call ``<model>/<method>`` with JSON-2's arguments and return its answer, tamed."""
        company = company_of(tenant)
        account = self.account(tenant)
        server = self.server(tenant, deadline)
        confined = {**arguments, "context": {"allowed_company_ids": [company]}}
        try:
            answer = server.dialect.call(self.http, account, method, confined, deadline.remaining_s())
        except SmosError as error:
            if error.code != MODEL_MISSING and not error.retryable:
                # A key that was replaced, a server that was upgraded: the next call finds out anew.
                self._forget(account)
            raise
        return tamed(SERVICE, shape, answer)

    def server(self, tenant: Tenant, deadline: Deadline) -> Server:
        """Return what is known of the tenant's Odoo; asks for its version, and logs in where that is needed."""
        account, now = self.account(tenant), self.monotonic()
        with self._lock:
            known = self._servers.get(account)
        if known is not None and now - known.asked_at < VERSION_BELIEVED_S:
            return known
        version = version_of(self.http, account.url, deadline.remaining_s())
        newest = major(version) >= FIRST_WITH_JSON2
        dialect = Json2() if newest else log_in(self.http, account, deadline.remaining_s())
        found = Server(version, dialect, now)
        with self._lock:
            self._servers[account] = found
        return found

    def account(self, tenant: Tenant) -> Account:
        """Return where the tenant's Odoo is and who asks it; ConfigError when a secret is missing or malformed."""
        return Account(
            url=self._base_url(tenant),
            api_key=read_header_secret(self.secrets, tenant.scope, "odoo/api_key"),
            database=tenant.odoo_database,
            login=self.secrets.find(tenant.scope, "odoo/login"),
            owner=tenant.tenant_id,
        )

    def _forget(self, account: Account) -> None:
        with self._lock:
            self._servers.pop(account, None)

    def _base_url(self, tenant: Tenant) -> str:
        url = self.secrets.read(tenant.scope, "odoo/instance_url").strip().rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ConfigError("secret_malformed", f"odoo/instance_url of {tenant.tenant_id} is not a plain URL.")
        return url


def company_of(tenant: Tenant) -> int:
    """Return the tenant's company in Odoo; without one no question is asked, for it would be asked of all."""
    if tenant.odoo_company_id is None:
        raise ConfigError("odoo_company_missing", f"{tenant.tenant_id} has no odoo_company_id.")
    return tenant.odoo_company_id
