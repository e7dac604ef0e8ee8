"""Webhooks that came to this installation for a tenant of another one, and were kept, are passed on.

Chatwoot may send to the old address as long as it likes: what was kept is signed anew and posted to where the tenant
works now, in order and until it is taken. Its event's key makes a second delivery harmless. Of a tenant that has come
back, or whose move was given up, they are taken here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog

from smarteros.channels.chatwoot.signatures import sign_legacy, sign_v1
from smarteros.domain.errors import RejectedInputError, SmosError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.kit.recurring import Recurring
from smarteros.secrets.protocol import SecretStore
from smarteros.store.database import Database
from smarteros.store.kept import KeptWebhook, count_kept, kept_of, remove_kept, tenants_with_kept, try_lock_kept
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.enrolment import webhook_path

_log = structlog.get_logger()

EVERY_S = 1.0
_AT_ONCE = 20
_TIMEOUT_S = 5.0
# The lock is let go and taken again after so long: the server ends a transaction that is idle for 15 s.
_LOCKED_S = 5.0
# Somebody else answers there, or it does not know the tenant yet. Any other refusal is one of this webhook alone.
_NOT_READY = frozenset({401, 403, 404, 408, 429})

Take = Callable[[bytes, Mapping[str, str], str], object]
"""Takes a webhook of a tenant that is at home: its body, its headers by lower-case name, the tenant's key."""


class Passed(Model):
    """What became of a tenant's kept webhooks: how many were passed on, and how many are still kept."""

    passed: int
    left: int


@dataclass(frozen=True)
class PassingOn:
    """Passes kept webhooks on. Any number of processes may; one at a time passes on those of a tenant."""

    database: Database
    tenants: TenantDirectory
    secrets: SecretStore
    http: HttpClient
    clock: Clock
    take: Take
    monotonic: Callable[[], float] = time.monotonic

    def tenant(self, tenant: Tenant) -> Passed:
        """Pass on what is kept of a tenant, as far as the other side takes it."""
        passed, after = 0, 0
        while after is not None and (tenant.move is None or tenant.move.done):
            some, after = self._some(tenant, after)
            passed += some
        with self.database.tenant(tenant.scope) as connection:
            return Passed(passed=passed, left=count_kept(connection, tenant.tenant_id))

    def _some(self, tenant: Tenant, after: int) -> tuple[int, int | None]:
        """Pass on the next few; returns how many were, and behind which one to go on, None for not now."""
        passed, last = 0, after
        # The transaction only holds the lock: it ends by itself when this process dies.
        with self.database.installation() as lock:
            if not try_lock_kept(lock, tenant.tenant_id):
                return 0, None
            with self.database.tenant(tenant.scope) as connection:
                kept = kept_of(connection, tenant.tenant_id, after, _AT_ONCE)
            until = self.monotonic() + _LOCKED_S
            for webhook in kept:
                if self.monotonic() > until:
                    return passed, last
                last = webhook.kept_id
                try:
                    self._pass_on(tenant, webhook)
                except (SmosError, HttpFault) as error:
                    _log.warning("kept_webhook_waits", tenant=tenant.tenant_id, error=str(error))
                    if not _concerns_it_alone(error):
                        return passed, None
                    continue
                with self.database.tenant(tenant.scope) as connection:
                    remove_kept(connection, tenant.tenant_id, webhook.kept_id)
                passed += 1
        return passed, last if len(kept) == _AT_ONCE else None

    def _pass_on(self, tenant: Tenant, webhook: KeptWebhook) -> None:
        headers = self._signed(tenant, webhook)
        if tenant.move is None:
            self.take(webhook.body, headers, tenant.tenant_key)
            return
        headers["content-type"] = "application/json"
        url = tenant.move.to + webhook_path(tenant.tenant_key)
        self.http.request("POST", url, headers=headers, content=webhook.body, timeout_s=_TIMEOUT_S)

    def _signed(self, tenant: Tenant, webhook: KeptWebhook) -> dict[str, str]:
        """Sign as the tenant's Chatwoot does: one that still signs in the old way must not seem to have ended that."""
        scope, delivery = tenant.scope, webhook.delivery_id
        headers = {} if delivery is None else {"x-chatwoot-delivery": delivery}
        if tenant.signature_mode != "v1" and not self.tenants.v1_signature_seen(tenant.tenant_id):
            legacy = self.secrets.find(scope, "chatwoot/legacy_hmac_secret")
            secret = legacy or self.secrets.read(scope, "chatwoot/hmac_secret")
            return headers | {"x-chatwoot-signature": sign_legacy(webhook.body, secret)}
        of_bot = self.secrets.find(scope, "chatwoot/hmac_secret")
        secret = of_bot or self.secrets.read(scope, "chatwoot/webhook_secret")
        now = int(self.clock.now().timestamp())
        stamp = {"x-chatwoot-timestamp": str(now), "x-chatwoot-signature": sign_v1(webhook.body, secret, now)}
        return headers | stamp


def _concerns_it_alone(error: SmosError | HttpFault) -> bool:
    """Tell whether another webhook may be taken where this one was not."""
    if isinstance(error, HttpFault):
        return error.status is not None and 400 <= error.status < 500 and error.status not in _NOT_READY
    return isinstance(error, RejectedInputError)


@dataclass
class PassingOnLoop:
    """Passes on what is kept, every second from ``start`` to ``stop``. ``owner`` is this object's own."""

    passing: PassingOn
    owner: sa.Engine
    _rounds: Recurring = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is done before ``start``."""
        self._rounds = Recurring("kept-webhooks", self._round, every_s=EVERY_S)

    def start(self) -> None:
        """Begin."""
        self._rounds.start()

    def stop(self) -> None:
        """End after the tenant whose webhooks are passed on; waits for it, not longer than five seconds."""
        self._rounds.stop()
        self.owner.dispose()

    def _round(self) -> None:
        with self.owner.connect() as connection:
            waiting = tenants_with_kept(connection)
        for tenant_id in self._rounds.until_stopped(waiting):
            tenant = self.passing.tenants.find(tenant_id)
            if tenant is not None:
                self.passing.tenant(tenant)
