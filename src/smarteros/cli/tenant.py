"""``smos tenant``: a shop is taken on, shown, stopped, handed its data, and erased."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.table import Table

from smarteros.cli.doctor import print_findings
from smarteros.cli.files import read_text
from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.cli.tables import print_table, whole
from smarteros.domain.errors import ConfigError

if TYPE_CHECKING:
    from smarteros.bootstrap import Services
    from smarteros.doctor.examination import Finding
    from smarteros.domain.tenants import Tenant
    from smarteros.tenants.application import Application

app = typer.Typer(help="Take shops on, stop and resume them, give them their data, erase them.", no_args_is_help=True)
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="Id of the tenant.")]


File = Annotated[str | None, typer.Option("--from", help="JSON file with settings and secrets; - is standard input.")]
NewId = Annotated[str | None, typer.Option("--id", help="Id; without it made of the RUT.")]
Name = Annotated[str | None, typer.Option(help="Name, as customers know it.")]
Rut = Annotated[str | None, typer.Option(help="RUT of the business.")]
Tone = Annotated[str | None, typer.Option(help="How its bot should sound.")]
TierName = Annotated[str | None, typer.Option(help="free, pro or enterprise.")]
ChatwootUrl = Annotated[str | None, typer.Option(help="Address of its Chatwoot.")]
AccountId = Annotated[int | None, typer.Option(help="Number of its account there.")]
StartsOpen = Annotated[
    list[int] | None, typer.Option(help="Inbox that gets no agent bot, only the account's webhook; repeat it.")
]
OdooCompany = Annotated[int | None, typer.Option(help="Number of its company in Odoo.")]
OdooDatabase = Annotated[str | None, typer.Option(help="Name of its database in Odoo.")]
SecretsFile = Annotated[
    str | None, typer.Option(help="Its keys, in an .env or JSON file as `smos secrets import` reads it; - too.")
]
PublicUrl = Annotated[str | None, typer.Option(help="Where Chatwoot reaches us; default SMOS_PUBLIC_URL.")]
Unchecked = Annotated[bool, typer.Option("--unchecked", help="Store keys even where a check fails.")]


@app.command()
def add(
    file: File = None,
    tenant_id: NewId = None,
    name: Name = None,
    rut: Rut = None,
    tone: Tone = None,
    tier: TierName = None,
    chatwoot_url: ChatwootUrl = None,
    account_id: AccountId = None,
    starts_open: StartsOpen = None,
    odoo_company_id: OdooCompany = None,
    odoo_database: OdooDatabase = None,
    secrets: SecretsFile = None,
    public_url: PublicUrl = None,
    unchecked: Unchecked = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Take a shop on, or change one: try its keys, become the bot of its inboxes, store what Chatwoot gives us.

    Without --from and options it asks. Done again it changes only what differs. Keys are read from files, standard
    input or hidden prompts: an argument would be seen by everybody on the machine.
    """
    flags = {
        "tenant_id": tenant_id,
        "name": name,
        "rut": rut,
        "tone": tone,
        "tier": tier,
        "chatwoot_url": chatwoot_url,
        "account_id": account_id,
        "starts_open": starts_open or None,
        "odoo_company_id": odoo_company_id,
        "odoo_database": odoo_database,
    }
    given = {key: value for key, value in flags.items() if value is not None}
    with _open(data_dir) as services:
        own_url = _own_url(services, public_url)
        if file is None and not given and secrets is None:
            from smarteros.cli.tenant_questions import ask

            wanted = ask(lambda draft, system: _checked(services, draft, system))
            findings: Sequence[Finding] = ()  # they were seen when the questions were asked
        else:
            wanted = _read(file, given, secrets)
            findings = _checked(services, wanted)
        _enrol(services, wanted, findings, own_url, unchecked=unchecked, as_json=as_json)


@app.command()
def show(tenant: TenantId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show a tenant: its settings, which secrets it has, and what is missing."""
    from smarteros.domain.ids import status_key
    from smarteros.tenants.enrolment import webhook_url

    with _open(data_dir) as services:
        found = services.tenants.get(tenant)
        own_url = (services.settings.public_url or "").rstrip("/")
        shown = {
            **found.model_dump(mode="json", exclude={"tenant_key"}),
            "webhook_url": webhook_url(found, own_url),
            "status_url": f"{own_url}/status/{status_key(found.tenant_key)}" if found.status_page else None,
            "secrets": [entry.path for entry in services.secrets.entries(found.scope)],
            "missing": _missing(services, found),
        }
    if as_json:
        _print_json(shown)
        return
    for key, value in shown.items():
        typer.echo(f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


@app.command(name="list")
def list_(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List all tenants."""
    with _open(data_dir) as services:
        rows = [
            {
                "tenant_id": tenant.tenant_id,
                "name": tenant.name,
                "rut": tenant.rut,
                "tier": tenant.tier,
                "state": tenant.state,
                "chatwoot_url": tenant.chatwoot_url,
                "chatwoot_account_ids": list(tenant.chatwoot_account_ids),
                "inboxes": len(tenant.inboxes),
            }
            for tenant in services.tenants.all()
        ]
    if as_json:
        _print_json(rows)
        return
    table = Table(whole("tenant"), "name", "RUT", "tier", "state", "Chatwoot", "accounts", "inboxes")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    print_table(table)


@app.command()
def orchestrate(
    tenant: TenantId,
    by: Annotated[str, typer.Option(help="smarteros or n8n.")],
    webhook_url: Annotated[
        str | None, typer.Option(help="Address of n8n's webhook, to which its Chatwoot shall send; kept once said.")
    ] = None,
    public_url: PublicUrl = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Choose who leads a shop's turns, our workers or n8n (docs/n8n.md), and point its Chatwoot's bot there.

    Without an address for n8n Chatwoot is left as it is.
    """
    from smarteros.tenants.application import application

    with _open(data_dir) as services:
        found = services.tenants.get(tenant)
        address = webhook_url or found.n8n_webhook_url
        given = {
            **found.model_dump(include={"tenant_id", "name", "rut", "chatwoot_url"}),
            "account_id": found.chatwoot_account_ids[0],
            "orchestration": by,
            "n8n_webhook_url": address,
        }
        own_url = "" if by == "n8n" and address else _own_url(services, public_url)
        _enrol(services, application(given), (), own_url, unchecked=False, as_json=as_json)


@app.command()
def suspend(
    tenant: TenantId,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Stop answering for a shop, within two seconds in all processes.

    Its webhooks, tools and agents are refused; Chatwoot gives its conversations to people.
    """
    from smarteros.tenants import life

    with _open(data_dir) as services:
        changed = life.suspend(services.tenants, services.database, services.tenants.get(tenant), reason)
    _print_state(tenant, "suspended", changed=changed, as_json=as_json)


@app.command()
def resume(tenant: TenantId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Answer for a suspended shop again; what was written meanwhile is looked for (docs/operations.md)."""
    from smarteros.tenants import life

    with _open(data_dir) as services:
        changed = life.resume(services.tenants, services.database, services.tenants.get(tenant))
    _print_state(tenant, "active", changed=changed, as_json=as_json)


@app.command()
def export(
    tenant: TenantId,
    out: Annotated[Path, typer.Option("--out", "-o", help="Empty directory to write to; it is made when absent.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Write everything held of a shop: a JSONL file for each table, its settings, and a manifest with hashes."""
    from smarteros.tenants.export import export_tenant
    from smarteros.tenants.noting import note_change

    with _open(data_dir) as services:
        found = services.tenants.get(tenant)
        manifest = export_tenant(services.database, services.secrets, found, out)
        hashes = {file.name: file.sha256 for file in manifest.files}
        note_change(services.database, found.scope, "tenant_exported", files=hashes)
    if as_json:
        _print_json(manifest.model_dump(mode="json"))
        return
    rows = sum(file.rows or 0 for file in manifest.files)
    typer.echo(f"{tenant}: {rows} rows in {len(manifest.files)} files in {out}; secrets are not among them.")


@app.command()
def erase(
    tenant: TenantId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the id to be typed.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Remove everything of a shop for good: rows, secrets, and our bot in its Chatwoot.

    One event in the installation's audit stays, which says that it was done. `smos tenant export` comes before.
    """
    from smarteros.tenants.erasure import Eraser

    with _open(data_dir) as services:
        found = services.tenants.get(tenant)
        if not yes and typer.prompt(f"Nothing of {found.name} will be left. Type {tenant} to erase it") != tenant:
            raise ConfigError("erasure_not_confirmed", f"What was typed is not {tenant}; nothing was erased.")
        erased = Eraser(services.database, services.tenants, services.secrets, services.http).erase(found)
    if as_json:
        _print_json(erased.model_dump(mode="json"))
        return
    typer.echo(f"{tenant}: erased {sum(erased.rows.values())} rows in {len(erased.rows)} tables and", nl=False)
    typer.echo(f" {erased.secrets} secrets; a scan of all tables found no row of it.")
    for line in (*erased.withdrawn, *erased.left):
        typer.echo(line)


def _enrol(
    services: Services,
    wanted: Application,
    findings: Sequence[Finding],
    own_url: str,
    *,
    unchecked: bool,
    as_json: bool,
) -> None:
    """Take the shop on unless one of its keys is wrong, and say what was changed and what is missing."""
    from smarteros.tenants.enrolment import Enroller

    refused = not unchecked and any(finding.status == "failed" for finding in findings)
    said: dict[str, Any] = {
        "tenant_id": wanted.tenant_id,
        "created": False,
        "changes": [],
        "findings": [finding.model_dump() for finding in findings],
    }
    if not as_json:
        print_findings(findings)
    if not refused:
        enroller = Enroller(services.http, services.tenants, services.secrets, services.database, own_url)
        enrolled = enroller.enrol(wanted)
        said |= {"created": enrolled.created, "changes": enrolled.changes, "webhook_url": enrolled.webhook_url}
        said["missing"] = _missing(services, enrolled.tenant)
    if as_json:
        _print_json(said)
    elif refused:
        typer.echo(f"{wanted.tenant_id}: nothing was changed; mend what failed, or add --unchecked.", err=True)
    else:
        _print_enrolled(said)
    raise typer.Exit(1 if refused else 0)


def _print_enrolled(said: dict[str, Any]) -> None:
    tenant_id = said["tenant_id"]
    if not said["changes"]:
        typer.echo(f"{tenant_id}: everything is in place, nothing was changed.")
    for change in said["changes"]:
        typer.echo(f"{tenant_id}: {change}")
    typer.echo(f"{tenant_id}: webhooks come to {said['webhook_url']}")
    for sentence in said["missing"]:
        typer.echo(f"{tenant_id}: missing: {sentence}")


def _checked(services: Services, wanted: Application, system: str | None = None) -> Sequence[Finding]:
    """Try the keys of an application (of one system) in the outside systems; nothing is stored."""
    from smarteros.doctor.examination import examine
    from smarteros.doctor.registry import credential_groups
    from smarteros.kit.clock import SystemClock
    from smarteros.tenants.proposed_secrets import ProposedSecrets

    proposed = ProposedSecrets(services.secrets, wanted.secrets)
    groups = credential_groups(
        services.http,
        proposed,
        SystemClock(),
        services.database,
        services.settings.shopify_api_version,
        services.settings.vision_url,
        services.language_model,
    )
    tenant = wanted.tenant(services.tenants.find(wanted.tenant_id), "not registered yet")
    return examine([group for group in groups if system in (None, group.system)], tenant)


def _missing(services: Services, tenant: Tenant) -> tuple[str, ...]:
    from smarteros.tenants.missing import missing

    return missing(tenant, services.contracts.by_id.values(), services.secrets, services.knowledge)


def _read(file: str | None, flags: dict[str, Any], secrets: str | None) -> Application:
    """Put an application together: the file, over it the options, and keys from a file of their own."""
    from smarteros.secrets.importing import read_secrets
    from smarteros.tenants.application import application, read_object

    given = {**(read_object(read_text(file)) if file else {}), **flags}
    if secrets is not None:
        found = read_secrets(read_text(secrets, "secrets_unreadable"))
        given["secrets"] = found.values
        for name in found.unknown:
            typer.echo(f"unknown, not imported: {name}", err=True)
    return application(given)


def _own_url(services: Services, given: str | None) -> str:
    """Where Chatwoot reaches this installation."""
    url = (given or services.settings.public_url or "").rstrip("/")
    if not url:
        raise ConfigError(
            "public_url_missing", "Set SMOS_PUBLIC_URL, or --public-url, to the address at which Chatwoot reaches us."
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("public_url_missing", f"{url!r} is not an address like https://bots.example.cl.")
    return url


@contextmanager
def _open(data_dir: Path | None) -> Generator[Services]:
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        yield services


def _print_state(tenant: str, state: str, *, changed: bool, as_json: bool) -> None:
    if as_json:
        _print_json({"tenant_id": tenant, "state": state, "changed": changed})
        return
    typer.echo(f"{tenant}: {state}" + ("" if changed else ", as before"))


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
