"""``smos kb source``: where a shop's texts come from by themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.domain.errors import RejectedInputError, SmosError
from smarteros.domain.upkeep import USUAL_INTERVAL, Interval, TextSource
from smarteros.kit.clock import SystemClock, in_santiago
from smarteros.kit.text import fold

if TYPE_CHECKING:
    from smarteros.bootstrap import Services
    from smarteros.bootstrap.upkeep import Upkeep
    from smarteros.domain.tenants import Tenant
    from smarteros.knowledge.upkeep.upkeep import Proposed

app = typer.Typer(help="Where a shop's texts come from: pages, Chatwoot's answers and articles.", no_args_is_help=True)
TenantOption = Annotated[str, typer.Option(help="Tenant the texts belong to.")]
Name = Annotated[str, typer.Argument(help="Name of the source, as `smos kb source list` shows it.")]


@app.command()
def add(
    tenant: TenantOption,
    url: Annotated[str | None, typer.Option(help="A page of the shop's site, usually its FAQ.")] = None,
    canned: Annotated[bool, typer.Option("--canned", help="The ready-made answers in its Chatwoot.")] = False,
    helpcenter: Annotated[
        bool, typer.Option("--helpcenter", help="The articles of its Chatwoot's help centre.")
    ] = False,
    portal: Annotated[str, typer.Option(help="With --helpcenter: only this portal, by its slug.")] = "",
    name: Annotated[str | None, typer.Option(help="Name; by default made of what it is.")] = None,
    every: Annotated[Interval | None, typer.Option(help="How often it is read; pages daily, Chatwoot weekly.")] = None,
    approved: Annotated[
        bool, typer.Option("--approved", help="With --canned: no drafts, also what names no matter of a shop answers.")
    ] = False,
    later: Annotated[bool, typer.Option("--later", help="Leave the first reading to the worker.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Add a source and read it. It is read again at 02:00 in Chile, every night or on Sundays."""
    if sum((url is not None, canned, helpcenter)) != 1:
        raise typer.BadParameter("give one of --url, --canned and --helpcenter")
    kind = "page" if url is not None else "canned" if canned else "helpcenter"
    now = SystemClock().now()
    source = TextSource(
        name=name or _named(url, canned=canned, portal=portal),
        kind=kind,
        address=url or portal,
        every=every or USUAL_INTERVAL[kind],
        approved=approved,
        added_at=now,
        next_at=now,
    )
    with opened(tenant, data_dir) as (_, upkeep, shop):
        upkeep.texts.add(shop, source)
        if later:
            typer.echo(json.dumps({"source": source.name}) if as_json else f"{source.name} will be read by the worker")
            return
        try:
            print_proposed(source.name, upkeep.texts.sync(shop, source.name), as_json=as_json)
        except SmosError as error:
            typer.echo(f"{source.name} is added and could not be read yet: {error.operator_message}", err=True)
            raise typer.Exit(1) from None


@app.command("list")
def list_sources(tenant: TenantOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the sources, when they were last read, and what kept them from being read."""
    with opened(tenant, data_dir) as (_, upkeep, shop):
        sources = upkeep.texts.sources(shop)
    if as_json:
        typer.echo(json.dumps([source.model_dump(mode="json") for source in sources], ensure_ascii=False))
        return
    for source in sources:
        read = "never" if source.read_at is None else f"{in_santiago(source.read_at):%Y-%m-%d %H:%M}"
        following = f"{in_santiago(source.next_at):%Y-%m-%d %H:%M}"
        what = source.address or source.kind
        typer.echo(f"{source.name}\t{what}\tevery {source.every}\tread {read}\tnext {following}")
        if source.error is not None:
            typer.echo(f"! failed {source.failures} times: {source.error}")


@app.command()
def remove(
    name: Name,
    tenant: TenantOption,
    keep_texts: Annotated[bool, typer.Option("--keep-texts", help="Go on answering with what came from it.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Forget a source, and what came from it."""
    with opened(tenant, data_dir) as (_, upkeep, shop):
        upkeep.texts.remove(shop, name, texts=not keep_texts)
    typer.echo(f"{name} removed")


@app.command()
def sync(
    tenant: TenantOption,
    name: Annotated[str | None, typer.Argument(help="Source to read; unset: all of them.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Read sources now. Exit code 1 when one could not be read."""
    failed = False
    with opened(tenant, data_dir) as (_, upkeep, shop):
        names = (name,) if name is not None else tuple(source.name for source in upkeep.texts.sources(shop))
        for each in names:
            try:
                print_proposed(each, upkeep.texts.sync(shop, each), as_json=as_json)
            except SmosError as error:
                failed = True
                typer.echo(f"{each}: {error.operator_message}", err=True)
    if failed:
        raise typer.Exit(1)


@contextmanager
def opened(tenant_id: str, data_dir: DataDir) -> Generator[tuple[Services, Upkeep, Tenant]]:
    """Open the parts of the upkeep for a tenant."""
    from smarteros.bootstrap import open_services
    from smarteros.bootstrap.upkeep import open_upkeep

    with open_services(settings_with(data_dir)) as services:
        yield services, open_upkeep(services), services.tenants.get(tenant_id)


def print_proposed(origin: str, proposed: Proposed, *, as_json: bool) -> None:
    """Say what became of a change, and which answers it touches."""
    if as_json:
        typer.echo(json.dumps({"origin": origin, **proposed.model_dump(mode="json")}, ensure_ascii=False))
        return
    report = proposed.report
    typer.echo(f"{origin}: {proposed.outcome}" + (f", {proposed.passages} passages" if proposed.passages else ""))
    if report.asked:
        typer.echo(
            f"  {report.asked} questions asked: {report.changed} changed, {report.lost} lost, {report.found} found"
        )
    for answer in report.answers:
        question = answer.question or "(no longer kept)"
        typer.echo(f"  {answer.kind}: {question}\n    {answer.before or '-'} -> {answer.after or '-'}")


def _named(url: str | None, *, canned: bool, portal: str) -> str:
    """Name a source after what it is: faq-of-a-page, canned, helpcenter."""
    if url is None:
        made = "canned" if canned else f"helpcenter-{portal}" if portal else "helpcenter"
    else:
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise RejectedInputError("page_url_invalid", f"{url!r} is no address") from error
        made = f"{(parts.hostname or '').removeprefix('www.')}{parts.path}"
    return re.sub(r"[^a-z0-9]+", "-", fold(made)).strip("-")[:60].rstrip("-")
