"""Odoo's JSON-2 API (Odoo 19 and later): ``POST /json/2/<model>/<method>`` with an API key.

Every call is confined to the tenant's company: the same invoice number exists in several companies of one Odoo.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from smarteros.domain.errors import ConfigError, PermanentError, SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.deadline import Deadline
from smarteros.tools.faults import read_header_secret, sorted_fault, tamed

SERVICE = "odoo"
# The body of an error may be cut, so it is not parsed: name and message come first, the traceback (debug) last.
_ERROR_NAME = re.compile(r'"name":\s*"([\w.]{1,100})"')
_ERROR_MESSAGE = re.compile(r'"message":\s*"((?:[^"\\]|\\.){0,200})')

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class OdooClient:
    """Asks one tenant's Odoo."""

    http: HttpClient
    secrets: SecretStore

    def call(
        self,
        tenant: Tenant,
        method: str,
        arguments: dict[str, Any],
        shape: TypeAdapter[AnswerT],
        deadline: Deadline,
    ) -> AnswerT:
        """Call ``<model>/<method>`` and return its answer, tamed."""
        body = {**arguments, "context": {"allowed_company_ids": [company_of(tenant)]}}
        try:
            answer = self.http.json(
                "POST",
                f"{self._base_url(tenant)}/json/2/{method}",
                headers=self._headers(tenant),
                json=body,
                timeout_s=deadline.remaining_s(),
            )
        except HttpFault as fault:
            raise _sorted_fault(fault) from fault
        return tamed(SERVICE, shape, answer)

    def _base_url(self, tenant: Tenant) -> str:
        url = self.secrets.read(tenant.scope, "odoo/instance_url").strip().rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ConfigError("secret_malformed", f"odoo/instance_url of {tenant.tenant_id} is not a plain URL.")
        return url

    def _headers(self, tenant: Tenant) -> dict[str, str]:
        headers = {"Authorization": f"bearer {read_header_secret(self.secrets, tenant.scope, 'odoo/api_key')}"}
        if tenant.odoo_database:
            headers["X-Odoo-Database"] = tenant.odoo_database
        return headers


def company_of(tenant: Tenant) -> int:
    """Return the tenant's company in Odoo; without one no question is asked, for it would be asked of all."""
    if tenant.odoo_company_id is None:
        raise ConfigError("odoo_company_missing", f"{tenant.tenant_id} has no odoo_company_id.")
    return tenant.odoo_company_id


def _sorted_fault(fault: HttpFault) -> SmosError:
    """Sort a fault. A Python error inside Odoo (HTTP 500) is our request's fault and will not pass by itself."""
    name, message = _ERROR_NAME.search(fault.body), _ERROR_MESSAGE.search(fault.body)
    said = " ".join(match[1] for match in (name, message) if match)
    if fault.status == 500 and name and name[1].startswith("builtins."):
        return PermanentError("odoo_request_refused", f"{fault}. {said}")
    return sorted_fault(SERVICE, fault, said=said)
