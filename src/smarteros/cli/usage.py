"""``smos usage``: what shops have used in a month, what it cost, and what their limits are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarteros.cli.options import DataDir, settings_with
from smarteros.domain.llm import MICRO_USD_PER_USD
from smarteros.domain.tenants import Tenant
from smarteros.domain.vision import cost_of
from smarteros.kit.clock import month_in_chile

if TYPE_CHECKING:
    from smarteros.bootstrap import Services


def usage(
    tenant: Annotated[str | None, typer.Option(help="One shop; without it all of them.", show_default=False)] = None,
    month: Annotated[
        str | None, typer.Option(help="Of Chile's calendar: 2026-11. The present one by default.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for billing.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show what shops used in a month: conversations, turns, and what models and Cloud Vision cost."""
    from smarteros.bootstrap import open_services

    asked = _month(month)
    with open_services(settings_with(data_dir)) as services:
        shops = services.tenants.all() if tenant is None else (services.tenants.get(tenant),)
        found = [_used(services, shop, asked) for shop in shops]
    if as_json:
        typer.echo(json.dumps({"month": asked, "tenants": found}, ensure_ascii=False))
    else:
        typer.echo("\n".join(_in_words(asked, entry) for entry in found) or "There are no shops yet.")


def _month(given: str | None) -> str:
    if given is None:
        return month_in_chile(datetime.now(UTC))
    try:
        return datetime.strptime(given, "%Y-%m").strftime("%Y-%m")
    except ValueError:
        raise typer.BadParameter("expected a month like 2026-11", param_hint="--month") from None


def _used(services: Services, shop: Tenant, month: str) -> dict[str, Any]:
    from smarteros.documents.vision_books import PostgresVisionBooks
    from smarteros.store.usage import month_of_conversations

    with services.database.tenant(shop.scope) as connection:
        worked = month_of_conversations(connection, shop.tenant_id, month)
    llm = services.llm_ledger.spent(shop.scope, month)
    images = PostgresVisionBooks(services.database).images(shop.scope, month)
    limits = shop.may_use
    return {
        "tenant_id": shop.tenant_id,
        "tier": shop.tier,
        **worked.model_dump(),
        "llm_calls": llm.calls,
        "llm_tokens": llm.tokens,
        "llm_micro_usd": llm.micro_usd,
        "ocr_images": images,
        "ocr_micro_usd": cost_of(images),
        "micro_usd": llm.micro_usd + cost_of(images),
        "limits": limits.model_dump()
        | {"requests_per_minute": limits.requests_per_minute or services.settings.requests_per_minute},
    }


def _in_words(month: str, used: dict[str, Any]) -> str:
    limits = used["limits"]
    most = limits["conversations_per_month"]
    cents = limits["monthly_usd_cents"]
    lines = [
        f"{used['tenant_id']} ({used['tier']}), {month}",
        f"  conversations  {used['conversations']}{'' if most is None else f' of {most}'}, {used['turns']} turns",
        f"  spent          US$ {_usd(used['micro_usd'])}{'' if cents is None else f' of {cents / 100:.2f}'}:"
        f" {used['llm_calls']} calls of a model US$ {_usd(used['llm_micro_usd'])},"
        f" {used['ocr_images']} images US$ {_usd(used['ocr_micro_usd'])}",
        f"  requests       at most {limits['requests_per_minute']} a minute",
    ]
    if used["refused_turns"]:
        lines.append(
            f"  over a limit   {used['refused_turns']} turns of {used['refused_conversations']} conversations"
            " went to a person"
        )
    return "\n".join(lines)


def _usd(micro_usd: int) -> str:
    return f"{micro_usd / MICRO_USD_PER_USD:.2f}"
