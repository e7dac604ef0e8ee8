"""``smos trace``: everything that is recorded of a turn or a conversation, in the order of time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with

if TYPE_CHECKING:
    from smarteros.privacy.tracing import Happening


def trace(
    name: Annotated[str, typer.Argument(help="A turn (TENANT:5:000000000012) or a conversation (TENANT:5).")],
    personal: Annotated[bool, typer.Option("--personal", help="Show personal data in the customer's texts.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Print the whole story: webhooks, steps with their durations, tools, replies, audit."""
    from smarteros.bootstrap import open_services
    from smarteros.privacy.tracing import Tracer

    with open_services(settings_with(data_dir)) as services:
        story = Tracer(services.database, services.tenants.find, personal=personal).story(name)
    if as_json:
        typer.echo(json.dumps([happening.model_dump(mode="json") for happening in story], ensure_ascii=False, indent=2))
    else:
        typer.echo(f"{'UTC':<23}  {'took':>12}  what happened")
        typer.echo("\n".join(map(_line, story)))


def _line(happening: Happening) -> str:
    lasted = "" if happening.lasted_ms is None else f"{happening.lasted_ms:.1f} ms"
    details = "  ".join(f"{name}={value}" for name, value in happening.details.items())
    first, *more = details.splitlines() or [""]
    at = f"{happening.at:%Y-%m-%d %H:%M:%S.%f}"[:-3]  # milliseconds
    told = [f"{at}  {lasted:>12}  {happening.what:<20}  {first}".rstrip()]
    return "\n".join(told + [f"{'':39}{line}".rstrip() for line in more])  # below what happened
