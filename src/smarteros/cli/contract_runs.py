"""Keeps what came of the scenarios where the console finds it."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime

from smarteros.contracts.models import Contract
from smarteros.scenarios.results import ScenarioResult
from smarteros.settings import Settings
from smarteros.store.scenario_runs import PlayedScenario, ScenarioRun, fingerprint, save_run


def keep_runs(
    settings: Settings, contracts: Sequence[Contract], results: Sequence[ScenarioResult], url: str | None
) -> None:
    """Keep a run of every contract in the installation; without one nothing is kept, and none is made."""
    if not settings.is_installed:
        return
    from smarteros.bootstrap import open_services

    now, who = datetime.now(UTC), getpass.getuser()
    with open_services(settings) as services, services.database.installation() as connection:
        for contract in contracts:
            run = ScenarioRun(
                flow_id=contract.flow_id,
                contract_version=contract.version,
                fingerprint=fingerprint(contract),
                run_by=who,
                ran_on=url,
                ended_at=now,
                scenarios=tuple(_played(result) for result in results if result.contract == contract.flow_id),
            )
            save_run(connection, run)


def _played(result: ScenarioResult) -> PlayedScenario:
    waits = [turn.latency_ms for turn in result.turns if turn.latency_ms is not None]
    return PlayedScenario(name=result.scenario, failures=result.failures, longest_ms=max(waits, default=None))
