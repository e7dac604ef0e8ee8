"""``smos replay``: play recorded turns again, without sending anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, duration, settings_with

if TYPE_CHECKING:
    from smarteros.bootstrap import Services
    from smarteros.replay.replayer import Replayer
    from smarteros.replay.report import ReplayResult
    from smarteros.settings import Settings

_LONGEST = timedelta(days=10_000)


def replay(
    turn: Annotated[str | None, typer.Argument(help="Id of one turn, as the operator's API shows it.")] = None,
    since: Annotated[str | None, typer.Option(help="All turns of this time instead: 30m, 12h, 7d.")] = None,
    tenant: Annotated[str | None, typer.Option(help="With --since: only this tenant's.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="A contract to try in place of the one of its flow.", exists=True)
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Decide recorded turns again and compare: same reply or a diff. Exit code 1 when something is different.

    Nothing is sent and nothing is looked up: tools answer what they answered then.
    """
    if (turn is None) == (since is None):
        raise typer.BadParameter("give either the id of a turn or --since")
    back = None if since is None else duration(since, option="--since", at_most=_LONGEST)
    with ExitStack() as stack:
        services = _open(stack, settings_with(data_dir), against)
        replayer = _replayer(services)
        if turn is not None:
            different = _show_one(replayer.replay(turn), as_json=as_json)
        else:
            results = _all(services, replayer, tenant, datetime.now(UTC) - (back or timedelta()))
            different = _show_all(results, as_json=as_json)
    if different:
        raise typer.Exit(1)


def _open(stack: ExitStack, settings: Settings, against: Path | None) -> Services:
    from smarteros.bootstrap import open_services
    from smarteros.replay.overlay import contracts_with

    if against is not None:
        folder = stack.enter_context(contracts_with(settings.contracts_dir, against))
        settings = settings.model_copy(update={"contracts_dir": folder})
    return stack.enter_context(open_services(settings))


def _replayer(services: Services) -> Replayer:
    from smarteros.replay.replayer import Replayer

    return Replayer(
        services.database, services.tenants, services.agent.recorded, services.contracts, services.knowledge
    )


def _all(services: Services, replayer: Replayer, tenant_id: str | None, since: datetime) -> Iterator[ReplayResult]:
    tenants = services.tenants.all() if tenant_id is None else (services.tenants.get(tenant_id),)
    for tenant in tenants:
        yield from replayer.replay_since(tenant, since)


def _show_one(result: ReplayResult, *, as_json: bool) -> bool:
    typer.echo(result.model_dump_json(indent=2) if as_json else "\n".join(result.in_words()))
    return result.verdict == "different"


def _show_all(results: Iterator[ReplayResult], *, as_json: bool) -> bool:
    from smarteros.replay.report import ReplaySummary

    counts = {"same": 0, "different": 0, "not_replayable": 0}
    kept: list[ReplayResult] = []
    for result in results:
        counts[result.verdict] += 1
        if as_json and result.verdict != "same":
            kept.append(result)
        elif result.verdict == "different":
            typer.echo("\n".join(result.in_words()))
    if as_json:
        typer.echo(ReplaySummary(**counts, results=tuple(kept)).model_dump_json(indent=2))
    else:
        left = counts["not_replayable"]
        typer.echo(f"{counts['same']} same, {counts['different']} different, {left} not replayable")
    return counts["different"] > 0
