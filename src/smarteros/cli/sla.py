"""``smos sla``: what a shop's month was worth, with the arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with

if TYPE_CHECKING:
    from smarteros.health.report import SlaReport


def sla(
    tenant: Annotated[str, typer.Option(help="Id of the tenant.")],
    month: Annotated[str, typer.Option(help="Of Chile's calendar: 2026-11.")],
    as_json: AsJson = False,
    pdf: Annotated[Path | None, typer.Option(help="Write the report to this file, too.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Report on a month: availability by probe and by real traffic, minutes lost, outages, against 99.9 %.

    Time in which nobody looked is told as unknown, and is neither up nor down.
    """
    from smarteros.bootstrap import open_services
    from smarteros.health.report import sla_report

    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get(tenant)
        try:
            report = sla_report(services.database, found, month, datetime.now(UTC))
        except ValueError:
            raise typer.BadParameter("expected a month like 2026-11 that has begun", param_hint="--month") from None
    if pdf is not None:
        from smarteros.health.pdf import write_pdf

        write_pdf(report, pdf)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _print(report)


def _print(report: SlaReport) -> None:
    from smarteros.domain.availability import percent
    from smarteros.health.pdf import verdict
    from smarteros.kit.clock import in_santiago

    typer.echo(f"{report.tenant_id} {report.month}: objective {percent(report.objective)} {verdict(report)}")
    for line in report.arithmetic:
        typer.echo(f"  {line}")
    for each in report.services:
        whose = "" if each.ours else " (not ours)"
        typer.echo(f"  {each.service}{whose}: {each.availability.arithmetic} ({each.probes} probes)")
    for outage in report.outages:
        began, ended = in_santiago(outage.began_at), in_santiago(outage.ended_at)
        typer.echo(f"  down {began:%Y-%m-%d %H:%M:%S} to {ended:%Y-%m-%d %H:%M:%S} (Chile): {outage.seconds:.0f} s")
