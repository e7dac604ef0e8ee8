"""An installation to be measured: an embedded PostgreSQL, one shop, and ``smos serve`` processes on top."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from smarteros.bench.processes import Process
from smarteros.bench.traffic import ACCOUNT_ID, INBOX_ID
from smarteros.bootstrap import Services, open_services
from smarteros.domain.limits import AgreedLimits
from smarteros.domain.tenants import InboxSettings, Tenant
from smarteros.knowledge.markdown import parse_markdown
from smarteros.settings import Role, Settings
from smarteros.store.embedded import EmbeddedPostgres

TENANT = "TENANT_BENCH"
_HOURS = """---
category: horarios
---
# Horarios

## ¿Cuál es el horario de atención?
Atendemos de lunes a viernes de 10:00 a 19:00 y los sábados de 10:00 a 14:00.
"""


class Installation:
    """The shop and its database; processes are started by ``serve``."""

    def __init__(self, data_dir: Path, postgres: EmbeddedPostgres) -> None:
        self.data_dir = data_dir
        self.postgres = postgres

    def serve(self, role: Role, **environment: str) -> Process:
        """Start one more process."""
        return Process("serve", "--role", role, "--port", "0", "--data-dir", str(self.data_dir), **environment)

    def webhook_url(self, process: Process, tenant_id: str = TENANT) -> str:
        """The address of a shop's webhook on a process."""
        return f"{process.url}/webhooks/chatwoot/{_key_of(tenant_id)}"

    @property
    def postgres_pid(self) -> int:
        """The process id of the server."""
        path = self.data_dir / "postgres" / "cluster" / "postmaster.pid"
        return int(path.read_text().splitlines()[0])


@contextmanager
def open_installation(data_dir: Path, chatwoot_url: str, secret: str, **others: str) -> Generator[Installation]:
    """Make an installation with one shop in an empty directory, and with ``others``: Chatwoot's URL by tenant id."""
    with EmbeddedPostgres(data_dir / "postgres") as postgres:
        with open_services(Settings(data_dir=data_dir)) as services:
            for tenant_id, url in {TENANT: chatwoot_url, **others}.items():
                _add_shop(services, tenant_id, url, secret)
        yield Installation(data_dir, postgres)


def _add_shop(services: Services, tenant_id: str, chatwoot_url: str, secret: str) -> None:
    tenant = Tenant(
        tenant_id=tenant_id,
        name="Medida SpA",
        rut="76543210-3",
        tenant_key=_key_of(tenant_id),
        chatwoot_url=chatwoot_url,
        chatwoot_account_ids=(ACCOUNT_ID,),
        # Counted and looked at as for any shop, and never reached.
        limits=AgreedLimits(requests_per_minute=1_000_000, conversations_per_month=10_000_000),
        inboxes=(InboxSettings(inbox_id=INBOX_ID, channel="webwidget"),),
    )
    services.tenants.save(tenant)
    services.secrets.write(tenant.scope, "chatwoot/api_token", "measured")
    services.secrets.write(tenant.scope, "chatwoot/hmac_secret", secret)
    services.knowledge.replace(tenant.scope, (parse_markdown("horarios.md", _HOURS),))


def _key_of(tenant_id: str) -> str:
    return f"webhook-key-of-{tenant_id.lower()}"
