"""``smos kb``: the tenant's knowledge base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from smarteros.cli.options import DataDir, settings_with
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Document
from smarteros.knowledge.markdown import parse_markdown

app = typer.Typer(help="Import and search the texts a shop answers from.", no_args_is_help=True)
_LARGEST_FILE_BYTES = 2_000_000
TenantOption = Annotated[str, typer.Option(help="Tenant the documents belong to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("import")
def import_documents(
    paths: Annotated[list[Path], typer.Argument(help="Markdown files, or folders of them.")],
    tenant: TenantOption,
    data_dir: DataDir = None,
) -> None:
    """Replace the tenant's documents by these files. Either all of them are taken or none."""
    from smarteros.bootstrap import open_services

    documents = tuple(_read(path) for path in _markdown_files(paths))
    with open_services(settings_with(data_dir)) as services:
        passages = services.knowledge.replace(services.tenants.get(tenant).scope, documents)
    typer.echo(f"{len(documents)} documents, {passages} passages")


@app.command("list")
def list_documents(tenant: TenantOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the tenant's documents."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        documents = services.knowledge.documents(services.tenants.get(tenant).scope)
    if as_json:
        typer.echo(json.dumps([d.model_dump(exclude={"markdown"}) for d in documents], ensure_ascii=False))
        return
    for document in documents:
        typer.echo(f"{document.name}\t{document.category}\t{document.language}\t{document.title}")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="The question, as a customer would write it.")],
    tenant: TenantOption,
    language: Annotated[Literal["es", "en"], typer.Option(help="Language to answer in.")] = "es",
    limit: Annotated[int, typer.Option(min=1, max=50, help="Most passages to show.")] = 5,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the passages nearest to a question, best first. Scores compare within one search only."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        scope = services.tenants.get(tenant).scope
        hits = services.knowledge.search(scope, query, language=language, limit=limit)
    if as_json:
        typer.echo(json.dumps([hit.model_dump() for hit in hits], ensure_ascii=False))
        return
    for hit in hits:
        typer.echo(f"{hit.score:7.3f}  {hit.passage.document}: {hit.passage.title}\n{hit.passage.text}\n")


def _markdown_files(paths: list[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.md")) if path.is_dir() else [path]
    if not files:
        raise RejectedInputError("kb_no_files", "There is no .md file in the paths given")
    return files


def _read(path: Path) -> Document:
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise RejectedInputError("kb_file_too_large", f"{path}: larger than {_LARGEST_FILE_BYTES} bytes")
        return parse_markdown(path.name, path.read_text("utf-8"))
    except OSError as error:
        raise RejectedInputError("kb_file_unreadable", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RejectedInputError("kb_file_unreadable", f"{path}: not UTF-8 text") from error
