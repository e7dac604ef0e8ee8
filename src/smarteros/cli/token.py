"""``smos token``: short-lived tokens for the tool endpoints."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated

import typer

from smarteros.cli.options import DataDir, settings_with

app = typer.Typer(help="Issue short-lived tenant tokens for the tool endpoints.", no_args_is_help=True)
_UNITS = {"s": 1, "m": 60, "h": 3600}


@app.callback()
def _group() -> None:
    """Keep ``issue`` a subcommand although it is the only one."""


@app.command()
def issue(
    tenant: Annotated[str, typer.Option(help="Tenant the token is for.")],
    ttl: Annotated[str, typer.Option(help="Life, for example 90s, 10m, 1h.")] = "10m",
    scope: Annotated[str, typer.Option(help="What it allows.")] = "tools:read",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Print a bearer token for ``POST /api/tools/{tool}``."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        issued = services.tokens.issue(services.tenants.get(tenant).scope, scope, _duration(ttl))
    typer.echo(json.dumps({"token": issued, "tenant_id": tenant, "scope": scope, "ttl": ttl}) if as_json else issued)


def _duration(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or unit not in _UNITS or not 0 < int(number) * _UNITS[unit] <= 86_400:
        raise typer.BadParameter("expected a number with s, m or h, at most 24h", param_hint="--ttl")
    return timedelta(seconds=int(number) * _UNITS[unit])
