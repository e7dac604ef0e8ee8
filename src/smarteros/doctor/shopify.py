"""Is a tenant's shop there, does it know our credentials, does the API version last, is our copy of it young?"""

from __future__ import annotations

from pydantic import AliasPath, BaseModel, Field

from smarteros.doctor.examination import Group, Observed, Step
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import in_santiago
from smarteros.tools.deadline import Deadline
from smarteros.tools.mirror.opening import ShopCatalogues
from smarteros.tools.shopify.versions import expiry_warning

WITHIN_S = 10.0
SHOP_DOCUMENT = "query ReadShop { shop { name currencyCode } }"
SCOPES_DOCUMENT = "query ReadScopes { currentAppInstallation { accessScopes { handle } } }"
FIRST_SCOPE = "read_products"
NEEDED_SCOPES = (FIRST_SCOPE, "read_inventory", "read_orders")


class AccessScope(BaseModel):
    """A right of the app."""

    handle: str


class AppAnswer(BaseModel):
    """Data of SCOPES_DOCUMENT."""

    scopes: list[AccessScope] = Field(validation_alias=AliasPath("currentAppInstallation", "accessScopes"))


class ShopAnswer(BaseModel):
    """Data of SHOP_DOCUMENT."""

    name: str = Field(validation_alias=AliasPath("shop", "name"))
    currency: str = Field(validation_alias=AliasPath("shop", "currencyCode"))


class ShopifyExamination:
    """Looks at the Shopify shops of the tenants."""

    def __init__(self, catalogues: ShopCatalogues) -> None:
        self._catalogues = catalogues

    def group(self) -> Group[Tenant]:
        """Return the steps; each rests on those before it."""
        return Group(
            "shopify",
            self._catalogues.client.may_ask,
            (
                Step(
                    "domain",
                    self._domain,
                    "Set secret shopify/store_domain to the shop's <name>.myshopify.com.",
                    of_credentials=True,
                ),
                Step(
                    "credentials",
                    self._credentials,
                    "Set shopify/client_id and shopify/client_secret (or shopify/admin_token); docs/shopify.md.",
                    of_credentials=True,
                ),
                Step(
                    "scopes",
                    self._scopes,
                    f"Give the app the scopes {', '.join(NEEDED_SCOPES)} and install it again; docs/shopify.md.",
                    of_credentials=True,
                ),
                Step("version", self._version, "Set SMOS_SHOPIFY_API_VERSION to a newer version."),
                Step(
                    "webhooks",
                    self._webhooks,
                    "Set shopify/client_secret and SMOS_PUBLIC_URL (https), then run `smos catalogue sync`.",
                ),
                Step("catalogue", self._catalogue, "Run `smos catalogue sync` and look at what it says."),
            ),
        )

    def _domain(self, tenant: Tenant) -> Observed:
        return Observed(self._catalogues.client.store_domain(tenant))

    def _credentials(self, tenant: Tenant) -> Observed:
        deadline = Deadline.after(WITHIN_S)
        shop = self._catalogues.client.query(tenant, SHOP_DOCUMENT, {}, ShopAnswer, deadline)
        return Observed(f"{shop.name}, sells in {shop.currency}")

    def _scopes(self, tenant: Tenant) -> Observed:
        deadline = Deadline.after(WITHIN_S)
        app = self._catalogues.client.query(tenant, SCOPES_DOCUMENT, {}, AppAnswer, deadline)
        # A right to write includes the one to read.
        granted = {scope.handle.replace("write_", "read_", 1) for scope in app.scopes}
        missing = [scope for scope in NEEDED_SCOPES if scope not in granted]
        if FIRST_SCOPE in missing:
            raise ConfigError("shopify_scopes_missing", f"The app may not {', '.join(missing)}.")
        if missing:
            return Observed(f"the app may not {', '.join(missing)}: such questions go to people", warning=True)
        return Observed(f"the app may {', '.join(NEEDED_SCOPES)}")

    def _version(self, _tenant: Tenant) -> Observed:
        version = self._catalogues.client.version
        warning = expiry_warning(version, in_santiago(self._catalogues.clock.now()).date())
        return Observed(warning or version, warning=warning is not None)

    def _webhooks(self, tenant: Tenant) -> Observed:
        found = self._catalogues.subscriber.look(tenant)
        return Observed(found.told, warning=found.problem is not None or bool(found.missing))

    def _catalogue(self, tenant: Tenant) -> Observed:
        as_of = self._catalogues.copies.as_of(tenant)
        if as_of is None:
            raise ConfigError("catalogue_not_read", "There is no copy of the catalogue of the last 24 h.")
        return Observed(f"compared with the shop {as_of:%Y-%m-%d %H:%M} UTC")
