"""Is a tenant's Odoo there, does it know our key and for how long, and may the key's user read what the tools read?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

from smarteros.doctor.examination import Group, Observed, Step
from smarteros.domain.errors import ConfigError, SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.tools.deadline import Deadline
from smarteros.tools.odoo.client import OdooClient, company_of
from smarteros.tools.odoo.dialects import MODEL_MISSING
from smarteros.tools.odoo.records import FOUND
from smarteros.tools.odoo.tickets import ACTIVITY, HELPDESK

WITHIN_S = 10.0
WARN_DAYS = 14
"""Enough for somebody to make a new key: Odoo gives an internal user's key 90 days by itself."""
READ_BY_TOOLS = ("account.move", "account.move.line", "res.partner", "product.product", "ir.model", ACTIVITY)
_OUR_NAME = "smarteros"


class _Key(BaseModel):
    """An API key (res.users.apikeys), whose secret part nobody can read. ``expiration_date`` is UTC."""

    name: str
    expiration_date: datetime | Literal[False]


class _User(BaseModel):
    """The context of the key's user."""

    uid: int


class _Company(BaseModel):
    name: str


_USER = TypeAdapter(_User)
_FIELDS = TypeAdapter(dict[str, Any])
_KEYS = TypeAdapter(list[_Key])
_COMPANIES = TypeAdapter(list[_Company])


class OdooExamination:
    """Looks at the Odoos of the tenants."""

    def __init__(self, client: OdooClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def group(self) -> Group[Tenant]:
        """Return the steps; each rests on those before it."""
        return Group(
            "odoo",
            lambda tenant: self._client.secrets.find(tenant.scope, "odoo/instance_url") is not None,
            (
                Step(
                    "address",
                    self._address,
                    "Set secret odoo/instance_url to https://<host> of the tenant's Odoo.",
                    of_credentials=True,
                ),
                Step(
                    "key",
                    self._key,
                    "Make a new API key in Odoo and store it as secret odoo/api_key.",
                    of_credentials=True,
                ),
                Step("key_expiry", self._key_expiry, "Make a new API key in Odoo before this one expires."),
                Step(
                    "company",
                    self._company,
                    "Set odoo_company_id to a company the key's user may see.",
                    of_credentials=True,
                ),
                Step("rights", self._rights, "Give the key's user the rights named in docs/odoo.md."),
                Step("requests", self._requests, "Give the key's user access to activities or to the helpdesk."),
            ),
        )

    def key_days_left(self, tenant: Tenant) -> int | None:
        """Return the whole days until the tenant's API key expires; None when it never does.

        Which of a user's keys is ours cannot be read: the ones named after SmarterOS count, or all; of several the
        first to expire.
        """
        described = self._ask(tenant, "res.users.apikeys/fields_get", {"allfields": ["expiration_date"]}, _FIELDS)
        if "expiration_date" not in described:
            return None  # before 17.2 keys lived for ever
        user = self._ask(tenant, "res.users/context_get", {}, _USER)
        arguments = {"domain": [["user_id", "=", user.uid]], "fields": ["name", "expiration_date"]}
        keys = self._ask(tenant, "res.users.apikeys/search_read", arguments, _KEYS)
        ours = [key for key in keys if _OUR_NAME in key.name.casefold()] or keys
        return _days_left(ours, self._clock.now())

    def _address(self, tenant: Tenant) -> Observed:
        server = self._client.server(tenant, Deadline.after(WITHIN_S))
        dialect = type(server.dialect).__name__
        return Observed(f"Odoo {server.version} at {self._client.account(tenant).url}, spoken to by {dialect}")

    def _key(self, tenant: Tenant) -> Observed:
        user = self._ask(tenant, "res.users/context_get", {}, _USER)
        return Observed(f"the key is user {user.uid}'s")

    def _key_expiry(self, tenant: Tenant) -> Observed:
        try:
            days = self.key_days_left(tenant)
        except ConfigError as error:
            return Observed(f"the user may not see when the key expires ({error.code})", warning=True)
        if days is None:
            return Observed("the key does not expire")
        return Observed(f"the key expires in {days} days", warning=days < WARN_DAYS)

    def _company(self, tenant: Tenant) -> Observed:
        company = company_of(tenant)
        arguments = {"domain": [["id", "=", company]], "fields": ["name"]}
        found = self._ask(tenant, "res.company/search_read", arguments, _COMPANIES)
        if not found:
            raise ConfigError("odoo_company_missing", f"Odoo shows no company {company} to the key's user.")
        return Observed(f"company {company} is {found[0].name}")

    def _rights(self, tenant: Tenant) -> Observed:
        for model in READ_BY_TOOLS:
            self._first(tenant, model)
        return Observed(f"may read {', '.join(READ_BY_TOOLS)}")

    def _requests(self, tenant: Tenant) -> Observed:
        try:
            self._first(tenant, HELPDESK)
        except SmosError as error:
            if error.code not in (MODEL_MISSING, "odoo_access_refused"):
                raise
            return Observed("returns become activities on the invoice: there is no helpdesk for this user")
        return Observed("returns become helpdesk tickets")

    def _first(self, tenant: Tenant, model: str) -> None:
        self._ask(tenant, f"{model}/search_read", {"domain": [], "fields": ["id"], "limit": 1}, FOUND)

    def _ask(self, tenant: Tenant, method: str, arguments: dict[str, Any], shape: TypeAdapter[Any]) -> Any:
        return self._client.call(tenant, method, arguments, shape, Deadline.after(WITHIN_S))


def _days_left(keys: Sequence[_Key], now: datetime) -> int | None:
    """Return the days to the first end that is still to come; what has ended is not the key that works."""
    ends = [key.expiration_date.replace(tzinfo=UTC) for key in keys if key.expiration_date]
    coming = [end for end in ends if end > now]
    return (min(coming) - now).days if coming else None
