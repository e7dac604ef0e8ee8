"""``smos tenant dedicate``: one shop gets workers, a database and a secret store of its own, and moves there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.cli.tenant import PublicUrl, TenantId
from smarteros.domain.errors import ConfigError

if TYPE_CHECKING:
    from smarteros.bootstrap import Services
    from smarteros.dedicated.moving import Moved, Mover, Step
    from smarteros.dedicated.sides import Side

_SAID: Mapping[Step, str] = {
    "check": "looking at both installations",
    "copy": "copying its history while it works",
    "hold": "keeping its webhooks from now on",
    "drain": "waiting for its running turns",
    "freeze": "letting its rows stand still",
    "catch_up": "copying what has changed, and comparing every row",
    "switch": "letting it work there",
    "begin": "beginning the turns that waited",
    "pass_on": "passing on the webhooks that were kept",
    "point": "pointing its Chatwoot there",
}


def dedicate(
    tenant: TenantId,
    to: Annotated[Path, typer.Option("--to", help="Directory of its own installation; it is made when absent.")],
    public_url: PublicUrl = None,
    port: Annotated[int | None, typer.Option(help="Port it listens on.", show_default="ours + 1")] = None,
    settings: Annotated[
        str | None,
        typer.Option(help="Settings of its own, in an .env file: SMOS_DATABASE_URL, SMOS_SECRETS and so on; - too."),
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Give the move up, or bring the tenant back.")] = False,
    finish: Annotated[bool, typer.Option("--finish", help="Erase what is left of it here, once it has moved.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Give a shop an installation of its own, from this code, and move it there; no message is lost meanwhile.

    The first time it prepares the installation and copies the history; start `smos serve` there and ask again. Asked
    again it goes on wherever it was interrupted. Here the rows stand still until --finish (docs/dedicated.md).
    """
    if back and finish:
        raise typer.BadParameter("--back and --finish are two different things")
    from smarteros.bootstrap import open_services
    from smarteros.bootstrap.dedicated import opened_side
    from smarteros.cli.files import read_text
    from smarteros.dedicated.installing import own_settings

    with open_services(settings_with(data_dir)) as services:
        services.tenants.get(tenant)  # before anything is made
        further = None if settings is None else read_text(settings)
        own = own_settings(services.settings, to, tenant, public_url, port, further)
        with opened_side(own) as there:
            if finish:
                _finish(services, there, tenant, as_json=as_json)
            elif back:
                _back(services, there, tenant, as_json=as_json)
            else:
                _print(_mover(services, there, as_json=as_json).move(tenant), as_json=as_json)


def _mover(services: Services, there: Side, *, as_json: bool, comes_back: bool = False) -> Mover:
    from smarteros.bootstrap.dedicated import side_of
    from smarteros.dedicated.moving import Mover
    from smarteros.dedicated.passing_on import PassingOn
    from smarteros.kit.clock import SystemClock

    def tell(step: Step) -> None:
        if not as_json and step in _SAID:
            typer.echo(_SAID[step], err=True)

    here, clock = side_of(services), SystemClock()
    source, target = (there, here) if comes_back else (here, there)
    passing = PassingOn(source.database, source.tenants, source.secrets, services.http, clock, _nobody)
    return Mover(source, target, services.http, clock, passing, tell)


def _nobody(*_: object) -> None:
    """Take no webhook: of a tenant that stays, the workers of its installation do."""
    raise ConfigError("tenant_at_home", "A command takes no webhooks.")


def _finish(services: Services, there: Side, tenant: str, *, as_json: bool) -> None:
    erased = _mover(services, there, as_json=as_json).finish(tenant)
    if as_json:
        typer.echo(erased.model_dump_json(indent=2))
        return
    rows = sum(erased.rows.values())
    typer.echo(f"{tenant}: erased {rows} rows and {erased.secrets} secrets here; it works at {there.url}.")


def _back(services: Services, there: Side, tenant: str, *, as_json: bool) -> None:
    if _mover(services, there, as_json=as_json).stay(tenant):
        said = {"tenant_id": tenant, "state": "stays", "place": str(services.settings.data_dir.absolute())}
        typer.echo(json.dumps(said, indent=2) if as_json else f"{tenant}: it stays here, and answers again.")
        return
    if not services.settings.public_url:
        raise ConfigError("public_url_missing", "Set SMOS_PUBLIC_URL: the tenant's Chatwoot must find the way back.")
    _print(_mover(services, there, as_json=as_json, comes_back=True).move(tenant), as_json=as_json)


def _print(moved: Moved, *, as_json: bool) -> None:
    if as_json:
        typer.echo(moved.model_dump_json(indent=2))
        return
    if moved.state == "prepared":
        typer.echo(f"{moved.tenant_id}: {moved.rows} rows are copied to {moved.place}, and it goes on working here.")
        typer.echo(f"Start it: cd {moved.place} && smos serve. When {moved.url}/health is well, ask again.")
        return
    typer.echo(f"{moved.tenant_id}: it works at {moved.url} ({moved.rows} rows, {moved.secrets} secrets).")
    if moved.held_s:
        typer.echo(f"It stood still for {moved.held_s:.1f} s.")
    if moved.kept:
        typer.echo(f"{moved.kept} webhooks are still to be passed on; our workers do.")
    for line in moved.by_hand:
        typer.echo(line)
