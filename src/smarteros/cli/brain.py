"""``smos brain``: which brain answers a shop's customers, and what it costs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from smarteros.cli.options import DataDir, settings_with
from smarteros.domain.errors import ConfigError
from smarteros.domain.llm import MICRO_USD_PER_USD, LlmProvider, LlmSettings, Spend
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import month_in_chile

app = typer.Typer(
    help="Choose the brain of a shop: the embedded one, or a language model on top.", no_args_is_help=True
)
TenantId = Annotated[str, typer.Option("--tenant", help="Whose brain.")]
_LONGEST_KEY = 4096


@app.command()
def show(tenant: TenantId, data_dir: DataDir = None) -> None:
    """Print a shop's brain, its limits and what this month has cost so far."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get(tenant)
        month = month_in_chile(datetime.now(UTC))
        spend = services.llm_ledger.spent(found.scope, month)
        has_key = services.secrets.find(found.scope, "llm/api_key") is not None
    typer.echo("\n".join(_in_words(found, spend, has_key=has_key)))


@app.command(name="set")
def set_(
    tenant: TenantId,
    provider: Annotated[LlmProvider, typer.Option(help="Whose language; openai also means what speaks like it.")],
    model: Annotated[str, typer.Option(help="The provider's name of the model.")],
    base_url: Annotated[str | None, typer.Option(help="Another server that speaks the provider's language.")] = None,
    monthly_usd_cents: Annotated[int | None, typer.Option(help="Most a month may cost, in US cents.")] = None,
    monthly_clp: Annotated[int | None, typer.Option(help="Most a month may cost, in pesos.")] = None,
    clp_per_usd: Annotated[int | None, typer.Option(help="Rate to count --monthly-clp with.")] = None,
    monthly_tokens: Annotated[int | None, typer.Option(help="Most tokens a month, of both kinds.")] = None,
    price_input: Annotated[str | None, typer.Option(help="Own price: US dollars per million tokens sent.")] = None,
    price_output: Annotated[str | None, typer.Option(help="Own price: US dollars per million tokens received.")] = None,
    timeout_ms: Annotated[int | None, typer.Option(help="Longest a customer waits for the model.")] = None,
    key_from_stdin: Annotated[bool, typer.Option("--key-from-stdin", help="Read the provider's key.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Put a language model on top of a shop's embedded brain. At least one monthly limit must be given.

    The key is read from standard input only: an argument would be seen by everybody on the machine.
    """
    from smarteros.bootstrap import open_services

    given: dict[str, Any] = {
        "provider": provider,
        "model": model,
        "base_url": base_url,
        "monthly_usd_cents": monthly_usd_cents,
        "monthly_clp": monthly_clp,
        "clp_per_usd": clp_per_usd,
        "monthly_tokens": monthly_tokens,
        "timeout_ms": timeout_ms,
    }
    if price_input is not None or price_output is not None:
        given["price"] = {"input_usd_per_million": price_input, "output_usd_per_million": price_output}
    chosen = _checked({name: value for name, value in given.items() if value is not None})
    key = sys.stdin.read(_LONGEST_KEY).strip() if key_from_stdin else ""
    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get(tenant)
        if key:
            services.secrets.write(found.scope, "llm/api_key", key)
        services.tenants.save(found.model_copy(update={"llm": chosen}))
    typer.echo(f"{tenant}: {chosen.provider} {chosen.model} words the answers of the embedded brain.")


@app.command()
def native(tenant: TenantId, data_dir: DataDir = None) -> None:
    """Go back to the embedded brain alone. The key and the books are kept."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get(tenant)
        services.tenants.save(found.model_copy(update={"llm": None}))
    typer.echo(f"{tenant}: the embedded brain answers alone.")


def _checked(given: dict[str, Any]) -> LlmSettings:
    try:
        return LlmSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError("llm_settings_invalid", f"{where}: {first['msg']}" if where else first["msg"]) from error


def _in_words(tenant: Tenant, spend: Spend, *, has_key: bool) -> list[str]:
    settings = tenant.llm
    cost = f"{spend.micro_usd / MICRO_USD_PER_USD:.4f} USD"
    lines = [f"{spend.month}: {spend.calls} calls, {spend.tokens} tokens, {cost}"]
    if settings is None:
        return [f"{tenant.tenant_id}: embedded brain", *lines]
    limit = settings.limit
    money = "none" if limit.micro_usd is None else f"{limit.micro_usd / MICRO_USD_PER_USD:.2f} USD"
    return [
        f"{tenant.tenant_id}: embedded brain and {settings.provider} {settings.model}"
        + (f" at {settings.base_url}" if settings.base_url else ""),
        f"key: {'set' if has_key else 'not set'}",
        f"monthly limit: {money}, {'none' if limit.tokens is None else limit.tokens} tokens",
        *lines,
    ]
