"""What was measured, as JSON and as docs/benchmarks.md."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from smarteros.domain.model import Model

# Of the design's targets; it needs n8n on the same machine, or a clone and a network.
_NOT_MEASURED = "ten times n8n's default on the same machine; the demo's first reply within 60 s of a fresh clone"


class Latency(Model):
    """Milliseconds from the instant a webhook should have been sent (open loop: waiting counts)."""

    rate: float = Field(description="Webhooks a second")
    sent: int
    missing: int = Field(description="Refused or never answered")
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Load(Model):
    """Many turns at once: how many a second, and what one costs."""

    workers: int
    processes: str
    turns: int
    missing: int
    turns_per_s: float
    cpu_ms_per_turn: float = Field(description="All processes and PostgreSQL, without the load tool")
    postgres_cpu_ms_per_turn: float
    load_tool_cpu_ms_per_turn: float
    commits_per_turn: float | None = Field(default=None, description="Transactions that write, whoever began them")


class Limits(Model):
    """What this machine does without what makes a turn safe."""

    calls_per_s: float = Field(description="The two requests of a turn, nothing else")
    queue_per_s: float = Field(description="INSERT and SKIP LOCKED claim")
    commits_per_s: float | None = Field(description="pgbench, one INSERT a transaction, 4 clients")


class PhotoReading(Model):
    """Phone photos of receipts (12 megapixels) read by the local engine, its models loaded before."""

    photos: int
    understood: int = Field(description="Of them those whose number and total were read right")
    wall_p50_ms: float
    wall_p95_ms: float
    cpu_p50_ms: float
    cpu_p95_ms: float


class DemoSize(Model):
    """The whole demo: PostgreSQL, stand-ins, SmarterOS, document worker. A shared page counts in parts (PSS)."""

    ready_s: float = Field(description="In an empty directory, until it answers")
    memory_mb: float = Field(description="After a first question")
    memory_with_models_mb: float = Field(description="After a photo")


class McpCost(Model):
    """A trivial tool call of ``/mcp`` beside the same on a bare server of the SDK, best rounds.

    Over sockets each server is a process of its own, asked over four kept connections; the rest is in process.
    """

    calls: int
    cpu_ms: float = Field(description="CPU of one call")
    bare_cpu_ms: float
    per_s: float = Field(description="Calls a second, one after the other")
    bare_per_s: float
    share_of_bare: float = Field(description="Calls for the same CPU, in per cent of the bare server's")
    p95_ms: float = Field(description="One call of ours, from request to answer")
    socket_per_s: float | None = Field(default=None, description="Calls a second over sockets")
    bare_socket_per_s: float | None = None
    socket_share: float | None = Field(default=None, description="In per cent of the bare server's")


class Target(Model):
    """A figure the design asks for, and what came of it."""

    name: str
    unit: str
    target: float
    at_most: bool = Field(description="Measured must stay below the target; otherwise reach it")
    measured: float
    met: bool


class Report(Model):
    """One run on one machine."""

    at: datetime
    machine: str
    quick: bool
    load_average: float = Field(description="Of the last minute, before the run: what else the machine does")
    start_s: float = Field(description="One smos serve process, until it answers")
    memory_mb: float = Field(description="One process of every role in one, after its first turns")
    postgres_memory_mb: float = Field(description="Shared buffers counted once per backend")
    decide_ms: float
    decide_p95_ms: float | None = None
    accept: Latency
    turn: Latency
    turn_at_70_percent: Latency
    scaling: tuple[Load, ...]
    longer_round_trip: Load | None = Field(description="PostgreSQL reached over a proxy that adds 1 ms")
    limits: Limits
    doubled: int
    photos: PhotoReading | None = None
    mcp: McpCost | None = None
    demo: DemoSize | None = Field(default=None, description="None where the package of the stand-ins is missing")
    targets: tuple[Target, ...] = ()

    @property
    def best(self) -> Load:
        """The most turns a second of this run."""
        return max(self.scaling, key=lambda load: load.turns_per_s)


def markdown(report: Report) -> str:
    """Write the page."""
    best, limits = report.best, report.limits
    commits = "—" if limits.commits_per_s is None else f"{limits.commits_per_s:,.0f}"
    return "\n".join(
        (
            "# Benchmarks",
            "",
            "Written by `just bench` (`smos bench`); do not edit. Everything runs on one machine: PostgreSQL,"
            " SmarterOS and the load tool, which is also the Chatwoot that is answered. Webhooks are sent at a fixed"
            " rate whatever the answers (open loop); a latency counts from the instant the webhook was due.",
            "",
            f"- Machine: {report.machine}; load average before the run {report.load_average:.1f}"
            " (other programs share the cores: compare ratios, not figures of different runs)",
            f"- Date: {report.at:%Y-%m-%d %H:%M} UTC{'; quick run, short samples' if report.quick else ''}",
            f"- One FAQ turn: signed webhook, stored and enqueued in one transaction, six steps, fence, reply, audit."
            f" {report.doubled} replies were doubled.",
            "",
            *_targets(report.targets),
            "| latency, ms | rate | sent | missing | p50 | p95 | p99 |",
            "|---|---|---|---|---|---|---|",
            _latency("webhook accepted durably", report.accept),
            _latency("webhook to reply", report.turn),
            _latency("webhook to reply at 70 % of the most", report.turn_at_70_percent),
            "",
            "| processes | turns | missing | turns/s | CPU ms/turn | of it PostgreSQL | commits/turn |"
            " load tool beside it |",
            "|---|---|---|---|---|---|---|---|",
            *(_load(load) for load in report.scaling),
            *([_load(report.longer_round_trip)] if report.longer_round_trip else []),
            "",
            "| bare limit of this machine | per second | SmarterOS reaches |",
            "|---|---|---|",
            _limit("the same two requests, nothing durable", limits.calls_per_s, best.turns_per_s),
            _limit("plain INSERT + SKIP LOCKED queue, nothing else", limits.queue_per_s, best.turns_per_s),
            f"| pgbench, one INSERT a commit, 4 clients | {commits} | |",
            "",
            f"Start of a process {report.start_s:.1f} s; memory {report.memory_mb:.0f} MB and PostgreSQL"
            f" {report.postgres_memory_mb:.0f} MB (shared buffers counted once per backend); native decide"
            f" {report.decide_ms:.1f} ms (mean, one thread).",
            "",
            *_photos(report.photos),
            *_demo(report.demo),
            *_mcp(report.mcp),
        )
    )


def _targets(targets: tuple[Target, ...]) -> list[str]:
    if not targets:
        return []
    rows = (
        f"| {one.name} | {'<' if one.at_most else '>='} {one.target:,.0f} {one.unit}"
        f" | {one.measured:,.{0 if one.measured >= 100 else 1}f} {one.unit} | {'met' if one.met else '**not met**'} |"
        for one in targets
    )
    head = ("| target of the design | asked for | measured | |", "|---|---|---|---|")
    return [*head, *rows, "", f"Asked for and not measured here: {_NOT_MEASURED}.", ""]


def _photos(photos: PhotoReading | None) -> list[str]:
    if photos is None:
        return []
    return [
        f"A phone's photo of a receipt (painted here, 18 lines, 12 megapixels, JPEG), from its bytes to its fields:"
        f" {photos.wall_p50_ms:,.0f} ms p50, {photos.wall_p95_ms:,.0f} ms p95; CPU {photos.cpu_p50_ms:,.0f} and"
        f" {photos.cpu_p95_ms:,.0f} ms; number and total right on {photos.understood} of {photos.photos}."
        " No barcode is read.",
        "",
    ]


def _demo(demo: DemoSize | None) -> list[str]:
    if demo is None:
        return []
    return [
        f"The whole demo (PostgreSQL, stand-ins, SmarterOS, document worker): ready after {demo.ready_s:.1f} s in an"
        f" empty directory; memory {demo.memory_mb:.0f} MB after a first question and"
        f" {demo.memory_with_models_mb:.0f} MB after a photo (PSS: a shared page counts in parts).",
        "",
    ]


def _mcp(cost: McpCost | None) -> list[str]:
    if cost is None:
        return []
    over_sockets = (cost.socket_per_s, cost.bare_socket_per_s)
    own, bare = ("—" if per_s is None else f"{per_s:,.0f}" for per_s in over_sockets)
    return [
        "| trivial tool call by MCP 2026-07-28 | CPU ms | calls/s in process | p95, ms | calls/s over sockets |",
        "|---|---|---|---|---|",
        f"| `/mcp`: bearer, tenant, limit, scope | {cost.cpu_ms:.2f} | {cost.per_s:,.0f} | {cost.p95_ms:.1f} | {own} |",
        f"| a bare server of the SDK | {cost.bare_cpu_ms:.2f} | {cost.bare_per_s:,.0f} | | {bare} |",
        "",
    ]


def _latency(name: str, latency: Latency) -> str:
    figures = f"{latency.p50_ms:.0f} | {latency.p95_ms:.0f} | {latency.p99_ms:.0f}"
    return f"| {name} | {latency.rate:.0f}/s | {latency.sent} | {latency.missing} | {figures} |"


def _load(load: Load) -> str:
    commits = "—" if load.commits_per_turn is None else f"{load.commits_per_turn:.1f}"
    return (
        f"| {load.processes} | {load.turns} | {load.missing} | **{load.turns_per_s:.1f}** | {load.cpu_ms_per_turn:.1f}"
        f" | {load.postgres_cpu_ms_per_turn:.1f} | {commits} | {load.load_tool_cpu_ms_per_turn:.1f} |"
    )


def _limit(name: str, per_s: float, reached: float) -> str:
    return f"| {name} | {per_s:,.0f} | {100 * reached / per_s:.1f} % |"
