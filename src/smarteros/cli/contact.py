"""``smos contact``: what a shop holds of a person, its erasure, and whom the bot leaves alone."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.kit.exported_json import inert

if TYPE_CHECKING:
    from smarteros.domain.tenants import Tenant
    from smarteros.privacy.contacts import KnownBy
    from smarteros.privacy.proofs import Proof
    from smarteros.privacy.subject import Dossier, PersonalData

app = typer.Typer(help="What is held of a person; erase it; leave a person alone.", no_args_is_help=True)

TenantOption = Annotated[str, typer.Option(help="Shop the person wrote to.")]
Phone = Annotated[str | None, typer.Option(help="The person's phone, as +56979540471 or 9 7954 0471.")]
Email = Annotated[str | None, typer.Option(help="The person's e-mail address.")]
Rut = Annotated[str | None, typer.Option(help="A RUT the person has written.")]
ChatwootId = Annotated[int | None, typer.Option(help="Id of the contact in Chatwoot.")]
_ELSEWHERE = "Chatwoot, Shopify and Odoo keep their own records: erase the person there too."


@app.command()
def export(
    tenant: TenantOption,
    phone: Phone = None,
    email: Email = None,
    rut: Rut = None,
    chatwoot_id: ChatwootId = None,
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option(help="File to write the JSON to, readable by its owner only.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Show everything that is held of a person; of one who was erased, that nothing is, and the proof."""
    with _rights(tenant, data_dir, phone, email, rut, chatwoot_id) as (rights, shop, person):
        dossier = rights.export(shop, person)
    text = inert(json.dumps(dossier.model_dump(mode="json"), ensure_ascii=False, indent=2))
    if output is not None:
        output.touch(mode=0o600)
        output.write_text(text + "\n", "utf-8")
    typer.echo(text if as_json else "\n".join(_in_words(dossier)))


@app.command()
def erase(
    tenant: TenantOption,
    phone: Phone = None,
    email: Email = None,
    rut: Rut = None,
    chatwoot_id: ChatwootId = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Erase everything that is held of a person, also in the audit. It cannot be undone."""
    if not yes:
        typer.confirm("Everything held of this person will be gone. Erase it?", abort=True)
    with _rights(tenant, data_dir, phone, email, rut, chatwoot_id) as (rights, shop, person):
        proof = rights.erase(shop, person)
    if as_json:
        typer.echo("null" if proof is None else proof.model_dump_json(indent=2))
    else:
        typer.echo("Nothing is held of this person." if proof is None else f"{_proof(proof)}\n{_ELSEWHERE}")


@app.command()
def block(
    tenant: TenantOption,
    phone: Phone = None,
    email: Email = None,
    rut: Rut = None,
    chatwoot_id: ChatwootId = None,
    lift: Annotated[bool, typer.Option("--lift", help="The person agrees again: let the bot speak.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Let the bot leave a person alone: what he writes from now on goes to a person of the shop, without an answer."""
    with _rights(tenant, data_dir, phone, email, rut, chatwoot_id) as (rights, shop, person):
        count = rights.unblock(shop, person) if lift else rights.block(shop, person)
    if as_json:
        typer.echo(json.dumps({"contacts": count, "blocked": not lift}))
    elif lift:
        typer.echo(f"The bot speaks again to {count} contact(s) that were blocked.")
    else:
        typer.echo(f"The bot leaves {count} contact(s) alone.")


@app.command()
def rewrap(
    tenant: TenantOption,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make a new wrapping key first.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Wrap the keys of all contacts in the wrapping key of now, the secret privacy/contact_keys.

    Workers do this by themselves every six hours; with --new-key the wrapping key is rotated.
    """
    from smarteros.bootstrap import open_services
    from smarteros.privacy.wrapping import KeyWrapping

    with open_services(settings_with(data_dir)) as services:
        wrapping, shop = KeyWrapping(services.secrets), services.tenants.get_to_change(tenant)
        done = (wrapping.rotate if new_key else wrapping.rewrap)(services.database, shop)
    if as_json:
        typer.echo(done.model_dump_json())
    else:
        typer.echo(f"{done.rewrapped} key(s) wrapped anew; {done.lost} cannot be opened.")
    raise typer.Exit(1 if done.lost else 0)


@contextmanager
def _rights(
    tenant: str, data_dir: Path | None, phone: str | None, email: str | None, rut: str | None, chatwoot_id: int | None
) -> Generator[tuple[PersonalData, Tenant, KnownBy]]:
    from smarteros.bootstrap import open_services
    from smarteros.kit.clock import SystemClock
    from smarteros.privacy.contacts import known_by
    from smarteros.privacy.subject import PersonalData
    from smarteros.privacy.wrapping import KeyWrapping

    person = known_by(phone=phone, email=email, rut=rut, chatwoot_id=chatwoot_id)
    with open_services(settings_with(data_dir)) as services:
        wrapping = KeyWrapping(services.secrets)
        yield PersonalData(services.database, SystemClock(), wrapping), services.tenants.get(tenant), person


def _in_words(dossier: Dossier) -> Generator[str]:
    counts: dict[str, Any] = dossier.counts
    if counts:
        yield f"Held of {len(dossier.contacts)} contact(s) ({', '.join(dossier.contacts)}):"
        yield from (f"  {rows:>7} {table}" for table, rows in counts.items())
        yield "--json or --output FILE shows all of it."
    else:
        yield "Nothing is held of this person."
    if dossier.blocked:
        yield "The bot leaves this person alone."
    yield from map(_proof, dossier.erasures)


def _proof(proof: Proof) -> str:
    rows = sum(proof.rows.values())
    return (
        f"Erased on {proof.erased_at:%Y-%m-%d %H:%M} UTC: {rows} rows and {len(proof.keys)} key(s);"
        f" {proof.sealed_events} audit events can no longer be told whose they are (proof {proof.erasure_id})."
    )
