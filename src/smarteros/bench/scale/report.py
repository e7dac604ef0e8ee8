"""What the simulation found, as JSON and as the section of docs/scale.md."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from smarteros.bench.scale.assumptions import Assumptions
from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model

BEGIN = "<!-- simulation: written by smos bench --simulate --write; do not edit -->"
END = "<!-- end of simulation -->"


class Waiting(Model):
    """What turns waited beyond their own work, in milliseconds."""

    turns: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float


class CellLoad(Model):
    """One cell in the busiest ten minutes of an ordinary day."""

    cell: int
    tenants: int
    turns_per_s: float
    workers_percent: float = Field(description="Of the worker processes' time")
    postgres_percent: float = Field(description="Of what PostgreSQL carries")
    waiting: Waiting


class Campaign(Model):
    """The largest tenant has a campaign."""

    order: str = Field(description="In which the queue is served: as they came, or as due with tenant_share_s")
    usual_per_s: float
    campaign_per_s: float
    cell_maximum_per_s: float = Field(description="Of workers or PostgreSQL, whichever is less")
    own: Waiting = Field(description="Of the tenant, during the campaign")
    neighbours: Waiting = Field(description="Of the others in its cell, during the campaign")
    catch_up_s: float = Field(description="After the campaign, until no new turn waits more than a second")


class Move(Model):
    """A tenant is moved at the peak from the fullest cell to the emptiest."""

    tenant: str
    messages_per_day: float
    way: str
    rows: int = Field(description="Copied in all")
    rows_while_held: int = Field(description="Of them while no turn of the tenant began")
    copy_before_s: float
    drain_s: float
    held_s: float
    messages_delayed: int = Field(description="That came while it was held, within the window")
    imbalance_before: float
    imbalance_after: float


class NewCell(Model):
    """One more cell: which part would have to move if places followed the hash alone, in percent."""

    cells: int
    rendezvous_tenants: float
    rendezvous_load: float
    modulo_tenants: float
    modulo_load: float


class Loss(Model):
    """Something of the fullest cell is lost at the peak and comes back."""

    what: str
    lost_s: float
    turns: int = Field(description="Of the cell, from the loss to the end of the window")
    late: int = Field(description="Of the cell's turns those that waited more than a second")
    longest_s: float
    catch_up_s: float = Field(description="After the return, until no new turn waits more than a second")


class Imbalance(Model):
    """The fullest cell's load / the average cell's, over many equally good placements."""

    here: float
    median: float
    p95: float
    largest_tenant_percent: float = Field(description="Of all messages")


class SimulationReport(Model):
    """One simulation."""

    assumptions: Assumptions
    turns: int = Field(description="Simulated turns of the ordinary day")
    cells: tuple[CellLoad, ...]
    all_cells: Waiting
    imbalance: Imbalance
    campaigns: tuple[Campaign, ...]
    moves: tuple[Move, ...]
    new_cell: NewCell
    losses: tuple[Loss, ...]


def section(report: SimulationReport) -> str:
    """Write the section between its markers."""
    a, i, n = report.assumptions, report.imbalance, report.new_cell
    return "\n".join(
        (
            BEGIN,
            _parameters(a),
            "",
            f"An ordinary evening, {report.turns:,} turns in {a.window_min:g} minutes around the peak; the busiest ten"
            " minutes:",
            "",
            "| cell | tenants | turns/s | workers busy | PostgreSQL | waited p50 / p95 / p99, ms |",
            "|---|---|---|---|---|---|",
            *(_cell(cell) for cell in report.cells),
            f"| all | {a.tenants:,} | {sum(cell.turns_per_s for cell in report.cells):.0f} | | |"
            f" {_percentiles(report.all_cells)} |",
            "",
            f"Fullest / average cell: {i.here:.2f} here, {i.median:.2f} in the middle of 200 placements, {i.p95:.2f} in"
            f" the worst twentieth. The largest tenant has {i.largest_tenant_percent:.1f} % of all messages.",
            "",
            *_campaigns(a, report.campaigns),
            "",
            "| move at the peak | messages/day | rows copied | of them while held | copy ahead | drain | held |"
            " messages delayed | fullest / average |",
            "|---|---|---|---|---|---|---|---|---|",
            *(_move(move) for move in report.moves),
            "",
            f"Going from {n.cells} to {n.cells + 1} cells, the hash alone would move {n.rendezvous_tenants:.1f} % of"
            f" the tenants ({n.rendezvous_load:.1f} % of the load) by rendezvous and {n.modulo_tenants:.1f} %"
            f" ({n.modulo_load:.1f} %) by remainder. With the table nobody moves unless an operator wants it.",
            "",
            "| lost in the fullest cell at the peak | away | turns after it | late (> 1 s) | longest wait | caught up"
            " after return |",
            "|---|---|---|---|---|---|",
            *(_loss(loss) for loss in report.losses),
            END,
        )
    )


def write_section(page: Path, text: str) -> None:
    """Put the section in the place of the one a page has. ConfigError when the page has none."""
    whole = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError("markers_missing", f"{page} has no lines {BEGIN!r} and {END!r}.")
    page.write_text(before + text + after, encoding="utf-8")


def _parameters(a: Assumptions) -> str:
    return (
        f"Taken for granted: {a.tenants:,} tenants with {a.messages_per_day:g} messages a day on average (log-normal,"
        f" sigma {a.size_sigma:g}), {a.mean_per_s:.0f} turns/s on average and {a.peak_per_s:.0f} at {_clock(a)};"
        f" {a.worker_ms:g} ms CPU a turn in workers and {a.postgres_ms:g} ms in PostgreSQL (gamma, standard deviation"
        f" {a.variation:g} of the mean), {a.commits_per_turn:g} commits a turn, {a.commits_per_s:,.0f} commits/s."
        f" {a.cells} cells, each a PostgreSQL with {a.postgres_cores} cores (m = {a.cell_maximum:.0f} turns/s) and"
        f" {a.machines_per_cell} worker machines with {a.processes} processes"
        f" ({a.machines_per_cell * a.machine_maximum:.0f} turns/s). By the {100 * a.fill_limit:g} % rule"
        f" {a.cells_needed} such PostgreSQL would do. Seed {a.seed}. The figures follow from these"
        " parameters alone, whatever machine computes them."
    )


def _clock(a: Assumptions) -> str:
    minutes = round(a.peak_hour * 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def _cell(cell: CellLoad) -> str:
    return (
        f"| {cell.cell + 1} | {cell.tenants:,} | {cell.turns_per_s:.1f} | {cell.workers_percent:.0f} %"
        f" | {cell.postgres_percent:.0f} % | {_percentiles(cell.waiting)} |"
    )


def _percentiles(waiting: Waiting) -> str:
    return f"{waiting.p50_ms:,.0f} / {waiting.p95_ms:,.0f} / {waiting.p99_ms:,.0f}"


def _campaigns(a: Assumptions, campaigns: tuple[Campaign, ...]) -> list[str]:
    first = campaigns[0]
    return [
        f"A campaign of the largest tenant, {a.campaign_factor:g} times its usual load for {a.campaign_min:g} minutes"
        f" ({first.usual_per_s:.1f} to {first.campaign_per_s:.0f} turns/s in a cell that does"
        f" {first.cell_maximum_per_s:.0f}):",
        "",
        "| queue served | its own wait p50 / p99 | its neighbours' wait p50 / p99 | caught up after its end |",
        "|---|---|---|---|",
        *(
            f"| {_order(a, one)} | {_two(one.own)} | {_two(one.neighbours)} | {_seconds(one.catch_up_s)} |"
            for one in campaigns
        ),
    ]


def _order(a: Assumptions, campaign: Campaign) -> str:
    return f"as due, a tenant's {1000 * a.tenant_share_s:g} ms apart" if campaign.order == "as due" else campaign.order


def _two(waiting: Waiting) -> str:
    return f"{_seconds(waiting.p50_ms / 1000)} / {_seconds(waiting.p99_ms / 1000)}"


def _move(move: Move) -> str:
    return (
        f"| {move.tenant}, {move.way} | {move.messages_per_day:,.0f} | {move.rows:,} | {move.rows_while_held:,}"
        f" | {_seconds(move.copy_before_s)} | {_seconds(move.drain_s)} | {_seconds(move.held_s)}"
        f" | {move.messages_delayed:,} | {move.imbalance_before:.2f} -> {move.imbalance_after:.2f} |"
    )


def _loss(loss: Loss) -> str:
    return (
        f"| {loss.what} | {_seconds(loss.lost_s)} | {loss.turns:,} | {loss.late:,} | {_seconds(loss.longest_s)}"
        f" | {_seconds(loss.catch_up_s)} |"
    )


def _seconds(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.2f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
