"""The last run of every contract's scenarios: by whom, when, and which of them held."""

from __future__ import annotations

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.contracts.models import Contract
from smarteros.domain.model import Model
from smarteros.store.scenario_tables import scenario_runs


class PlayedScenario(Model):
    """One scenario of a run. ``failures`` are sentences; none means that it held.

    ``longest_ms`` is the longest the customer waited for a reply; None when nothing was to be replied.
    """

    name: str
    failures: tuple[str, ...] = ()
    longest_ms: int | None = None


class ScenarioRun(Model):
    """All scenarios of one contract, played. ``ran_on`` is the stack's address, None for one started for the run."""

    flow_id: str
    contract_version: str
    fingerprint: str
    run_by: str
    ran_on: str | None
    ended_at: datetime
    scenarios: tuple[PlayedScenario, ...]

    @property
    def passed(self) -> int:
        """How many scenarios held."""
        return sum(not scenario.failures for scenario in self.scenarios)

    def is_of(self, contract: Contract) -> bool:
        """Tell whether just this contract was played, and not one that has been changed since."""
        return self.fingerprint == fingerprint(contract)


def fingerprint(contract: Contract) -> str:
    """Return a digest of everything a contract says."""
    return hashlib.sha256(contract.model_dump_json().encode()).hexdigest()


def save_run(connection: sa.Connection, run: ScenarioRun) -> None:
    """Keep a run instead of the flow's last one."""
    values = run.model_dump(exclude={"scenarios"}) | {
        "scenarios": [scenario.model_dump(mode="json") for scenario in run.scenarios]
    }
    statement = insert(scenario_runs).values(**values)
    changed = {name: statement.excluded[name] for name in values if name != "flow_id"}
    connection.execute(statement.on_conflict_do_update(index_elements=["flow_id"], set_=changed))


def last_runs(connection: sa.Connection) -> dict[str, ScenarioRun]:
    """Return the last run of every flow that was ever played, by flow."""
    rows = connection.execute(sa.select(scenario_runs)).mappings()
    return {row["flow_id"]: ScenarioRun.model_validate(dict(row)) for row in rows}
