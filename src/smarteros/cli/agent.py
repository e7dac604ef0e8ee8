"""``smos agent``: ask the agent without a conversation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from smarteros.agents.evaluation.model import Question
from smarteros.agents.rebuilt import with_rebuilt_state
from smarteros.cli.agent_eval import evaluate
from smarteros.cli.agent_train import train
from smarteros.cli.agent_training import examples, models
from smarteros.cli.jsonl import read_lines
from smarteros.cli.options import DataDir, settings_with

app = typer.Typer(help="Ask the agent what it makes of messages.", no_args_is_help=True)


app.command()(examples)
app.command()(models)
app.command()(train)
app.command("eval")(evaluate)


@app.command()
def decide(
    tenant: Annotated[str, typer.Option(help="Tenant whose knowledge base answers.")],
    jsonl: Annotated[
        typer.FileText,
        typer.Option(
            encoding="utf-8",
            errors="surrogateescape",
            help='File of {"text", "history"?, "language"?, "now"?} lines; - for standard input.',
        ),
    ],
    data_dir: DataDir = None,
) -> None:
    """Print one Decision as JSON per input line, in order. Nothing is sent, stored or looked up in a shop.

    ``history`` holds the customer's earlier messages, oldest first; what they mean together is worked out first.
    """
    from smarteros.agents.evaluation.asking import request_of
    from smarteros.bootstrap import open_services

    lines: Iterable[str] = jsonl
    with open_services(settings_with(data_dir)) as services:
        tenant_id = services.tenants.get(tenant).tenant_id
        services.agent.prepare(tenant_id)
        for number, question in enumerate(read_lines(lines, Question), start=1):
            request = request_of(tenant_id, number, question)
            decision = services.agent.decide(with_rebuilt_state(services.agent.native, request))
            typer.echo(decision.model_dump_json(exclude_none=True))
