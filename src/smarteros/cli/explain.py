"""``smos explain``: how an automatic answer came about."""

from __future__ import annotations

from typing import Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with


def explain(
    turn: Annotated[
        str, typer.Argument(help="A turn (TENANT:5:000000000012), or a conversation (TENANT:5) for its last one.")
    ],
    customer: Annotated[bool, typer.Option("--customer", help="Only what may be sent to the customer.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Tell what was understood, which texts, tools and template were used, and with which thresholds."""
    from smarteros.bootstrap import open_services
    from smarteros.privacy.explain import asked_for
    from smarteros.privacy.explain import explain as explanation_of
    from smarteros.store.turn_inputs import find_turn

    with open_services(settings_with(data_dir)) as services:
        tenant, recorded = find_turn(services.database, services.tenants.find, turn)
        calls = asked_for(services.llm_ledger, tenant, recorded)
        explained = explanation_of(tenant, recorded, services.contracts, calls)
    if as_json:
        typer.echo(explained.model_dump_json(indent=2))
    else:
        typer.echo(explained.for_customer if customer else "\n".join(explained.in_words()))
