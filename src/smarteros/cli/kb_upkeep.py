"""``smos kb waiting|activate|refuse|questions|report|settings``: what people decide about the upkeep of texts."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from smarteros.cli.kb_source import TenantOption, opened, print_proposed
from smarteros.cli.options import AsJson, DataDir
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.upkeep import UpkeepSettings
from smarteros.kit.clock import in_santiago

Origin = Annotated[str | None, typer.Argument(help="Whose change, as `smos kb waiting` names it; unset: the only one.")]


def waiting(tenant: TenantOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the changes that wait for approval, with the answers they touch."""
    from smarteros.knowledge.upkeep.upkeep import Proposed

    with opened(tenant, data_dir) as (_, upkeep, shop):
        changes = upkeep.texts.waiting(shop)
    if as_json:
        shown = [
            {
                "origin": each.change.origin,
                "made_at": each.made_at.isoformat(),
                "documents": [document.name for document in each.change.documents],
                "report": each.report.model_dump(mode="json"),
            }
            for each in changes
        ]
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    for each in changes:
        typer.echo(f"{in_santiago(each.made_at):%Y-%m-%d %H:%M}\t{len(each.change.documents)} documents")
        print_proposed(each.change.origin, Proposed(outcome="waits", report=each.report), as_json=False)


def activate(tenant: TenantOption, origin: Origin = None, data_dir: DataDir = None) -> None:
    """Let a change that waits answer from now on."""
    with opened(tenant, data_dir) as (_, upkeep, shop):
        passages = upkeep.texts.approve(shop, origin, by=_by())
    typer.echo(f"{passages} passages")


def refuse(tenant: TenantOption, origin: Origin = None, data_dir: DataDir = None) -> None:
    """Turn a change that waits down. A source is listened to again when it says something else."""
    with opened(tenant, data_dir) as (_, upkeep, shop):
        upkeep.texts.refuse(shop, origin, by=_by())
    typer.echo("refused")


def _by() -> dict[str, str]:
    """Who decides at a terminal is known by the machine's name of him only."""
    return {"person": getpass.getuser(), "role": "terminal"}


def questions(
    tenant: TenantOption,
    file: Annotated[
        Path | None, typer.Argument(help="Lines as `smos kb test` takes them; they replace the stored ones.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Forget the stored ones.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show or replace the test questions that are asked before a change of the texts answers."""
    from smarteros.knowledge.evaluation import read_questions_of
    from smarteros.store.upkeep import list_questions, replace_questions

    wanted = () if clear else None if file is None else read_questions_of(file)
    with opened(tenant, data_dir) as (services, _, shop), services.database.tenant(shop.scope) as connection:
        if wanted is not None:
            replace_questions(connection, shop.tenant_id, [asdict(each) for each in wanted])
        stored = list_questions(connection, shop.tenant_id)
    if as_json:
        typer.echo(json.dumps(stored, ensure_ascii=False))
    elif wanted is not None:
        typer.echo(f"{len(stored)} questions")
    else:
        for each in stored:
            expected = (*each["titles"], *each["documents"], *each["contains"])
            typer.echo(f"{each['question']}\t{', '.join(expected)}")


def report(
    tenant: TenantOption,
    send: Annotated[bool, typer.Option("--send", help="Send it to the shop's owner by e-mail.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the last seven days' questions that had no sure answer, by matter and pattern."""
    from smarteros.knowledge.upkeep.mails import weekly_mail

    with opened(tenant, data_dir) as (_, upkeep, shop):
        made = upkeep.reports.report(shop)
        to = upkeep.reports.send(shop) if send else ()
    if as_json:
        typer.echo(json.dumps({**made.model_dump(mode="json"), "sent_to": list(to)}, ensure_ascii=False))
    elif send:
        typer.echo(f"sent to {', '.join(to)}")
    else:
        text = weekly_mail(made).get_body(("plain",))
        typer.echo(text.get_content() if text is not None else "", nl=False)


def settings(
    tenant: TenantOption,
    owner_email: Annotated[str | None, typer.Option(help="Who gets the weekly report; '' for the console's.")] = None,
    page_host: Annotated[
        list[str] | None, typer.Option(help="Host that pages may redirect to; repeat it; '' for none.")
    ] = None,
    history_days: Annotated[int | None, typer.Option(help="Answered turns of so many days are asked again.")] = None,
    most_questions: Annotated[int | None, typer.Option(help="Of those at most so many.")] = None,
    most_changed: Annotated[int | None, typer.Option(help="Percent of answers that may change unasked.")] = None,
    most_lost: Annotated[int | None, typer.Option(help="Percent of answers that may get lost unasked.")] = None,
    weekly_report: Annotated[bool | None, typer.Option(help="Whether the owner gets the report.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show or change how a shop's texts are kept up to date."""
    said = {
        "owner_email": owner_email,
        "page_hosts": None if page_host is None else [host.lower() for host in page_host if host],
        "history_days": history_days,
        "most_questions": most_questions,
        "most_changed_percent": most_changed,
        "most_lost_percent": most_lost,
        "weekly_report": weekly_report,
    }
    given = {
        name: value or None if name == "owner_email" else value for name, value in said.items() if value is not None
    }
    with opened(tenant, data_dir) as (services, _, shop):
        try:
            kb = UpkeepSettings.model_validate({**shop.kb.model_dump(), **given})
        except ValidationError as error:
            amiss = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise RejectedInputError("kb_settings_invalid", amiss) from None
        if given:
            services.tenants.save(shop.model_copy(update={"kb": kb}))
    if as_json:
        typer.echo(kb.model_dump_json())
        return
    for name, value in kb.model_dump(mode="json").items():
        typer.echo(f"{name}\t{value}")
