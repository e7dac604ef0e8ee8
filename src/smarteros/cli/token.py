"""``smos token``: short-lived tokens for the tool endpoints."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, duration, settings_with
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TENANT_SUSPENDED

app = typer.Typer(help="Issue short-lived tenant tokens for the tool endpoints.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``issue`` a subcommand although it is the only one."""


@app.command()
def issue(
    tenant: Annotated[str, typer.Option(help="Tenant the token is for.")],
    ttl: Annotated[str, typer.Option(help="Life, for example 90s, 10m, 1h; at most 24h.")] = "10m",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="tools:read or tools:write; repeat it for both.", show_default="tools:read"),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Print a bearer token for ``/mcp`` and ``POST /api/tools/{tool}``."""
    from smarteros.bootstrap import open_services
    from smarteros.edge.tokens import LONGEST, READ, SCOPES

    life = duration(ttl, option="--ttl", at_most=LONGEST)
    scopes = [name for given in scope or [READ] for name in given.replace(",", " ").split()]
    if not scopes or not set(scopes) <= set(SCOPES):
        raise typer.BadParameter(f"the scopes are {' and '.join(SCOPES)}", param_hint="--scope")
    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get(tenant)
        if not found.active:
            raise ConfigError(TENANT_SUSPENDED, f"Tenant {tenant!r} is suspended; it gets no tokens.")
        expires_at = datetime.now(UTC) + life
        token = services.tokens.issue(found.scope, scopes, life)
    answer = {
        "token": token,
        "tenant_id": tenant,
        "scope": " ".join(scopes),
        "ttl": ttl,
        "expires_at": expires_at.isoformat(timespec="seconds"),
    }
    typer.echo(json.dumps(answer) if as_json else token)
