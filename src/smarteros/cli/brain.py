"""``smos brain``: which brain answers a shop's customers, and what it costs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from smarteros.cli.options import DataDir, settings_with
from smarteros.domain.botpress import BOT_KEY_PATH, BotpressDialect, BotpressSettings
from smarteros.domain.errors import ConfigError
from smarteros.domain.llm import MICRO_USD_PER_USD, LlmProvider, LlmSettings, Spend
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import month_in_chile

app = typer.Typer(
    help="Choose the brain of a shop: the embedded one, a language model on top, or the shop's own bot at Botpress.",
    no_args_is_help=True,
)
TenantId = Annotated[str, typer.Option("--tenant", help="Whose brain.")]
SettingsT = TypeVar("SettingsT", LlmSettings, BotpressSettings)
_LONGEST_KEY = 4096


@app.command()
def show(tenant: TenantId, data_dir: DataDir = None) -> None:
    """Print a shop's brain, its limits and what this month has cost so far."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get(tenant)
        month = month_in_chile(datetime.now(UTC))
        spend = services.llm_ledger.spent(found.scope, month)
        path = "llm/api_key" if found.botpress is None else BOT_KEY_PATH
        has_key = services.secrets.find(found.scope, path) is not None
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
    chosen = _checked(LlmSettings, given)
    key = sys.stdin.read(_LONGEST_KEY).strip() if key_from_stdin else ""
    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get_to_change(tenant)
        if key:
            services.secrets.write(found.scope, "llm/api_key", key)
        services.tenants.save(found.model_copy(update={"llm": chosen, "botpress": None}))
    typer.echo(f"{tenant}: {chosen.provider} {chosen.model} words the answers of the embedded brain.")


@app.command()
def botpress(
    tenant: TenantId,
    dialect: Annotated[BotpressDialect, typer.Option(help="Botpress Cloud's Chat API, or a v12 server of your own.")],
    bot: Annotated[str, typer.Option(help="The Chat integration's webhook id (cloud), or the bot's id (v12).")],
    url: Annotated[str | None, typer.Option(help="The server's address; needed for v12.")] = None,
    timeout_ms: Annotated[int | None, typer.Option(help="Longest a customer waits for the bot.")] = None,
    key_from_stdin: Annotated[
        bool, typer.Option("--key-from-stdin", help="Read the encryption key (cloud) or a bearer token (v12).")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Let a shop's own bot at Botpress decide; the embedded brain does where the bot gives no usable answer."""
    from smarteros.bootstrap import open_services

    given = {"dialect": dialect, "bot": bot, "url": url, "timeout_ms": timeout_ms}
    chosen = _checked(BotpressSettings, given)
    key = sys.stdin.read(_LONGEST_KEY).strip() if key_from_stdin else ""
    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get_to_change(tenant)
        if key:
            services.secrets.write(found.scope, BOT_KEY_PATH, key)
        services.tenants.save(found.model_copy(update={"botpress": chosen, "llm": None}))
    typer.echo(f"{tenant}: bot {chosen.name} decides; `smos doctor --tenant {tenant}` asks it something.")


@app.command()
def native(tenant: TenantId, data_dir: DataDir = None) -> None:
    """Go back to the embedded brain alone. The key and the books are kept."""
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get(tenant)
        services.tenants.save(found.model_copy(update={"llm": None, "botpress": None}))
    typer.echo(f"{tenant}: the embedded brain answers alone.")


def _checked(settings: type[SettingsT], given: dict[str, Any]) -> SettingsT:
    try:
        return settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError("brain_settings_invalid", f"{where}: {first['msg']}" if where else first["msg"]) from error


def _in_words(tenant: Tenant, spend: Spend, *, has_key: bool) -> list[str]:
    bot, settings = tenant.botpress, tenant.llm
    cost = f"{spend.micro_usd / MICRO_USD_PER_USD:.4f} USD"
    lines = [f"{spend.month}: {spend.calls} calls, {spend.tokens} tokens, {cost}"]
    key = f"key: {'set' if has_key else 'not set'}"
    if bot is not None:
        return [f"{tenant.tenant_id}: bot {bot.name} at {bot.url}, else the embedded brain", key, *lines]
    if settings is None:
        return [f"{tenant.tenant_id}: embedded brain", *lines]
    limit = settings.limit
    money = "none" if limit.micro_usd is None else f"{limit.micro_usd / MICRO_USD_PER_USD:.2f} USD"
    return [
        f"{tenant.tenant_id}: embedded brain and {settings.provider} {settings.model}"
        + (f" at {settings.base_url}" if settings.base_url else ""),
        key,
        f"monthly limit: {money}, {'none' if limit.tokens is None else limit.tokens} tokens",
        *lines,
    ]
