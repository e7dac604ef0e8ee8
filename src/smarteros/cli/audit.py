"""``smos audit``: look at the audit, prove that it is whole, hand it over, and let old events go."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.domain.audit_chain import AuditSeal, ChainHead, ChainReport
from smarteros.domain.errors import ConfigError
from smarteros.domain.ids import TENANT_ID
from smarteros.kit.exported_json import inert
from smarteros.store.database import NO_TENANT, owner_engine

if TYPE_CHECKING:
    import sqlalchemy as sa

    from smarteros.bootstrap import Services

app = typer.Typer(help="Look at the audit, prove that it is whole, and let old events go.", no_args_is_help=True)
Chain = Annotated[str, typer.Option("--tenant", help="Whose; - are refused senders and the installation itself.")]
OneChain = Annotated[str | None, typer.Option("--tenant", help="Only this tenant's; - are those of no tenant.")]
All = Annotated[bool, typer.Option("--all", help="Those of all tenants.")]


@app.command()
def verify(
    tenant: OneChain = None,
    everybody: All = False,
    earlier: Annotated[
        Path | None, typer.Option(help="An earlier report (--json): its last events must still be there.", exists=True)
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Find what was changed, removed, reordered or cut off, and say where. Exit code 1 when something was."""
    from smarteros.store.audit_chain import verify_chain

    heads = _earlier_heads(earlier)
    reports: list[ChainReport] = []
    with _opened(data_dir) as (services, owner, seal):
        # A chain that was seen earlier and is gone altogether must not be left out.
        chosen = _chosen(owner, tenant, everybody=everybody, seen=heads)
        for tenant_id in chosen:
            with services.database.scoped(tenant_id) as connection:
                known = heads.get(tenant_id, ())
                reports.append(verify_chain(connection, tenant_id, seal, datetime.now(UTC), known))
    if as_json:
        typer.echo(json.dumps([report.model_dump(mode="json") for report in reports], indent=2))
    else:
        _print_reports(reports)
    if any(report.findings for report in reports):
        raise typer.Exit(1)


@app.command(name="list")
def list_(
    tenant: Chain,
    conversation: Annotated[int | None, typer.Option(help="Only this conversation's.", min=0)] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1, max=100_000)] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List the newest audit events, oldest first."""
    from smarteros.store.audit import list_events

    with _opened(data_dir) as (services, _, _seal), services.database.scoped(_chain(tenant)) as connection:
        events = list_events(connection, tenant, conversation, limit)
    if as_json:
        typer.echo(json.dumps([event.model_dump(mode="json") for event in events], indent=2))
        return
    for event in events:
        told = {"conversation": event.conversation_id, "flow": event.flow_id, "intent": event.intent, **event.details}
        words = [f"{name}={value}" for name, value in told.items() if value is not None]
        typer.echo(" ".join((f"{event.timestamp:%Y-%m-%dT%H:%M:%SZ}", event.kind, *words)))


@app.command()
def export(
    tenant: Chain,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output without one.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write a whole chain, one JSON object a line, with positions and hashes: an auditor can recompute it."""
    from smarteros.store.audit_chain import chain_rows

    with (
        _opened(data_dir) as (services, _, _seal),
        services.database.scoped(_chain(tenant)) as connection,
        _written_to(out) as write,
    ):
        for row in chain_rows(connection, tenant):
            write(f"{inert(row.model_dump_json())}\n")


@app.command()
def prune(
    before: Annotated[datetime, typer.Option(help="Remove what was recorded before this instant (UTC).")],
    tenant: OneChain = None,
    everybody: All = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Remove old events. The chain stays verifiable: it begins with the hash of the last one removed.

    A chain that is not whole is left as it is.
    """
    from smarteros.store.audit_chain import prune_chain

    limit, now = before.replace(tzinfo=UTC), datetime.now(UTC)
    if limit > now:
        raise typer.BadParameter("expected an instant in the past", param_hint="--before")
    with _opened(data_dir) as (_, owner, seal):
        chosen = _chosen(owner, tenant, everybody=everybody)
        pruned = [prune_chain(owner, tenant_id, limit, seal, now) for tenant_id in chosen]
    if as_json:
        typer.echo(json.dumps([each.model_dump() for each in pruned]))
        return
    for each in pruned:
        typer.echo(f"{each.tenant_id}: {each.events} events removed, the chain begins behind {each.position}")


@app.command()
def reseal(tenant: Chain, data_dir: DataDir = None) -> None:
    """Seal a chain again whose key was lost, or that no worker has sealed; the rest of it must fit. Audited."""
    from smarteros.store.audit_chain import reseal_chain

    with _opened(data_dir) as (_, owner, seal):
        reseal_chain(owner, _chain(tenant), seal, datetime.now(UTC))
    typer.echo(f"{tenant}: sealed with the key of this installation")


@app.command()
def resend(data_dir: DataDir = None) -> None:
    """Let the bus be asked again for the events it refused."""
    from smarteros.store.outbox import send_refused_again

    with _opened(data_dir) as (_, owner, _seal), owner.begin() as connection:
        typer.echo(f"{send_refused_again(connection)} events wait for the bus again")


@contextmanager
def _opened(data_dir: Path | None) -> Generator[tuple[Services, sa.Engine, AuditSeal]]:
    from smarteros.bootstrap import open_services
    from smarteros.bootstrap.audit import audit_seal

    settings = settings_with(data_dir)
    with open_services(settings) as services:
        owner = owner_engine(services.database.owner_url)
        try:
            yield services, owner, audit_seal(settings)
        finally:
            owner.dispose()


def _chain(tenant: str) -> str:
    """Return the name of a chain; BadParameter for what no tenant can be called."""
    if tenant != NO_TENANT and not TENANT_ID.match(tenant):
        raise typer.BadParameter("expected a tenant's id, or - for those of no tenant", param_hint="--tenant")
    return tenant


def _chosen(
    owner: sa.Engine, tenant: str | None, *, everybody: bool, seen: dict[str, tuple[ChainHead, ...]] | None = None
) -> tuple[str, ...]:
    from smarteros.store.audit_chain import chain_tenants

    if (tenant is None) != everybody:
        raise typer.BadParameter("give either --tenant or --all")
    if tenant is not None:
        return (_chain(tenant),)
    with owner.connect() as connection:
        return tuple(sorted({*chain_tenants(connection), *(seen or {})}))


def _earlier_heads(file: Path | None) -> dict[str, tuple[ChainHead, ...]]:
    if file is None:
        return {}
    try:
        reports: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
        return {each["tenant_id"]: (ChainHead(position=each["position"], hash=each["hash"]),) for each in reports}
    except (ValueError, KeyError, TypeError, OSError):
        raise ConfigError("report_unreadable", f"{file} is no report of `smos audit verify --json`.") from None


def _print_reports(reports: list[ChainReport]) -> None:
    for report in reports:
        behind = f" behind the checkpoint {report.start_position}" if report.start_position else ""
        state = "NOT WHOLE" if report.findings else "whole"
        sealed = f"sealed up to {report.sealed_position}"
        typer.echo(f"{report.tenant_id}: {state}, {report.events} events{behind}, {sealed}")
        for finding in report.findings:
            typer.echo(f"  {finding.kind} at {finding.position}: {finding.said}")
    if not reports:
        typer.echo("There are no audit chains yet.")


@contextmanager
def _written_to(out: Path | None) -> Generator[Callable[[str], object]]:
    if out is None:
        yield sys.stdout.write
        return
    with out.open("w", encoding="utf-8") as file:
        yield file.write
