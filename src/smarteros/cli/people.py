"""``smos people``: who may sign in to the console."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.cli.tables import print_table
from smarteros.domain.people import Person, Role
from smarteros.settings import Settings

if TYPE_CHECKING:
    from smarteros.bootstrap import Services

app = typer.Typer(help="Let people in to the console, and shut them out.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="E-mail address the person signs in with.")]


@app.command()
def invite(
    email: Annotated[str, typer.Option(help="E-mail address the person will sign in with.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    tenant: Annotated[
        str | None, typer.Option(help="Tenant of a tenant_admin or agent; an auditor without one sees all.")
    ] = None,
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Add a person and print the one-time link with which a password is chosen; it is good for three days."""
    from smarteros.bootstrap import open_services
    from smarteros.bootstrap.console import open_door

    settings = settings_with(data_dir)
    with open_services(settings) as services:
        person, token = open_door(services)[1].invite(email, role, tenant, name=name)
    _show_link(settings, person, token, as_json=as_json)


@app.command("list")
def list_people(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's people.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List who may sign in."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        found = _people(services, tenant)
    if as_json:
        typer.echo(json.dumps([person.model_dump(mode="json") for person in found], ensure_ascii=False))
        return
    table = Table(box=None, header_style="dim")
    for head in ("e-mail", "name", "role", "tenant", "state"):
        table.add_column(head)
    for person in found:
        table.add_row(person.email, person.name, person.role, person.tenant_id or "all", _state(person))
    print_table(table)


@app.command()
def disable(email: Email, data_dir: DataDir = None) -> None:
    """Shut a person out: open sessions and links end at once."""
    from smarteros.bootstrap import open_services
    from smarteros.bootstrap.console import open_door

    with open_services(settings_with(data_dir)) as services:
        open_door(services)[1].disable(email)
    typer.echo("disabled")


@app.command()
def reset(email: Email, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """End a person's sessions and print a new one-time link; it works while signing in has to wait."""
    from smarteros.bootstrap import open_services
    from smarteros.bootstrap.console import open_door

    settings = settings_with(data_dir)
    with open_services(settings) as services:
        person, token = open_door(services)[1].reset(email)
    _show_link(settings, person, token, as_json=as_json)


def _people(services: Services, tenant: str | None) -> list[Person]:
    from smarteros.bootstrap.console import open_door

    invitations = open_door(services)[1]
    if tenant is not None:
        return invitations.people(services.tenants.get(tenant).tenant_id)
    return invitations.people(None, *(each.tenant_id for each in services.tenants.all()))


def _state(person: Person) -> str:
    if person.disabled_at:
        return "disabled"
    return "active" if person.has_password else "no password" if person.signed_in_at else "invited"


def _show_link(settings: Settings, person: Person, token: str, *, as_json: bool) -> None:
    from smarteros.console.tokens import console_link
    from smarteros.demo.stack import running_demo

    # A demo takes its address from the command line; nobody has told us.
    link = console_link(running_demo(settings.data_dir) or settings.people_url, token)
    typer.echo(json.dumps({"email": person.email, "role": person.role, "link": link}) if as_json else link)
