"""``smos bench``: measure this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="A short run: the shape of the report, not figures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    write: Annotated[Path | None, typer.Option(help="Write the page to this file.", show_default=False)] = None,
) -> None:
    """Measure accepting, turns and throughput on an installation of its own, with the bare limits beside them.

    Takes some minutes and both cores; on a machine that does nothing else the figures mean most.
    """
    from smarteros.bench.report import markdown
    from smarteros.bench.runner import FULL, QUICK, BenchRun

    report = BenchRun(QUICK if quick else FULL, lambda line: typer.echo(line, err=True)).run()
    page = markdown(report)
    if write is not None:
        write.write_text(page)
    typer.echo(report.model_dump_json(indent=2) if as_json else page)
