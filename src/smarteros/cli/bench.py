"""``smos bench``: measure this machine, or simulate one that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smarteros.cli.options import AsJson


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="A short run: the shape of the report, not figures.")] = False,
    as_json: AsJson = False,
    write: Annotated[
        Path | None,
        typer.Option(help="Write the page to this file; a simulation only its section of it.", show_default=False),
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Simulate many cells instead of measuring; see docs/scale.md.")
    ] = False,
    assume: Annotated[
        list[str] | None,
        typer.Option(help="name=value: an assumption of the simulation, any number of times.", show_default=False),
    ] = None,
    measured: Annotated[
        Path | None,
        typer.Option(
            help="JSON of an earlier run (--json): what a turn costs in the simulation.",
            show_default=False, exists=True, dir_okay=False,
        ),
    ] = None,
) -> None:  # fmt: skip
    """Measure accepting, turns and throughput on an installation of its own, with the bare limits beside them.

    Takes some minutes and both cores; on a machine that does nothing else the figures mean most. With --simulate
    nothing is measured and nothing started: cells, tenants and an evening are played in seconds, from a seed.
    """
    if simulate:
        if quick:
            raise typer.BadParameter("--quick belongs to a measurement; a simulation takes seconds.")
        page, report = _simulated(assume or [], measured, write)
    else:
        if assume or measured:
            raise typer.BadParameter("--assume and --measured belong to --simulate.")
        page, report = _measured(quick, write)
    typer.echo(report if as_json else page)


def _measured(quick: bool, write: Path | None) -> tuple[str, str]:
    from smarteros.bench.report import markdown
    from smarteros.bench.runner import FULL, QUICK, BenchRun

    report = BenchRun(QUICK if quick else FULL, lambda line: typer.echo(line, err=True)).run()
    page = markdown(report)
    if write is not None:
        write.write_text(page)
    return page, report.model_dump_json(indent=2)


def _simulated(assume: list[str], measured: Path | None, write: Path | None) -> tuple[str, str]:
    from smarteros.bench.scale.assumptions import assumed, read_measured
    from smarteros.bench.scale.report import section, write_section
    from smarteros.bench.scale.scenarios import simulate

    report = simulate(assumed(assume, None if measured is None else read_measured(measured)))
    page = section(report)
    if write is not None:
        write_section(write, page)
    return page, report.model_dump_json(indent=2)
