"""``smos agent examples`` and ``smos agent models``: what a tenant teaches its agent."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
import yaml
from pydantic import ValidationError

from smarteros.cli.options import DataDir, settings_with
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import LabelledExample, ModelVersion

if TYPE_CHECKING:
    from smarteros.agents.training.protocol import ExampleStore
    from smarteros.agents.training.trainer import Trainer
    from smarteros.domain.tenants import TenantScope

TenantOption = Annotated[str, typer.Option(help="Tenant the examples belong to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Note = Annotated[str, typer.Option(help="Why, for the list of versions.")]
_LARGEST_FILE_BYTES = 2_000_000


def examples(
    action: Annotated[Literal["list", "add", "remove", "import"], typer.Argument(help="What to do.")],
    tenant: TenantOption,
    texts: Annotated[list[str] | None, typer.Argument(help="Messages; for import a file, JSON lines or YAML.")] = None,
    intent: Annotated[str | None, typer.Option(help="What the added messages mean.")] = None,
    note: Note = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List, add, remove or import example messages of a tenant. Every change is a version, in use within a second.

    A change after which more than two in a hundred of the other examples would be misunderstood is refused.
    """
    given = texts or []
    if action == "list":
        with _training(tenant, data_dir) as (store, _, scope):
            _show_examples(store.active(scope), as_json=as_json)
        return
    if not given:
        raise RejectedInputError("examples_missing", f"Nothing to {action}: name the messages, or the file")
    read = _read_all(given) if action == "import" else _labelled(given, intent) if action == "add" else []
    with _training(tenant, data_dir) as (_, trainer, scope):
        if action == "remove":
            made = trainer.remove(scope, given, note=note)
        else:
            made = trainer.add(scope, read, note=note or action)
    _show_version(made, as_json=as_json)


def models(
    action: Annotated[Literal["list", "rollback"], typer.Argument(help="What to do.")],
    tenant: TenantOption,
    to: Annotated[int | None, typer.Option(help="Version to go back to; the one before, unless told.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List the versions of a tenant's examples, or go back to an earlier one."""
    with _training(tenant, data_dir) as (store, trainer, scope):
        found = [trainer.rollback(scope, to)] if action == "rollback" else list(store.versions(scope))
    if as_json:
        typer.echo(json.dumps([_summary(version) for version in found], ensure_ascii=False))
        return
    for version in found:
        _show_version(version, as_json=False)


@contextmanager
def _training(tenant: str, data_dir: Path | None) -> Generator[tuple[ExampleStore, Trainer, TenantScope]]:
    from smarteros.agents.training.trainer import Trainer
    from smarteros.bootstrap import open_services

    settings = settings_with(data_dir)
    if settings.brain == "full":
        # Changes are judged by the quick encoder; whoever serves looks through the others by itself.
        settings = settings.model_copy(update={"brain": "lite"})
    with open_services(settings) as services:
        scope = services.tenants.get(tenant).scope
        yield services.examples, Trainer(services.examples, services.agent.native.shared_model), scope


def _labelled(texts: list[str], intent: str | None) -> list[LabelledExample]:
    if intent is None:
        raise RejectedInputError("examples_invalid", "What do they mean? Give --intent")
    return [_example({"text": text, "intent": intent}, f"{text!r}") for text in texts]


def _read_all(paths: list[str]) -> list[LabelledExample]:
    return [example for path in paths for example in _read(Path(path))]


def _read(path: Path) -> list[LabelledExample]:
    """Read JSON lines of {"text", "intent"}, or YAML of intents with lists of messages."""
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise RejectedInputError("examples_unreadable", f"{path}: larger than {_LARGEST_FILE_BYTES} bytes")
        text = path.read_text("utf-8")
        if path.suffix in {".yml", ".yaml"}:
            loaded: Any = yaml.safe_load(text)
            if not isinstance(loaded, dict):
                raise RejectedInputError("examples_invalid", f"{path}: not a mapping of intents to messages")
            rows = [
                ({"text": message, "intent": intent}, f"{path}: {intent}")
                for intent, messages in cast(dict[str, Any], loaded).items()
                for message in (cast(list[Any], messages) if isinstance(messages, list) else [messages])
            ]
        else:
            lines = enumerate(text.splitlines(), start=1)
            rows = [(json.loads(line), f"{path}: line {number}") for number, line in lines if line.strip()]
    except OSError as error:
        raise RejectedInputError("examples_unreadable", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RejectedInputError("examples_unreadable", f"{path}: not UTF-8 text") from error
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise RejectedInputError("examples_invalid", f"{path}: {error}") from error
    return [_example(row, where) for row, where in rows]


def _example(row: Any, where: str) -> LabelledExample:
    try:
        return LabelledExample.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise RejectedInputError("examples_invalid", f"{where}: {field}: {first['msg']}") from error


def _show_examples(version: ModelVersion | None, *, as_json: bool) -> None:
    found = version.examples if version else ()
    if as_json:
        typer.echo(json.dumps([example.model_dump() for example in found], ensure_ascii=False))
        return
    for example in found:
        typer.echo(f"{example.intent}\t{example.text}")


def _show_version(version: ModelVersion, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_summary(version), ensure_ascii=False))
        return
    report = version.report
    own = "" if report.own is None else f", its own {report.own:.1%}"
    typer.echo(
        f"{'*' if version.active else ' '} version {version.version}  {version.created_at:%Y-%m-%d %H:%M} UTC  "
        f"{len(version.examples)} examples; left out in turn, the others are understood {report.after:.1%} "
        f"(before {report.before:.1%}){own}  {version.note}".rstrip()
    )


def _summary(version: ModelVersion) -> dict[str, Any]:
    summary = version.model_dump(mode="json", exclude={"examples"})
    return {**summary, "examples": len(version.examples)}
