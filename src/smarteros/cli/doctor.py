"""``smos doctor``: look whether installation and tenants can work, one line a check; exit code 1 when one fails."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.doctor.examination import Finding, findings
from smarteros.domain.errors import ConfigError, TransientError
from smarteros.kit.clock import SystemClock
from smarteros.settings import Settings

_SIGNS = {"ok": "✓", "warning": "!", "failed": "✗", "skipped": "-"}


def doctor(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant; without it every active one.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Look whether the installation and its tenants can work, and say what to do where they cannot.

    Contracts, disk, database and secrets first; then of every tenant Chatwoot (with a webhook we send ourselves),
    knowledge base, Shopify and Odoo, and one cheap call with the keys of Cloud Vision and of a language model.
    """
    from smarteros.doctor.installation import before_opening

    settings = settings_with(data_dir)
    found = [*findings(before_opening(), settings), *_while_the_database_answers(settings, tenant)]
    if as_json:
        typer.echo(json.dumps([finding.model_dump() for finding in found], ensure_ascii=False, indent=2))
    else:
        print_findings(found)
    raise typer.Exit(1 if any(finding.status == "failed" for finding in found) else 0)


def print_findings(found: Sequence[Finding]) -> None:
    """Print one line a finding, and its remedy below it."""
    for finding in found:
        typer.echo(f"{_SIGNS[finding.status]} {finding.tenant_id or 'installation'} {finding.check}: {finding.said}")
        if finding.remedy is not None:
            typer.echo(f"    {finding.remedy}")


def _while_the_database_answers(settings: Settings, tenant: str | None) -> Iterator[Finding]:
    """Look at what must be opened for it; a database that goes away meanwhile is the last finding."""
    from sqlalchemy.exc import SQLAlchemyError

    from smarteros.store.database import cause_of

    try:
        yield from _opened(settings, tenant)
    except SQLAlchemyError as error:
        said = f"database_away: PostgreSQL has stopped answering: {cause_of(error)}"
        remedy = "Start PostgreSQL or wait for it, then ask again; what comes after this was not looked at."
        yield Finding(tenant_id=None, check="database.connection", status="failed", said=said, remedy=remedy)


def _opened(settings: Settings, tenant: str | None) -> Iterator[Finding]:
    """Look at everything; an installation that does not open is a finding too."""
    from smarteros.bootstrap import open_services
    from smarteros.doctor.installation import OpenInstallation, when_open
    from smarteros.doctor.registry import groups

    try:
        with open_services(settings) as services:
            installation = OpenInstallation(settings, services.database, services.secrets)
            yield from findings(when_open(), installation)
            chosen = [services.tenants.get(tenant)] if tenant else [t for t in services.tenants.all() if t.active]
            registered = groups(
                services.http,
                services.secrets,
                SystemClock(),
                services.catalogues,
                services.knowledge,
                settings.public_url and settings.public_url.rstrip("/"),
                settings.vision_url,
                services.language_model,
                [desk for contract in services.contracts.by_id.values() for desk in contract.hand_over.desks],
                services.database,
            )
            for one in chosen:
                yield from findings(registered, one, one.tenant_id)
    except (ConfigError, TransientError) as error:
        if error.code == "tenant_unknown":
            raise
        said = f"{error.code}: {error.operator_message}"
        remedy = "Set what the sentence names, then ask again."
        yield Finding(tenant_id=None, check="installation.open", status="failed", said=said, remedy=remedy)
