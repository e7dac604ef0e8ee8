"""``smos catalogue``: our copy of a shop's catalogue."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with

app = typer.Typer(help="Read a shop's catalogue into our copy, and look at the copy.", no_args_is_help=True)
TenantOption = Annotated[str, typer.Option(help="Tenant whose shop is meant.")]


@app.command()
def sync(tenant: TenantOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Read the whole catalogue now and subscribe to the shop's webhooks; workers do so once a day."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get(tenant)
        done = services.catalogues.keeper.compare(found, full=True)
        webhooks = services.catalogues.subscriber.ensure(found) if done.what == "full" else None
    if as_json:
        told = {**done.model_dump(), "webhooks": None if webhooks is None else webhooks.model_dump()}
        typer.echo(json.dumps(told))
    elif done.what == "skipped":
        typer.echo(f"{tenant} has no catalogue to copy (shopify/store_domain is not set, or shop_door is ucp)")
    else:
        typer.echo(f"{done.products} products, {done.read} read, {done.forgotten} no longer sold")
        if webhooks is not None:
            typer.echo(webhooks.told)


@app.command()
def show(
    tenant: TenantOption,
    limit: Annotated[int, typer.Option(min=0, max=1000, help="Most products to list.")] = 20,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Tell how old the copy is, what went wrong last, and what it holds."""
    from smarteros.bootstrap import open_services
    from smarteros.store.catalogue import count_products, state_of

    with open_services(settings_with(data_dir)) as services:
        scope = services.tenants.get(tenant).scope
        with services.database.tenant(scope) as connection:
            state = state_of(connection, scope.tenant_id)
            products = count_products(connection, scope.tenant_id)
        titles = [title.title for title, _ in zip(services.catalogues.copies.titles(scope), range(limit), strict=False)]
    if as_json:
        told = {
            "tenant_id": tenant,
            "products": products,
            "read_at": state.read_at.isoformat() if state.read_at else None,
            "compared_at": state.compared_at.isoformat() if state.compared_at else None,
            "problem": state.problem,
            "titles": titles,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    read_at = f"{state.read_at:%Y-%m-%d %H:%M} UTC" if state.read_at else "never"
    compared_at = f"{state.compared_at:%Y-%m-%d %H:%M} UTC" if state.compared_at else "never"
    typer.echo(f"{products} products, read {read_at}, compared {compared_at}")
    if state.problem:
        typer.echo(f"last problem: {state.problem}")
    for title in titles:
        typer.echo(f"  {title}")
