"""Taking a shop on: it becomes a tenant, we become its bot, and its keys go to the secret store.

Done again it changes only what differs, and says what that was.
"""

from __future__ import annotations

import secrets as random_secrets
from dataclasses import dataclass

from smarteros.channels.chatwoot.registration import Registration, register
from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model
from smarteros.domain.tenants import InboxSettings, Tenant
from smarteros.kit.http import HttpClient
from smarteros.privacy.wrapping import PATH as WRAPPING_KEYS
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.secrets.protocol import SecretStore
from smarteros.store.database import Database
from smarteros.tenants.application import Application
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.noting import note_change

BOT_NAME = "SmarterOS"
_USER_TOKEN = "chatwoot/user_token"  # noqa: S105 - its path, not a token


class Enrolment(Model):
    """What taking a shop on has changed, in the order in which it was done; nothing when all was in place."""

    tenant: Tenant
    created: bool
    changes: tuple[str, ...]
    webhook_url: str


def webhook_path(tenant_key: str) -> str:
    """Return the path of a tenant's own webhook URL."""
    return f"/webhooks/chatwoot/{tenant_key}"


def webhook_end(tenant: Tenant) -> str:
    """Return the end of the URL Chatwoot sends a tenant's webhooks to, by which its bot is known: ours, or n8n's."""
    return _n8n_url(tenant) or webhook_path(tenant.tenant_key)


def webhook_url(tenant: Tenant, public_url: str) -> str:
    """Return the URL Chatwoot sends a tenant's webhooks to."""
    return _n8n_url(tenant) or public_url + webhook_path(tenant.tenant_key)


def _n8n_url(tenant: Tenant) -> str | None:
    return tenant.n8n_webhook_url if tenant.orchestration == "n8n" else None


@dataclass(frozen=True)
class Enroller:
    """Takes shops on. ``public_url`` is where Chatwoot reaches this installation, without trailing slash."""

    http: HttpClient
    tenants: TenantDirectory
    secrets: SecretStore
    database: Database
    public_url: str

    def enrol(self, application: Application) -> Enrolment:
        """Make a shop a tenant, or change one to what the application says.

        Raises ConfigError: ``tenant_id_taken`` and ``account_taken`` for what is another shop's, ``user_token_missing``
        without an administrator's token of Chatwoot, and what ``Tenant.require_at_home`` and ``register`` raise;
        nothing was changed here then.
        """
        known = self.tenants.find(application.tenant_id)
        if known is not None and known.rut != application.rut:
            raise ConfigError(
                "tenant_id_taken", f"Tenant {known.tenant_id} is {known.name} ({known.rut}), another business."
            )
        if known is not None:
            known.require_at_home()
        tenant = application.tenant(known, known.tenant_key if known else random_secrets.token_urlsafe(24))
        self.tenants.require_free(tenant)
        address = webhook_url(tenant, self.public_url)
        starts_open = _starting_open(application, known)
        registration = self._register(application, tenant, address, starts_open)
        tenant = tenant.model_copy(update={"inboxes": _inboxes(registration, starts_open)})
        changes = [*registration.done, *_changed_settings(known, tenant)]
        if tenant != known:
            self.tenants.save(tenant)
        changes += self._write_secrets(tenant, application, registration)
        if changes:
            note_change(self.database, tenant.scope, "tenant_changed" if known else "tenant_added", changes=changes)
        return Enrolment(tenant=tenant, created=known is None, changes=tuple(changes), webhook_url=address)

    def _register(
        self, application: Application, tenant: Tenant, address: str, starts_open: frozenset[int]
    ) -> Registration:
        user_token = application.secrets.get(_USER_TOKEN) or self.secrets.find(tenant.scope, _USER_TOKEN)
        if user_token is None:
            raise ConfigError("user_token_missing", f"An administrator's token is missing: secret {_USER_TOKEN}.")
        return register(
            self.http,
            chatwoot_url=tenant.chatwoot_url,
            account_id=application.account_id,
            user_token=user_token,
            webhook_url=address,
            bot_name=BOT_NAME,
            starts_open=starts_open,
        )

    def _write_secrets(self, tenant: Tenant, application: Application, registration: Registration) -> list[str]:
        """Chatwoot's own secrets cannot be chosen: what it says now is right, whatever was held before."""
        wanted: dict[str, str | None] = {
            **application.secrets,
            "chatwoot/api_token": registration.bot_token,
            "chatwoot/hmac_secret": registration.secret,
            "chatwoot/webhook_secret": registration.webhook_secret,
        }
        if self.secrets.find(tenant.scope, "botpress/api_key") is None:
            wanted.setdefault("botpress/api_key", random_secrets.token_urlsafe(24))
        written: list[str] = []
        for path, value in wanted.items():
            if value is not None and self.secrets.find(tenant.scope, path) != value:
                self.secrets.write(tenant.scope, path, value)
                written.append(f"set secret {path}")
        # Here, because a server may not be allowed to write secrets.
        if KeyWrapping(self.secrets).make_key(tenant.scope):
            written.append(f"set secret {WRAPPING_KEYS}")
        return written


def _starting_open(application: Application, known: Tenant | None) -> frozenset[int]:
    if known is None or "starts_open" in application.model_fields_set:
        return frozenset(application.starts_open)
    return frozenset(inbox.inbox_id for inbox in known.inboxes if inbox.starts == "open")


def _inboxes(registration: Registration, starts_open: frozenset[int]) -> tuple[InboxSettings, ...]:
    """The inboxes as Chatwoot tells them. ConfigError when one that was named is none of them."""
    if missing := starts_open - {inbox.inbox_id for inbox in registration.inboxes}:
        raise ConfigError("inbox_unknown", f"Chatwoot has no inbox {min(missing)} that we could answer in.")
    return tuple(
        InboxSettings(
            inbox_id=inbox.inbox_id,
            channel=inbox.channel,
            starts="open" if inbox.inbox_id in starts_open else "pending",
        )
        for inbox in registration.inboxes
    )


def _changed_settings(known: Tenant | None, tenant: Tenant) -> list[str]:
    if known is None:
        return [f"added tenant {tenant.tenant_id}"]
    before, after = known.model_dump(), tenant.model_dump()
    return [f"changed {name}" for name in after if after[name] != before[name]]
