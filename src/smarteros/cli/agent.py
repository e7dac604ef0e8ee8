"""``smos agent``: ask the agent without a conversation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from smarteros.agents.rebuilt import with_rebuilt_state
from smarteros.cli.agent_training import examples, models
from smarteros.cli.options import DataDir, settings_with
from smarteros.domain.decisions import AgentContext, AgentMessage, AgentRequest
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.messages import Contact

app = typer.Typer(help="Ask the agent what it makes of messages.", no_args_is_help=True)
_LONGEST_LINE = 200_000


class Question(BaseModel):
    """One line of the input file."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=20_000)
    history: tuple[str, ...] = ()
    language: Literal["es", "es-CL", "en"] = "es-CL"
    now: AwareDatetime | None = Field(default=None, description="When it was written; this moment by default")


app.command()(examples)
app.command()(models)


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
    from smarteros.bootstrap import open_services

    lines: Iterable[str] = jsonl
    with open_services(settings_with(data_dir)) as services:
        tenant_id = services.tenants.get(tenant).tenant_id
        services.agent.prepare(tenant_id)
        for number, line in enumerate(lines, start=1):
            if line.strip():
                decision = services.agent.decide(with_rebuilt_state(services.agent, _request(tenant_id, number, line)))
                typer.echo(decision.model_dump_json(exclude_none=True))


def _request(tenant_id: str, number: int, line: str) -> AgentRequest:
    question = _question(number, line)
    return AgentRequest(
        tenant_id=tenant_id,
        channel="whatsapp",
        conversation_id=number,
        contact=Contact(id=0),
        message=AgentMessage(id=number, content=question.text),
        context=AgentContext(
            language=question.language, history=question.history, now=question.now or datetime.now(UTC)
        ),
    )


def _question(number: int, line: str) -> Question:
    if len(line) > _LONGEST_LINE:
        raise RejectedInputError("jsonl_line_invalid", f"line {number}: longer than {_LONGEST_LINE} characters")
    try:
        line.encode("utf-8")
        read: Any = json.loads(line)
        return Question.model_validate(read)
    except UnicodeEncodeError as error:
        raise RejectedInputError("jsonl_line_invalid", f"line {number}: not UTF-8") from error
    except json.JSONDecodeError as error:
        raise RejectedInputError("jsonl_line_invalid", f"line {number}: not JSON ({error.msg})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the line"
        raise RejectedInputError("jsonl_line_invalid", f"line {number}: {where}: {first['msg']}") from error
