"""``smos demo``: the whole system with three shops, without any account; and ``smos demo say``."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from smarteros.cli.options import AsJson, DataDir
from smarteros.domain.messages import ChannelName
from smarteros.settings import Settings, without_settings_file

if TYPE_CHECKING:
    from smarteros.demo.customer import Answer

app = typer.Typer(help="Run the demo: three shops on one machine, no account needed.")


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    data_dir: DataDir = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget everything of earlier runs.")] = False,
) -> None:
    """Start PostgreSQL, the stand-ins and SmarterOS, and print ``ready <url>``. Ctrl-C stops everything.

    In a project it uses its contracts and leaves its settings alone: the demo is nobody's shops, nobody is alarmed.
    """
    if context.invoked_subcommand is None:
        from smarteros.demo.stack import run_demo

        with without_settings_file():
            run_demo(_directory(data_dir), host, port, fresh=fresh, announce=_announce)


def _announce(url: str, console: str) -> None:
    typer.echo(f"ready {url}")
    typer.echo(f"console {console} (signs you in once)")


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What the customer writes.")],
    tenant: Annotated[str, typer.Option(help="Which shop.")] = "TENANT_DEMO",
    channel: Annotated[ChannelName, typer.Option(help="Channel the customer writes on.")] = "whatsapp",
    attach: Annotated[Path | None, typer.Option(help="A photo or PDF to send along.", exists=True)] = None,
    new: Annotated[bool, typer.Option("--new", help="Begin a new conversation.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Play the customer from the terminal: send one message, print the reply and the steps of the turn.

    Talks to the demo that runs on the data directory, or starts one for this message.
    """
    from smarteros.demo.customer import DemoCustomer
    from smarteros.demo.stack import running_demo
    from smarteros.scenarios.own_stack import own_stack
    from smarteros.scenarios.stack import Stack

    with ExitStack() as stack:
        stack.enter_context(without_settings_file())
        directory = _directory(data_dir)
        url = running_demo(directory) or stack.enter_context(own_stack(data_dir=directory))
        running = Stack(url)
        stack.callback(running.close)
        answer = DemoCustomer(running, directory).say(text, tenant, channel, attach, new=new)
    if as_json:
        typer.echo(json.dumps(answer.model_dump(mode="json"), ensure_ascii=False))
    else:
        _show(answer)


def _directory(data_dir: Path | None) -> Path:
    return (data_dir or Settings().data_dir).absolute()


def _show(answer: Answer) -> None:
    console = Console()
    console.print(answer.reply, markup=False, highlight=False, soft_wrap=True)
    if answer.turn is None:
        return
    table = Table(box=None, header_style="dim")
    table.add_column("step")
    table.add_column("ms", justify="right")
    for step in answer.turn.steps:
        table.add_row(step.step, f"{step.duration_ms:.1f}")
    console.print()
    console.print(table)
    decision = answer.turn.decision
    understood = f" · {decision.intent} {decision.confidence:.2f} · {decision.route}" if decision else ""
    console.print(f"{answer.turn.outcome}{understood}", style="dim", highlight=False)
