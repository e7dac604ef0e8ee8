"""A running stack as the runner sees it: what it consists of, its clock, its faults and what it wrote down."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx2
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from smarteros.contracts.models import Fault
from smarteros.domain.audit import AuditEvent
from smarteros.domain.errors import ConfigError, TransientError
from smarteros.domain.turns import TurnRecord

T = TypeVar("T")

TIMEOUT_S = 15.0


class _Info(BaseModel):
    """Part of ``GET /sandbox/info``; what the runner does not need is skipped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class InvoiceInfo(_Info):
    """An invoice that can be photographed. The URLs may be relative to the stack's."""

    number: str
    image_url: str
    blurred_image_url: str


class WebhookInfo(_Info):
    """Where Chatwoot sends a tenant's events, and the secret it signs them with."""

    kind: str
    url: str
    secret: str


class TenantInfo(_Info):
    """One demo shop."""

    tenant_id: str
    account_id: int
    inbox_identifiers: dict[str, str]
    invoices: tuple[InvoiceInfo, ...] = ()
    webhooks: tuple[WebhookInfo, ...] = ()


class SmarterosInfo(_Info):
    """Where the product itself listens."""

    url: str
    operator_token: str


class StackInfo(_Info):
    """The whole answer."""

    tenants: tuple[TenantInfo, ...]
    base_urls: dict[str, str]
    smarteros: SmarterosInfo

    def tenant(self, tenant_id: str) -> TenantInfo:
        """Return one demo shop."""
        for tenant in self.tenants:
            if tenant.tenant_id == tenant_id:
                return tenant
        raise ConfigError("unknown_tenant", f"the stack has no tenant {tenant_id}")


class Stack:
    """HTTP access to a stack. Close it after use."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.http = httpx2.Client(timeout=TIMEOUT_S, trust_env=False)
        self.info = self._read("GET", f"{self.url}/sandbox/info", TypeAdapter(StackInfo))

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def set_clock(self, tenant: TenantInfo, now: datetime | None) -> None:
        """Hold a tenant's Chatwoot at an instant, or let it run again (None)."""
        body = {"account_id": tenant.account_id, "now": now.isoformat() if now else None}
        self.call("POST", f"{self.url}/sandbox/clock", json=body)

    def set_fault(self, tenant: TenantInfo, fault: Fault) -> None:
        """Make one stand-in misbehave towards one tenant."""
        # Chatwoot knows accounts, the others know tenants.
        scope = str(tenant.account_id) if fault.service == "chatwoot" else tenant.tenant_id
        self.call("POST", f"{self.url}/sandbox/faults", json=fault.model_dump() | {"scope": scope})

    def clear_faults(self) -> None:
        """End all faults."""
        self.call("DELETE", f"{self.url}/sandbox/faults")

    def picture(self, tenant: TenantInfo, number: str, *, blurred: bool, timbre: str | None = None) -> bytes:
        """Fetch the picture of an invoice."""
        for invoice in tenant.invoices:
            if invoice.number == number:
                address = invoice.blurred_image_url if blurred else invoice.image_url
                asked = address if timbre is None else f"{address}?timbre={timbre}"
                return self.call("GET", urljoin(f"{self.url}/", asked)).content
        raise ConfigError("unknown_invoice", f"{tenant.tenant_id} has no invoice {number}")

    def turns(self, tenant_id: str, conversation_id: int) -> tuple[TurnRecord, ...]:
        """Read what was recorded of a conversation's turns."""
        params = {"tenant_id": tenant_id, "conversation_id": str(conversation_id)}
        answer = self._operator("/api/v1/turns", params, TypeAdapter(dict[str, tuple[TurnRecord, ...]]))
        return answer["turns"]

    def audit(self, tenant_id: str, conversation_id: int | None = None) -> tuple[AuditEvent, ...]:
        """Read audit events; tenant "" has those of refused senders."""
        params = {"tenant_id": tenant_id, "limit": "200"}
        if conversation_id is not None:
            params["conversation_id"] = str(conversation_id)
        answer = self._operator("/api/v1/audit", params, TypeAdapter(dict[str, tuple[AuditEvent, ...]]))
        return answer["events"]

    def call(self, method: str, url: str, **options: Any) -> httpx2.Response:
        """Send a request; anything but 2xx is an error (ConfigError: the stack is not what it should be)."""
        try:
            response = self.http.request(method, url, **options)
        except httpx2.HTTPError as error:
            raise TransientError("stack_unreachable", f"{method} {url}: {type(error).__name__}") from error
        if not response.is_success:
            raise ConfigError("stack_refused", f"{method} {url}: HTTP {response.status_code} {response.text[:200]}")
        return response

    def _operator(self, path: str, params: dict[str, str], shape: TypeAdapter[T]) -> T:
        bearer = {"Authorization": f"Bearer {self.info.smarteros.operator_token}"}
        address = self.info.smarteros.url.rstrip("/") + path
        return self._read("GET", address, shape, params=params, headers=bearer)

    def _read(self, method: str, url: str, shape: TypeAdapter[T], **options: Any) -> T:
        response = self.call(method, url, **options)
        try:
            return shape.validate_json(response.content)
        except ValidationError as error:
            raise ConfigError("stack_refused", f"{method} {url}: unexpected answer: {error}") from error
