"""``smos slo``: what is left of the error budgets, by tenant and flow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from smarteros.cli.options import AsJson, DataDir, settings_with

if TYPE_CHECKING:
    from smarteros.observability.slo import Budget

_COLUMNS = ("flow", "promised", "reached", "turns", "missed", "left", "burns")


def slo(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show how the flows keep their promises: turns, how many ended well, what is left of the error budget.

    Counted from the records of the turns, as the Prometheus rules count. Exit code 1 when a budget is spent.
    """
    from smarteros.bootstrap import open_services
    from smarteros.store.promises import budgets_of

    now, found = datetime.now(UTC), list["Budget"]()
    with open_services(settings_with(data_dir)) as services:
        for each in (services.tenants.get(tenant),) if tenant else services.tenants.all():
            with services.database.tenant(each.scope) as connection:
                found += budgets_of(connection, each.tenant_id, services.contracts, now)
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False, indent=2))
    else:
        _print(found)
    raise typer.Exit(1 if any(each.left is not None and each.left < 0 for each in found) else 0)


def _print(found: Sequence[Budget]) -> None:
    console = Console()
    for tenant_id, its in groupby(found, key=lambda each: each.tenant_id):
        table = Table(*_COLUMNS, title=tenant_id, title_justify="left", box=None)
        for each in its:
            table.add_row(
                each.flow_id,
                f"{each.objective} {each.promised:.1%} in {each.window}",
                _share(each.reached),
                str(each.turns),
                str(each.bad),
                _share(each.left),
                "-" if each.burn_rate is None else f"{each.burn_rate:.1f}x",
            )
        console.print(table)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
