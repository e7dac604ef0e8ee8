"""``smos doctor``: look whether tenants can work, one line a check; exit code 1 when one of them fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from smarteros.cli.options import DataDir, settings_with
from smarteros.doctor.examination import Finding, examine
from smarteros.kit.clock import SystemClock

_SIGNS = {"ok": "✓", "warning": "!", "failed": "✗", "skipped": "-"}


def doctor(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant; without it every active one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Ask the outside systems of tenants whether address, key and rights are in order, and say what to do if not."""
    from smarteros.bootstrap import open_services
    from smarteros.doctor.registry import groups

    with open_services(settings_with(data_dir)) as services:
        chosen = [services.tenants.get(tenant)] if tenant else [t for t in services.tenants.all() if t.active]
        registered = groups(services.http, services.secrets, SystemClock(), services.catalogues)
        findings = [finding for one in chosen for finding in examine(registered, one)]
    if as_json:
        typer.echo(json.dumps([finding.model_dump() for finding in findings], ensure_ascii=False, indent=2))
    else:
        _print(findings)
    raise typer.Exit(1 if any(finding.status == "failed" for finding in findings) else 0)


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{_SIGNS[finding.status]} {finding.tenant_id} {finding.check}: {finding.said}")
        if finding.remedy is not None:
            typer.echo(f"    {finding.remedy}")
