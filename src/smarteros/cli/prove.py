"""``smos prove``: nothing lost, nothing doubled, nothing out of turn, whatever is killed."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from typing import Annotated

import typer

from smarteros.cli.options import AsJson


def prove(
    turns: Annotated[int, typer.Option(help="How many turns the customers play.", min=1)] = 300,
    kills: Annotated[int, typer.Option(help="How many processes are killed meanwhile.", min=0)] = 30,
    seed: Annotated[int | None, typer.Option(help="What is said and done follows from it.")] = None,
    at_once: Annotated[int, typer.Option(help="Conversations at a time.", min=1, max=64)] = 12,
    as_json: AsJson = False,
    keep: Annotated[
        Path | None, typer.Option(help="Work in this directory and leave data and logs there.", file_okay=False)
    ] = None,
) -> None:
    """Play customers on a fleet of its own, kill what can be killed, and count what Chatwoot saw.

    The exit code is 0 only when nothing was lost, doubled, out of order, sent after a person took over or sent
    although superseded, and fewer than 1 % of the bursts got two replies.
    """
    from rich.console import Console

    from smarteros.proving.proof import Wanted, prove
    from smarteros.proving.report import show

    # Like Ctrl-C: everything that was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    progress = Console(stderr=True, style="dim")
    report = prove(
        Wanted(turns=turns, kills=kills, seed=chosen, at_once=at_once),
        lambda line: progress.print(line, highlight=False),
        keep,
    )
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        show(report, Console())
    if not report.proven:
        raise typer.Exit(1)
