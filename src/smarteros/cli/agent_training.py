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

from smarteros.cli.jsonl import read_file
from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import LabelledExample, ModelVersion

if TYPE_CHECKING:
    from smarteros.agents.training.trainer import Trainer
    from smarteros.bootstrap import Services
    from smarteros.domain.tenants import TenantScope

TenantOption = Annotated[str, typer.Option(help="Tenant the examples belong to.")]
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
        with training(tenant, data_dir) as (services, scope):
            _show_examples(services.examples.active(scope), as_json=as_json)
        return
    if not given:
        raise RejectedInputError("examples_missing", f"Nothing to {action}: name the messages, or the file")
    read = _read_all(given) if action == "import" else _labelled(given, intent) if action == "add" else []
    with training(tenant, data_dir) as (services, scope):
        trainer = _trainer(services)
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
    with training(tenant, data_dir) as (services, scope):
        rolls_back = action == "rollback"
        found = [_trainer(services).rollback(scope, to)] if rolls_back else list(services.examples.versions(scope))
    if as_json:
        typer.echo(json.dumps([_summary(version) for version in found], ensure_ascii=False))
        return
    for version in found:
        _show_version(version, as_json=False)


@contextmanager
def training(tenant: str, data_dir: Path | None) -> Generator[tuple[Services, TenantScope]]:
    """Open what a change of a tenant's examples needs, with the quick encoder alone.

    Changes are judged by it; whoever serves looks through the others by itself.
    """
    from smarteros.bootstrap import open_services

    settings = settings_with(data_dir)
    if settings.brain == "full":
        settings = settings.model_copy(update={"brain": "lite"})
    with open_services(settings) as services:
        yield services, services.tenants.get(tenant).scope


def _trainer(services: Services) -> Trainer:
    from smarteros.agents.training.trainer import Trainer

    return Trainer(services.examples, services.agent.native.shared_model)


def _labelled(texts: list[str], intent: str | None) -> list[LabelledExample]:
    if intent is None:
        raise RejectedInputError("examples_invalid", "What do they mean? Give --intent")
    return [_example({"text": text, "intent": intent}, f"{text!r}") for text in texts]


def _read_all(paths: list[str]) -> list[LabelledExample]:
    return [example for path in paths for example in _read(Path(path))]


def _read(path: Path) -> list[LabelledExample]:
    """Read JSON lines of {"text", "intent"}, or YAML of intents with lists of messages."""
    if path.suffix not in {".yml", ".yaml"}:
        return read_file(path, LabelledExample, most_bytes=_LARGEST_FILE_BYTES, code="examples_invalid")
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise RejectedInputError("examples_unreadable", f"{path}: larger than {_LARGEST_FILE_BYTES} bytes")
        loaded: Any = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise RejectedInputError("examples_unreadable", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RejectedInputError("examples_unreadable", f"{path}: not UTF-8 text") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RejectedInputError("examples_invalid", f"{path}: {error}") from error
    if not isinstance(loaded, dict):
        raise RejectedInputError("examples_invalid", f"{path}: not a mapping of intents to messages")
    return [
        _example({"text": message, "intent": intent}, f"{path}: {intent}")
        for intent, messages in cast(dict[str, Any], loaded).items()
        for message in (cast(list[Any], messages) if isinstance(messages, list) else [messages])
    ]


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
