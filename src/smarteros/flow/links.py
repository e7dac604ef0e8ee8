"""Addresses in the note with which a conversation is handed to people; customers never see them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.secrets.protocol import SecretStore


@dataclass(frozen=True)
class Links:
    """Makes the addresses; None where it is not known at which one a system is found.

    ``own_url`` is where people reach this installation.
    """

    own_url: str | None = None
    secrets: SecretStore | None = None

    def turn(self, turn_id: str) -> str | None:
        """The turn in our console."""
        return None if self.own_url is None else f"{self.own_url.rstrip('/')}/console/turns/{quote(turn_id, safe=':')}"

    def order(self, tenant: Tenant, number: str) -> str | None:
        """The order in Shopify's admin, which searches for the name: its own id is not looked up for customers."""
        shop = tenant.shopify_url or self._base(tenant, "shopify/store_domain")
        return None if shop is None else f"{shop}/admin/orders?query={quote(f'name:{number}', safe='')}"

    def invoice(self, tenant: Tenant, record_id: int | None) -> str | None:
        """The invoice in Odoo; this form of address is understood from Odoo 14 on (18 leads on to its own)."""
        base = None if record_id is None else self._base(tenant, "odoo/instance_url")
        return None if base is None else f"{base}/web#id={record_id}&model=account.move&view_type=form"

    def _base(self, tenant: Tenant, path: str) -> str | None:
        """A link is not worth a hand-over: without the secret there is none."""
        try:
            found = self.secrets.find(tenant.scope, path) if self.secrets is not None else None
        except SmosError:
            return None
        if not found:
            return None
        return (found if "://" in found else f"https://{found}").rstrip("/")
