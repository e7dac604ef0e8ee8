"""``smos alerts``: what is amiss, who was told, and who shall not be told for a while."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from smarteros.cli.options import AsJson, DataDir, duration, settings_with
from smarteros.cli.tables import print_table, whole
from smarteros.domain.alerts import Alert, Silence
from smarteros.store.database import NO_TENANT

if TYPE_CHECKING:
    from smarteros.bootstrap import Services

app = typer.Typer(name="alerts", help="What is amiss, who was told, and silences.", no_args_is_help=True)

_LONGEST = timedelta(days=30)
OfTenant = Annotated[
    str | None, typer.Option("--tenant", help="One shop; without it the installation and all.", show_default=False)
]


@app.command("list")
def list_alerts(
    tenant: OfTenant = None,
    since: Annotated[
        str | None, typer.Option(help="Also those that are over and began since then: 24h, 7d.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the alerts that are on, the silences in force, and when all was last looked at."""
    from smarteros.bootstrap import open_services
    from smarteros.store.alerts import last_round

    now = datetime.now(UTC)
    back = None if since is None else now - duration(since, option="--since", at_most=timedelta(days=400))
    with open_services(settings_with(data_dir)) as services:
        with services.database.installation() as connection:
            looked_at = last_round(connection)
        alerts, silences = _standing(services, _scopes(services, tenant), now, back)
    if as_json:
        found = {
            "looked_at": None if looked_at is None else looked_at.isoformat(),
            "alerts": [alert.model_dump(mode="json") for alert in alerts],
            "silences": [silence.model_dump(mode="json") for silence in silences],
        }
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(alerts, silences, looked_at)


@app.command()
def silence(
    name: Annotated[str, typer.Argument(help="Name of the alert, or ALL.")],
    tenant: OfTenant = None,
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 7d.")] = "2h",
    reason: Annotated[str, typer.Option(help="Why, for the others.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Tell nobody of an alert for a while; whoever was told already hears that somebody looks after it."""
    from smarteros.bootstrap import open_services
    from smarteros.store.alerts import add_silence

    now, length = datetime.now(UTC), duration(for_, option="--for", at_most=_LONGEST)
    with open_services(settings_with(data_dir)) as services:
        scope = NO_TENANT if tenant is None else services.tenants.get(tenant).tenant_id
        wanted = Silence(
            silence_id=0,
            tenant_id=scope,
            name=None if name == "ALL" else _known(services, name),
            reason=reason,
            made_by=getpass.getuser(),
            made_at=now,
            until_at=now + length,
        )
        with services.database.scoped(scope) as connection:
            made = add_silence(connection, wanted)
    typer.echo(
        made.model_dump_json() if as_json else f"Silence {made.silence_id} until {made.until_at:%Y-%m-%d %H:%M %Z}"
    )


@app.command()
def unsilence(
    number: Annotated[int, typer.Argument(help="Number of the silence.")],
    tenant: OfTenant = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """End a silence; what is still on is told of again."""
    from smarteros.bootstrap import open_services
    from smarteros.domain.errors import ConfigError
    from smarteros.store.alerts import end_silence

    with open_services(settings_with(data_dir)) as services:
        for scope in _scopes(services, tenant):
            with services.database.scoped(scope) as connection:
                if end_silence(connection, scope, number, datetime.now(UTC)):
                    ended = {"silence_id": number, "tenant_id": scope}
                    typer.echo(json.dumps(ended) if as_json else f"Silence {number} is over")
                    return
    raise ConfigError("silence_unknown", f"There is no silence {number} in force.")


@app.command()
def test(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Send a test to every sink that is set up, and its end; exit code 1 when one did not take it."""
    from smarteros.alerts.courier import try_sinks
    from smarteros.alerts.settings import AlertSettings
    from smarteros.bootstrap import open_services
    from smarteros.bootstrap.alerts import open_courier

    with open_services(settings_with(data_dir)) as services:
        answers = try_sinks(open_courier(services, AlertSettings()), datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(answers, ensure_ascii=False))
    else:
        for sink, why in answers.items():
            typer.echo(f"{'✓' if why is None else '✗'} {sink}{'' if why is None else f': {why}'}")
    raise typer.Exit(0 if all(why is None for why in answers.values()) else 1)


def _scopes(services: Services, tenant: str | None) -> list[str]:
    if tenant is not None:
        return [services.tenants.get(tenant).tenant_id]
    return [NO_TENANT, *(each.tenant_id for each in services.tenants.all())]


def _standing(
    services: Services, scopes: Sequence[str], now: datetime, back: datetime | None
) -> tuple[list[Alert], list[Silence]]:
    from smarteros.store.alerts import open_alerts, past_alerts, silences_at

    alerts: list[Alert] = []
    silences: list[Silence] = []
    for scope in scopes:
        with services.database.scoped(scope) as connection:
            if back is not None:
                alerts += past_alerts(connection, scope, back)
            alerts += open_alerts(connection, scope)
            silences += silences_at(connection, scope, now)
    return alerts, silences


def _known(services: Services, name: str) -> str:
    """Refuse a name no alert has: a silence that silences nothing would be believed in."""
    from smarteros.alerts.watch import names_of_alerts
    from smarteros.domain.errors import ConfigError

    names = names_of_alerts(services.contracts)
    if name not in names:
        raise ConfigError(
            "alert_unknown", f"There is no alert {name!r}; there are {', '.join(sorted(names))}, and ALL."
        )
    return name


def _print(alerts: Sequence[Alert], silences: Sequence[Silence], looked_at: datetime | None) -> None:
    console = Console(markup=False, highlight=False)
    if alerts:
        table = Table(whole("tenant"), whole("alert"), whole("about"), "severity", "since", "over", "told")
        for alert in alerts:
            told = ", ".join(
                sink if each.by == sink else f"{sink} (by {each.by})" for sink, each in sorted(alert.told.items())
            )
            over = (
                "at once" if alert.moment else "" if alert.resolved_at is None else f"{alert.resolved_at:%m-%d %H:%M}"
            )
            about = alert.subject or alert.flow_id or ""
            since = f"{alert.started_at:%m-%d %H:%M %Z}"
            table.add_row(alert.tenant_id, alert.name, about, alert.severity, since, over, told)
        print_table(table)
    else:
        console.print("No alerts.")
    for each in silences:
        what = each.name or "all alerts"
        console.print(f"Silence {each.silence_id}: {what} of {each.tenant_id} until {each.until_at:%m-%d %H:%M %Z}")
    console.print(f"Last looked at: {'never' if looked_at is None else f'{looked_at:%Y-%m-%d %H:%M:%S %Z}'}")
