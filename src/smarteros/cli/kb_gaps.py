"""``smos kb gaps``: the questions the shop's texts did not answer."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.gaps import GapReason


def gaps(
    tenant: Annotated[str, typer.Option(help="Tenant whose questions are listed.")],
    reason: Annotated[GapReason | None, typer.Option(help="Only those with this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most questions to show.")] = 100,
    forget: Annotated[
        str | None, typer.Option(help="Remove the question with this pattern instead of listing.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List questions that were not understood surely or not answered, the most frequent first."""
    from smarteros.bootstrap import open_services
    from smarteros.store.gaps import forget_gap, list_gaps

    with open_services(settings_with(data_dir)) as services:
        scope = services.tenants.get(tenant).scope
        with services.database.tenant(scope) as connection:
            if forget is not None:
                if not forget_gap(connection, scope.tenant_id, forget):
                    raise RejectedInputError("unknown_gap", f"There is no question with the pattern {forget!r}")
                typer.echo("forgotten")
                return
            found = list_gaps(connection, scope.tenant_id, reason=reason, limit=limit)
    if as_json:
        typer.echo(json.dumps([gap.model_dump(mode="json") for gap in found], ensure_ascii=False))
        return
    for gap in found:
        typer.echo(f"{gap.times}\t{gap.reason}\t{gap.intent}\t{gap.confidence:.2f}\t{gap.example}")
