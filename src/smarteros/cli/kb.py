"""``smos kb``: the tenant's knowledge base."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from smarteros.cli.kb_source import print_proposed
from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.domain.knowledge import Category, Document, Finding, Hit
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.domain.upkeep import IMPORT, TextChange
from smarteros.kit.clock import SystemClock, in_santiago
from smarteros.knowledge.base import merged
from smarteros.knowledge.difference import PassageChange, changes_between
from smarteros.knowledge.evaluation import Expected, Recall, measure, read_questions_of
from smarteros.knowledge.findings import findings
from smarteros.knowledge.formats.files import read_documents
from smarteros.knowledge.passages import passages_of

if TYPE_CHECKING:
    from smarteros.bootstrap import Services

app = typer.Typer(help="Import and search the texts a shop answers from.", no_args_is_help=True)
TenantOption = Annotated[str, typer.Option(help="Tenant the documents belong to.")]
Paths = Annotated[
    list[Path], typer.Argument(help="Markdown, JSON, DOCX, HTML or PDF files, or folders of them.", show_default=False)
]
MaybePaths = Annotated[
    list[Path] | None, typer.Argument(help="Markdown, JSON, DOCX, HTML or PDF files, or folders of them.")
]
Urls = Annotated[
    list[str] | None, typer.Option(help="Page on the internet: HTML, PDF, DOCX, Markdown, JSON; repeat it.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Ask what customers asked first; too many changes wait for approval.")
]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Compute sentence vectors now, or when they are first needed.")
]
Merge = Annotated[
    bool,
    typer.Option(
        "--merge/--replace", help="Keep the tenant's other documents, or make these the only ones.", show_default=True
    ),
]
Lexical = Annotated[bool, typer.Option("--lexical", help="By words only: do not wait for the sentence encoders.")]
_ENCODERS_WITHIN_S = 30.0
_SHOWN = 20


@app.command("import")
def import_documents(
    tenant: TenantOption,
    paths: MaybePaths = None,
    url: Urls = None,
    merge: Merge = False,
    check: Check = False,
    as_json: AsJson = False,
    wait: Wait = True,
    data_dir: DataDir = None,
) -> None:
    """Replace the tenant's documents by these files and pages, or merge them in. All of them are taken or none."""
    from smarteros.bootstrap import open_services

    if not paths and not url:
        raise typer.BadParameter("give files or --url")
    documents = read_documents(paths) if paths else ()
    with open_services(settings_with(data_dir)) as services:
        shop = services.tenants.get(tenant)
        documents = (*documents, *_pages(services, shop, url or ()))
        note = ", ".join(document.name for document in documents[:3])
        scope = shop.scope
        if check:
            mode = "merge" if merge else "all"
            change = TextChange(origin=IMPORT, mode=mode, documents=documents, note=note)
            _propose(services, shop, change, as_json=as_json)
            return
        before = services.knowledge.documents(scope)
        take = services.knowledge.merge if merge else services.knowledge.replace
        passages = take(scope, documents, note=note)
        after = services.knowledge.documents(scope)
        found = findings(after, services.knowledge.passages(scope), _today())
        if wait:
            services.knowledge.settle(scope, _ENCODERS_WITHIN_S)
    changes = changes_between(before, after)
    if as_json:
        report = {
            "documents": len(documents),
            "passages": passages,
            "changes": _counts(changes),
            "findings": [each.model_dump() for each in found],
        }
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    typer.echo(f"{len(documents)} documents, {passages} passages")
    _print_findings(found)


@app.command("list")
def list_documents(tenant: TenantOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the tenant's documents, and what in them contradicts, is over or is not approved."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        scope = services.tenants.get(tenant).scope
        documents = services.knowledge.documents(scope)
        found = findings(documents, services.knowledge.passages(scope), _today())
    if as_json:
        typer.echo(json.dumps([_listed(document, found) for document in documents], ensure_ascii=False))
        return
    for document in documents:
        typer.echo(f"{document.name}\t{document.category}\t{document.language}\t{document.title}")
    _print_findings(found)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="The question, as a customer would write it.")],
    tenant: TenantOption,
    language: Annotated[Literal["es", "en"], typer.Option(help="Language to answer in.")] = "es",
    limit: Annotated[int, typer.Option(min=1, max=50, help="Most passages to show.")] = 5,
    as_json: AsJson = False,
    lexical: Lexical = False,
    data_dir: DataDir = None,
) -> None:
    """Show the passages nearest to a question, best first. Scores compare within one search only."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        scope = services.tenants.get(tenant).scope
        _settle(services, scope, lexical)
        hits = _hits(services, scope, query, language, limit)
    if as_json:
        typer.echo(json.dumps([hit.model_dump(mode="json") for hit in hits], ensure_ascii=False))
        return
    for hit in hits:
        typer.echo(f"{hit.score:7.3f}  {hit.passage.document}: {hit.passage.title}\n{hit.passage.text}\n")


@app.command()
def test(
    questions: Annotated[
        Path,
        typer.Argument(help='Lines of {"question", "expected": title} or "document" or "contains".', exists=False),
    ],
    tenant: TenantOption,
    as_json: AsJson = False,
    lexical: Lexical = False,
    data_dir: DataDir = None,
) -> None:
    """Ask questions whose passage is known: how often it comes first, and among the first five."""
    from smarteros.bootstrap import open_services

    expected = read_questions_of(questions)
    with open_services(settings_with(data_dir)) as services:
        scope = services.tenants.get(tenant).scope
        _settle(services, scope, lexical)

        def ask(asked: Expected) -> Sequence[Hit]:
            return _hits(services, scope, asked.question, asked.language, 10)

        recall = measure(expected, ask)
        found = findings(services.knowledge.documents(scope), services.knowledge.passages(scope), _today())
    if as_json:
        typer.echo(json.dumps(_recall_report(recall, found), ensure_ascii=False))
        return
    typer.echo(f"{len(recall.asked)} questions  recall@1 {recall.at(1):.3f}  recall@5 {recall.at(5):.3f}")
    for missed in recall.missed[:_SHOWN]:
        instead = missed.found.title if missed.found else "nothing"
        place = f"place {missed.place}" if missed.place else "not found"
        typer.echo(f"  {missed.expected.question}\n    {place}; first: {instead}")
    if len(recall.missed) > _SHOWN:
        typer.echo(f"  ... and {len(recall.missed) - _SHOWN} more")
    _print_findings(found)


@app.command()
def diff(
    paths: Paths, tenant: TenantOption, merge: Merge = False, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """Show what an import would change; nothing is changed."""
    from smarteros.bootstrap import open_services

    new = read_documents(paths)
    with open_services(settings_with(data_dir)) as services:
        old = services.knowledge.documents(services.tenants.get(tenant).scope)
    after = merged(old, new) if merge else new
    changes = changes_between(old, after)
    passages = [passage for document in after for passage in passages_of(document)]
    found = findings(after, passages, _today())
    if as_json:
        report = {
            "counts": _counts(changes),
            "changes": [change.model_dump() for change in changes],
            "findings": [each.model_dump() for each in found],
        }
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    for change in changes:
        sign = {"added": "+", "removed": "-", "changed": "~"}[change.change]
        what = f" ({', '.join(change.fields)})" if change.fields else ""
        typer.echo(f"{sign} {change.document}: {change.title}{what}")
        if change.change == "changed" and change.before != change.after:
            typer.echo(f"    - {change.before}\n    + {change.after}")
    counts = _counts(changes)
    typer.echo(", ".join(f"{number} {name}" for name, number in counts.items()) if changes else "no change")
    _print_findings(found)


@app.command()
def versions(tenant: TenantOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the versions of the knowledge base that can be gone back to, newest first."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        kept = services.knowledge.versions(services.tenants.get(tenant).scope)
    if as_json:
        typer.echo(json.dumps([version.model_dump(mode="json") for version in kept], ensure_ascii=False))
        return
    for version in kept:
        when = in_santiago(version.saved_at).strftime("%Y-%m-%d %H:%M")
        sign = "*" if version.current else " "
        typer.echo(f"{sign} {version.revision}\t{when}\t{version.documents} documents\t{version.note}")


@app.command()
def rollback(
    tenant: TenantOption,
    revision: Annotated[int | None, typer.Argument(help="Version to go back to; unset: the one before.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Go back to an earlier version. The one left stays a version, so this can be undone."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        passages = services.knowledge.rollback(services.tenants.get(tenant).scope, revision)
    typer.echo(f"{passages} passages")


def _pages(services: Services, shop: Tenant, urls: Sequence[str]) -> tuple[Document, ...]:
    """Fetch pages as documents named after their addresses."""
    from smarteros.bootstrap.upkeep import open_upkeep

    if not urls:
        return ()
    pages = open_upkeep(services).texts.pages
    found = (pages.read(shop, url).document for url in dict.fromkeys(urls))
    return tuple(document for document in found if document is not None)


def _propose(services: Services, shop: Tenant, change: TextChange, *, as_json: bool) -> None:
    from smarteros.bootstrap.upkeep import open_upkeep

    print_proposed(change.origin, open_upkeep(services).texts.propose(shop, change), as_json=as_json)


def _settle(services: Services, scope: TenantScope, lexical: bool) -> None:
    """A command has no background: what a server would have computed by then is computed now."""
    if not lexical and services.knowledge.settle(scope, _ENCODERS_WITHIN_S):
        services.agent.prepare(scope.tenant_id)


def _hits(
    services: Services, scope: TenantScope, query: str, language: Literal["es", "en"], limit: int
) -> tuple[Hit, ...]:
    """Search as the agent does, with what it makes of the message."""
    priors: Mapping[Category, float] | None = services.agent.category_priors(scope.tenant_id, query)
    return services.knowledge.search(scope, query, language=language, limit=limit, priors=priors)


def _today() -> date:
    return in_santiago(SystemClock().now()).date()


def _counts(changes: Sequence[PassageChange]) -> dict[str, int]:
    return {name: sum(change.change == name for change in changes) for name in ("added", "changed", "removed")}


def _listed(document: Document, found: Sequence[Finding]) -> dict[str, object]:
    begin = f"{document.name}: "
    own = [each for each in found if any(p == document.name or p.startswith(begin) for p in each.passages)]
    listed = document.model_dump(mode="json", exclude={"markdown", "sections"})
    return {**listed, "passages": len(passages_of(document)), "findings": [each.model_dump() for each in own]}


def _recall_report(recall: Recall, found: Sequence[Finding]) -> dict[str, object]:
    return {
        "questions": len(recall.asked),
        "recall_at_1": round(recall.at(1), 4),
        "recall_at_5": round(recall.at(5), 4),
        "missed": [
            {
                "question": each.expected.question,
                "place": each.place,
                "first": each.found.title if each.found else None,
            }
            for each in recall.missed
        ],
        "findings": [each.model_dump() for each in found],
    }


def _print_findings(found: Sequence[Finding]) -> None:
    for each in found[:_SHOWN]:
        typer.echo(f"! {each.kind}: {' | '.join(each.passages)} ({each.detail})")
    if len(found) > _SHOWN:
        typer.echo(f"! ... and {len(found) - _SHOWN} more")
