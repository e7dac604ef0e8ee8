"""Which of a shop's addresses lead into a private network, and whether the operator has said that they may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from smarteros.channels.outside import resolve_all
from smarteros.doctor.examination import Group, Observed, Step
from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.addresses import is_public
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretStore

_IN_SECRETS = ("odoo/instance_url", "shopify/store_domain")


@dataclass(frozen=True)
class AddressExamination:
    """Looks at the addresses an operator has typed in for a shop.

    Without a list every private host is asked; the group says which ones that opens. With one, a host that is not on
    it fails in its own system's group.
    """

    http: HttpClient
    secrets: SecretStore
    resolve: Callable[[str, int], tuple[str, ...]] = resolve_all

    def group(self) -> Group[Tenant]:
        """Return the step."""
        remedy = (
            "Set SMOS_PRIVATE_HOSTS to the hosts named here, with commas, where they are yours; where not, the shop"
            " must not have them. From then on no other private address is asked (docs/security.md)."
        )
        return Group("addresses", lambda _: True, (Step("private", self._private, remedy, of_credentials=True),))

    def _private(self, tenant: Tenant) -> Observed:
        guard = self.http.guard
        if guard is not None and guard.private_hosts is not None:
            return Observed("no private host is asked but those that SMOS_PRIVATE_HOSTS names")
        private = [f"{host} ({name})" for name, host in self._hosts(tenant) if self._is_private(host)]
        if not private:
            return Observed("no address leads into a private network")
        return Observed(f"asked although private, for SMOS_PRIVATE_HOSTS is unset: {', '.join(private)}", warning=True)

    def _hosts(self, tenant: Tenant) -> Iterator[tuple[str, str]]:
        urls = {
            "chatwoot_url": tenant.chatwoot_url,
            "shopify_url": tenant.shopify_url,
            "llm.base_url": tenant.llm and tenant.llm.base_url,
            "botpress.url": tenant.botpress and tenant.botpress.url,
            **{path: self._secret(tenant, path) for path in _IN_SECRETS},
        }
        seen = set[str]()
        for name, url in urls.items():
            host = urlsplit(url if "://" in url else f"//{url}").hostname if url else None
            if host and host not in seen:
                seen.add(host)
                yield name, host

    def _secret(self, tenant: Tenant, path: str) -> str | None:
        try:
            return self.secrets.find(tenant.scope, path)
        except SmosError:
            return None  # the store's own line tells

    def _is_private(self, host: str) -> bool:
        try:
            return not all(map(is_public, self.resolve(host, 443)))
        except (OSError, UnicodeError):
            return False  # nothing is there to be asked; its own system's line tells
