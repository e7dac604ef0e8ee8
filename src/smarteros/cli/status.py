"""``smos status``: every tenant at a glance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.cli.tables import print_table, whole

if TYPE_CHECKING:
    from smarteros.bootstrap import Services
    from smarteros.domain.tenants import Tenant
    from smarteros.tenants.status import TenantStatus

_ASKED_AT_A_TIME = 16


def status(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show of every tenant: state, today's turns, what waits, the last webhook, and whether its systems answer.

    Exit code 1 when a system of an active tenant does not answer.
    """
    from smarteros.bootstrap import open_services
    from smarteros.tenants.status import status_of

    now = datetime.now(UTC)
    with open_services(settings_with(data_dir)) as services:
        chosen = (services.tenants.get(tenant),) if tenant else services.tenants.all()
        answers = _answers(services, chosen)
        found = [status_of(services.database, each, answers[each.tenant_id], now) for each in chosen]
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False, indent=2))
    else:
        _print(found, now)
    away = any(each.state == "active" and not all(each.systems.values()) for each in found)
    raise typer.Exit(1 if away else 0)


def _answers(services: Services, tenants: Sequence[Tenant]) -> dict[str, dict[str, bool]]:
    """Ask every outside system whether anybody is there, each address once however many tenants use it."""
    from smarteros.bootstrap.health import answers, outside_urls

    urls = {tenant.tenant_id: outside_urls(services, tenant) for tenant in tenants}
    addresses = sorted({url for of_tenant in urls.values() for _, url in of_tenant})
    with ThreadPoolExecutor(_ASKED_AT_A_TIME) as pool:
        known = dict(zip(addresses, pool.map(partial(answers, services.http), addresses), strict=True))
    return {tenant_id: {name: known[url] for name, url in of_tenant} for tenant_id, of_tenant in urls.items()}


def _print(found: Sequence[TenantStatus], now: datetime) -> None:
    table = Table(
        whole("tenant"),
        "state",
        "turns today",
        "answered",
        "handed over",
        "failed",
        "waiting",
        "last webhook",
        "systems",
    )
    for each in found:
        waiting = f"{each.waiting} ({each.oldest_waiting_s} s)" if each.waiting else "0"
        table.add_row(
            each.tenant_id,
            each.state,
            str(each.turns),
            str(each.answered),
            str(each.handed_over),
            str(each.failed),
            waiting,
            _ago(each.last_webhook_at, now),
            " ".join(_system(each, name, now) for name in each.systems),
        )
    print_table(table)


def _system(of: TenantStatus, name: str, now: datetime) -> str:
    since = of.down_since.get(name)
    mark = "✓" if of.systems[name] else "✗"
    return f"{name} {mark}" + (f" (down since {_ago(since, now)})" if since else "")


def _ago(instant: datetime | None, now: datetime) -> str:
    if instant is None:
        return "never"
    seconds = max(0, round((now - instant).total_seconds()))
    if seconds < 120:
        return f"{seconds} s ago"
    return f"{seconds // 60} min ago" if seconds < 7200 else f"{seconds // 3600} h ago"
