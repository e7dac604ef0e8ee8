"""``smos contract``: check, play, compare and export contracts. Exit code 0 only when everything is right."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from smarteros.cli.contract_migrate import migrate
from smarteros.cli.contract_runs import keep_runs
from smarteros.cli.options import AsJson, DataDir, project_contracts, settings_with
from smarteros.contracts.diff import diff as diff_contracts
from smarteros.contracts.documentation import markdown
from smarteros.contracts.exporters.alertmanager import alertmanager_config
from smarteros.contracts.exporters.n8n import EVENTS_FILE, n8n_files
from smarteros.contracts.exporters.prometheus import RULES_FILE, RUNBOOKS, prometheus_files
from smarteros.contracts.exporters.vault import vault_setup
from smarteros.contracts.findings import Finding, mistakes
from smarteros.contracts.lint import lint as lint_contracts
from smarteros.contracts.loader import load_contract, load_contracts
from smarteros.contracts.models import Contract, Scenario
from smarteros.contracts.schema import schema_text
from smarteros.scenarios.own_stack import own_stack
from smarteros.scenarios.results import PlayedTurn, ScenarioResult
from smarteros.scenarios.runner import ScenarioRunner

app = typer.Typer(name="contract", help="Check, play, compare and export contracts.", no_args_is_help=True)


Url = Annotated[str | None, typer.Option("--url", help="A running stack; without it one is started for this.")]
Folder = Annotated[
    Path | None, typer.Option("--contracts", help="Folder of the contracts.", show_default="the project's")
]


class Exportable(StrEnum):
    """What a contract can be exported as."""

    schema = "schema"
    docs = "docs"
    vault = "vault"
    prometheus = "prometheus"
    alertmanager = "alertmanager"
    n8n = "n8n"


@app.command()
def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders; default: the project's contracts.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find every mistake in contracts, with file and line."""
    findings = lint_contracts(paths or [project_contracts()])
    if as_json:
        _print_json([finding.model_dump() for finding in findings])
    else:
        _print_findings(findings)
    raise typer.Exit(1 if mistakes(findings) else 0)


app.command()(migrate)


@app.command()
def test(
    url: Url = None,
    contracts: Folder = None,
    flow: Annotated[str | None, typer.Option(help="Only this flow.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Play all scenarios of the contracts and compare.

    The installation of the data directory, if there is one, remembers the run: its console shows it.
    """
    played = _chosen(contracts, flow)
    results = _play_all(played, url, quiet=as_json)
    keep_runs(settings_with(data_dir), played, results, url)
    if as_json:
        _print_json([result.model_dump(mode="json") | {"passed": result.passed} for result in results])
    else:
        _print_results(results)
    raise typer.Exit(0 if all(result.passed for result in results) else 1)


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="Name of the scenario.")],
    url: Url = None,
    contracts: Folder = None,
    flow: Annotated[str | None, typer.Option(help="The flow, when several have a scenario of this name.")] = None,
) -> None:
    """Play one scenario and show the conversation."""
    contract, found = _scenario(_chosen(contracts, flow), scenario)
    with _stack_url(url) as address, _runner(address) as runner:
        result = runner.run(contract, found, tell=_print_turn)
    console = _console()
    for failure in result.failures:
        console.print(f"✗ {failure}", style="red", soft_wrap=True)
    console.print("passed" if result.passed else "failed", style="green" if result.passed else "red")
    raise typer.Exit(0 if result.passed else 1)


@app.command()
def diff(before: Path, after: Path, as_json: AsJson = False) -> None:
    """Show what differs in meaning between two contract files; exit code 1 when something does."""
    changes = diff_contracts(load_contract(before), load_contract(after))
    if as_json:
        _print_json([change.model_dump(mode="json") for change in changes])
    else:
        table = Table("change", "where", "before", "after", title=f"{len(changes)} differences")
        for change in changes:
            table.add_row(change.kind, change.path, _short(change.before), _short(change.after))
        _console().print(table)
    raise typer.Exit(1 if changes else 0)


@app.command()
def export(
    what: Exportable,
    path: Annotated[Path | None, typer.Argument(help="The contract, for docs.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="File to write instead of printing; for prometheus and n8n the folder of the files.",
        ),
    ] = None,
    tenants: Annotated[
        list[str] | None, typer.Option("--tenant", help="For vault, repeated; without it all shops there are.")
    ] = None,
    runbooks: Annotated[
        str, typer.Option("--runbooks", help="For prometheus: where the runbooks are read.")
    ] = RUNBOOKS,
    url: Annotated[
        str | None, typer.Option(help="For n8n: where it reaches SmarterOS; default SMOS_PUBLIC_URL, or this machine.")
    ] = None,
    contracts: Folder = None,
    data_dir: DataDir = None,
) -> None:
    """Write the JSON Schema of the format, a contract as a page, or what another program is set up with.

    Those are a Vault, Prometheus, Alertmanager, and n8n with the workflows that lead our turns (docs/n8n.md).
    """
    if what in (Exportable.prometheus, Exportable.n8n):
        flows = load_contracts(_folder(contracts)).by_id.values()
        for_n8n = what is Exportable.n8n
        files = n8n_files(flows, _own_url(url, data_dir)) if for_n8n else prometheus_files(flows, runbooks)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (out / name).write_text(content, "utf-8")
            return
        text = files[EVENTS_FILE if for_n8n else RULES_FILE]
    elif what is Exportable.alertmanager:
        text = _alertmanager(data_dir)
    elif what is Exportable.vault:
        text = _vault_setup(contracts, tenants, data_dir)
    elif what is Exportable.schema:
        text = schema_text()
    elif path is None:
        raise typer.BadParameter("docs needs a contract file")
    else:
        text = markdown(load_contract(path))
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, "utf-8")


def _alertmanager(data_dir: Path | None) -> str:
    from smarteros.alerts.settings import AlertSettings, alertmanager_sinks

    # Alertmanager stands beside us, or reaches us as Chatwoot does.
    return alertmanager_config(alertmanager_sinks(AlertSettings(), _own_url(None, data_dir)))


def _own_url(given: str | None, data_dir: Path | None) -> str:
    settings = settings_with(data_dir)
    return given or settings.public_url or f"http://127.0.0.1:{settings.port}"


def _vault_setup(contracts: Path | None, tenants: Sequence[str] | None, data_dir: Path | None) -> str:
    settings = settings_with(data_dir)
    if not tenants:
        from smarteros.bootstrap import open_services

        # Vault itself is not asked, and may not even be set up yet.
        with open_services(settings.model_copy(update={"secrets": "file"})) as services:
            tenants = [tenant.tenant_id for tenant in services.tenants.all()]
    return vault_setup(load_contracts(_folder(contracts)).by_id.values(), tenants, settings.vault_mount)


def _folder(given: Path | None) -> Path:
    return given or project_contracts()


def _chosen(folder: Path | None, flow: str | None) -> list[Contract]:
    loaded = load_contracts(_folder(folder))
    return list(loaded.by_id.values()) if flow is None else [loaded.get(flow)]


def _scenario(contracts: Sequence[Contract], name: str) -> tuple[Contract, Scenario]:
    for contract in contracts:
        for scenario in contract.scenarios:
            if scenario.name == name:
                return contract, scenario
    names = "\n".join(f"  {scenario.name}" for contract in contracts for scenario in contract.scenarios)
    raise typer.BadParameter(f"no scenario {name!r}; there are:\n{names}")


def _play_all(contracts: Sequence[Contract], url: str | None, *, quiet: bool) -> list[ScenarioResult]:
    results: list[ScenarioResult] = []
    with _stack_url(url) as address, _runner(address) as runner:
        for result in runner.run_all(contracts):
            results.append(result)
            if not quiet:
                typer.echo(f"{'✓' if result.passed else '✗'} {result.contract}: {result.scenario}", err=True)
    return results


@contextmanager
def _stack_url(url: str | None) -> Generator[str]:
    if url is not None:
        yield url
        return
    with own_stack() as started:
        yield started


@contextmanager
def _runner(url: str) -> Generator[ScenarioRunner]:
    runner = ScenarioRunner(url)
    try:
        yield runner
    finally:
        runner.close()


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(str(finding))
    if not mistakes(findings):
        typer.echo("no mistakes found")


def _print_results(results: Sequence[ScenarioResult]) -> None:
    table = Table("flow", "scenario", "tenant", "result", "ms per turn")
    for result in results:
        latencies = ", ".join("-" if turn.latency_ms is None else str(turn.latency_ms) for turn in result.turns)
        style = "green" if result.passed else "red"
        table.add_row(result.contract, result.scenario, result.tenant, _verdict(result), latencies, style=style)
    console = _console()
    console.print(table)
    for result in results:
        for failure in result.failures:
            console.print(f"{result.contract}: {result.scenario}: {failure}", style="red", soft_wrap=True)
    passed = sum(result.passed for result in results)
    console.print(f"{passed} of {len(results)} scenarios passed")


def _verdict(result: ScenarioResult) -> str:
    return "passed" if result.passed else f"failed ({len(result.failures)})"


def _print_turn(turn: PlayedTurn) -> None:
    typer.echo(f"› {turn.said}")
    typer.echo(f"{turn.reply or '(no reply)'}")
    waited = "-" if turn.latency_ms is None else f"{turn.latency_ms} ms"
    typer.echo(f"  [{turn.intent}, {turn.rule}, {turn.outcome}, {waited}]\n")


def _console() -> Console:
    # Paths and customers' texts have square brackets of their own.
    return Console(markup=False, highlight=False)


def _short(value: object) -> str:
    text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "…"
