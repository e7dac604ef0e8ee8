"""Are the keys of a shop's contacts wrapped? One that is not lies open in a copy of the database."""

from __future__ import annotations

from dataclasses import dataclass

from smarteros.doctor.examination import Group, Observed, Step
from smarteros.domain.tenants import Tenant
from smarteros.privacy.wrapping import PATH
from smarteros.secrets.protocol import SecretStore
from smarteros.store.contacts import count_unwrapped
from smarteros.store.database import Database


@dataclass(frozen=True)
class PrivacyExamination:
    """Looks at the wrapping of contacts' keys.

    Workers wrap what is not wrapped by themselves, but in Vault they may not make the key for it: a shop from before
    there was one has none until its operator makes it.
    """

    database: Database
    secrets: SecretStore

    def group(self) -> Group[Tenant]:
        """Return the step."""
        remedy = "Run `smos contact rewrap --tenant ID` with the operator's rights, once; workers see to the rest."
        return Group("privacy", lambda _: True, (Step("contact_keys", self._contact_keys, remedy),))

    def _contact_keys(self, tenant: Tenant) -> Observed:
        with self.database.tenant(tenant.scope) as connection:
            unwrapped = count_unwrapped(connection, tenant.tenant_id)
        if not unwrapped:
            return Observed("no contact's key lies unwrapped in the database")
        if self.secrets.find(tenant.scope, PATH) is None:
            return Observed(f"{unwrapped} contacts' keys lie unwrapped: there is no secret {PATH}", warning=True)
        return Observed(f"{unwrapped} contacts' keys lie unwrapped until the workers' next round", warning=True)
