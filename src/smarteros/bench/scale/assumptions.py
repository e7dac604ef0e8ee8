"""What the simulation takes for granted, each a parameter."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import Field, ValidationError

from smarteros.bench.report import Report
from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model

_SECONDS_A_DAY = 86_400
_MOST_TURNS = 20_000_000  # some minutes, some gigabytes


class Assumptions(Model):
    """One imagined installation of several cells. Figures of a turn are those ``smos bench`` measures."""

    seed: int = 1
    tenants: int = Field(default=10_000, ge=2, le=200_000)
    messages_per_day: float = Field(default=200.0, gt=0, description="Of the average tenant; each is a turn")
    size_sigma: float = Field(
        default=1.5, ge=0, le=3, description="Spread of tenants' sizes (log-normal); 0: all alike"
    )
    peak_hour: float = Field(default=20.5, ge=0, lt=24)
    peak_ratio: float = Field(default=10.0, ge=2, le=50, description="Turns at the peak / average turns")
    all_day_share: float = Field(default=0.2, ge=0, lt=1, description="Of the messages: those that know no evening")
    window_min: float = Field(default=90.0, gt=0, le=1440, description="Simulated minutes, around the peak")

    cells: int = Field(default=4, ge=1, le=200)
    machines: int | None = Field(default=None, ge=1, le=1000, description="Worker machines a cell; none: by fill_limit")
    processes: int = Field(default=2, ge=1, le=256, description="Worker processes a machine; one keeps a core busy")
    postgres_cores: int = Field(default=2, ge=1, le=256, description="Of a cell's PostgreSQL")
    fill_limit: float = Field(default=0.6, gt=0, lt=1, description="Part of its maximum an average cell is used to")

    worker_ms: float = Field(default=44.0, ge=0, description="CPU of a turn outside PostgreSQL")
    postgres_ms: float = Field(default=14.0, ge=0, description="CPU of a turn in PostgreSQL")
    commits_per_turn: float = Field(default=6.0, ge=0, description="Transactions that write")
    commits_per_s: float = Field(default=9_000.0, gt=0, description="What the disk allows (pgbench)")
    variation: float = Field(default=0.5, ge=0, le=3, description="Standard deviation / mean of a turn's CPU (gamma)")

    tenant_share_s: float = Field(
        default=0.05, ge=0, description="Between two waiting turns of a tenant in the order of the queue"
    )
    takeover_s: float = Field(default=1.0, ge=0, description="Until the turns of a dead machine begin anew")
    machine_loss_min: float = Field(default=10.0, gt=0, description="Until a lost worker machine is replaced")
    failover_min: float = Field(default=5.0, gt=0, description="Until a lost PostgreSQL is replaced by its standby")
    campaign_factor: float = Field(default=50.0, ge=1, description="Load of the tenant with a campaign / its usual")
    campaign_min: float = Field(default=30.0, gt=0)
    history_days: float = Field(default=365.0, ge=0, description="Of rows that move with a tenant")
    rows_per_turn: float = Field(default=12.0, ge=0)
    copied_rows_per_s: float = Field(default=20_000.0, gt=0, description="From one PostgreSQL into another")

    @property
    def mean_per_s(self) -> float:
        """Turns a second of all tenants, over a day."""
        return self.tenants * self.messages_per_day / _SECONDS_A_DAY

    @property
    def peak_per_s(self) -> float:
        """Turns a second of all tenants, at the peak."""
        return self.mean_per_s * self.peak_ratio

    @property
    def postgres_s(self) -> float:
        """Seconds one of PostgreSQL's cores is taken by a turn: by its CPU or by its commits, whichever is more."""
        return max(self.postgres_ms / 1000, self.postgres_cores * self.commits_per_turn / self.commits_per_s)

    @property
    def cell_maximum(self) -> float:
        """``m``: turns a second one cell's PostgreSQL carries."""
        return self.postgres_cores / self.postgres_s if self.postgres_s else math.inf

    @property
    def machine_maximum(self) -> float:
        """Turns a second one worker machine carries."""
        return self.processes * 1000 / self.worker_ms if self.worker_ms else math.inf

    @property
    def machines_per_cell(self) -> int:
        """Worker machines of each cell; at least two, so that one may be lost."""
        if self.machines is not None:
            return self.machines
        return max(2, math.ceil(self.peak_per_s / self.cells / (self.fill_limit * self.machine_maximum)))

    @property
    def cells_needed(self) -> int:
        """Cells that keep the average PostgreSQL below ``fill_limit`` at the peak."""
        return max(1, math.ceil(self.peak_per_s / (self.fill_limit * self.cell_maximum)))


def assumed(changes: list[str], measured: Report | None = None) -> Assumptions:
    """The usual assumptions with a measurement's figures and with ``name=value`` changes, in this order.

    Raises ConfigError for a name or value that does not exist.
    """
    values: dict[str, object] = {} if measured is None else _figures(measured)
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or name not in Assumptions.model_fields:
            known = ", ".join(Assumptions.model_fields)
            raise ConfigError("assumption_unknown", f"{change!r} is not name=value; the names are {known}.")
        values[name] = value
    try:
        assumptions = Assumptions.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError("assumption_invalid", f"{first['loc'][0]}: {first['msg']}.") from error
    turns = assumptions.peak_per_s * assumptions.window_min * 60
    if turns > _MOST_TURNS:
        raise ConfigError("simulation_too_large", f"Some {turns:,.0f} turns are too many; {_MOST_TURNS:,} will do.")
    return assumptions


def read_measured(path: Path) -> Report:
    """Read what ``smos bench --json`` printed. ConfigError when it is something else."""
    try:
        return Report.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ConfigError("measurement_unreadable", f"{path} is not what smos bench --json prints.") from error


def _figures(report: Report) -> dict[str, object]:
    best = report.best
    figures: dict[str, object] = {
        "worker_ms": round(best.cpu_ms_per_turn - best.postgres_cpu_ms_per_turn, 1),
        "postgres_ms": best.postgres_cpu_ms_per_turn,
    }
    if best.commits_per_turn is not None:
        figures["commits_per_turn"] = best.commits_per_turn
    if report.limits.commits_per_s is not None:
        figures["commits_per_s"] = round(report.limits.commits_per_s)
    return figures
