"""The run: every loop bounded in count and time, everything on loopback, everything stopped in the end."""

from __future__ import annotations

import importlib.util
import os
import platform
import secrets as random_secrets
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from smarteros.bench.demo_size import measure_demo
from smarteros.bench.installation import TENANT, Installation, open_installation
from smarteros.bench.limits import calls_per_second, commits_per_second, queue_per_second, transactions_so_far
from smarteros.bench.mcp_calls import measure_mcp
from smarteros.bench.photos import read_photos
from smarteros.bench.processes import Process, cpu_seconds, memory_mb, wait_until_idle
from smarteros.bench.proxy import SlowProxy
from smarteros.bench.report import DemoSize, Latency, Limits, Load, Report
from smarteros.bench.targets import targets
from smarteros.bench.traffic import ACCOUNT_ID, QUESTION, Traffic
from smarteros.bootstrap import open_services
from smarteros.domain.decisions import AgentContext, AgentMessage, AgentRequest
from smarteros.domain.messages import Contact
from smarteros.settings import Role, Settings

_ACCEPT_RATE = 200.0
_TURN_RATE = 20.0
_WARM_UP = 20
_BURST_RATE = 400.0  # far above what can be answered: the backlog stays until the end
_ROUND_TRIP_S = 0.001
_DECIDED = 100
_STAND_INS = "smarteros_sandbox"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Extent:
    """How long the run takes: numbers of webhooks, and which scalings are tried."""

    accepted: int
    turns: int
    burst: int
    workers: tuple[int, ...]
    limit_items: int
    pgbench_s: int
    slow_round_trip: bool
    photos: int
    mcp_calls: int
    # One process for all measurements, because starting processes takes most of a short run.
    one_process: bool


FULL = Extent(
    accepted=1000,
    turns=300,
    burst=400,
    workers=(1, 2, 4),
    limit_items=2000,
    pgbench_s=3,
    slow_round_trip=True,
    photos=20,
    mcp_calls=1000,
    one_process=False,
)
QUICK = Extent(
    accepted=60,
    turns=20,
    burst=30,
    workers=(1,),
    limit_items=100,
    pgbench_s=1,
    slow_round_trip=False,
    photos=1,
    mcp_calls=20,
    one_process=True,
)


class BenchRun:
    """Measures one installation after the other setting. ``tell`` gets a line per measurement."""

    def __init__(self, extent: Extent, tell: Tell) -> None:
        self._extent = extent
        self._tell = tell
        self._secret = random_secrets.token_urlsafe(24)
        self._only: Process | None = None

    def run(self) -> Report:
        """Measure everything."""
        load_average = os.getloadavg()[0]
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smos-bench-")))
            # First, while nothing else of ours runs; and what fails here fails before minutes of measuring.
            self._tell("photos")
            photos = read_photos(self._extent.photos)
            demo = self._demo(folder)
            report = self._turns(folder, load_average).model_copy(update={"photos": photos, "demo": demo})
            return report.model_copy(update={"targets": targets(report)})

    def _turns(self, folder: Path, load_average: float) -> Report:
        """Measure one installation."""
        with ExitStack() as stack:
            traffic = Traffic(self._secret)
            stack.callback(traffic.close)
            self._tell("installation")
            installation = stack.enter_context(open_installation(folder / "data", traffic.url, self._secret))
            limits = self._limits(installation, traffic, folder)
            if self._extent.one_process:
                self._only = stack.enter_context(installation.serve("all"))
            start_s, memory, accept, turn = self._latencies(installation, traffic)
            scaling = [self._burst(installation, traffic, workers) for workers in self._extent.workers]
            slow = self._slow(installation, traffic) if self._extent.slow_round_trip else None
            most = max(load.turns_per_s for load in scaling)
            loaded = self._at_70_percent(installation, traffic, most)
            decide_ms = _decide_ms(installation.data_dir)
            self._tell("calls by MCP")
            mcp = measure_mcp(installation.data_dir, self._extent.mcp_calls)
            return Report(
                at=datetime.now(UTC),
                machine=_machine(),
                quick=self._extent is QUICK,
                load_average=load_average,
                start_s=round(start_s, 2),
                memory_mb=round(memory[0], 1),
                postgres_memory_mb=round(memory[1], 1),
                decide_ms=round(sum(decide_ms) / len(decide_ms), 2),
                decide_p95_ms=round(sorted(decide_ms)[int(0.95 * len(decide_ms))], 2),
                accept=accept,
                turn=turn,
                turn_at_70_percent=loaded,
                scaling=tuple(scaling),
                longer_round_trip=slow,
                limits=limits,
                doubled=traffic.doubled,
                mcp=mcp,
            )

    def _demo(self, folder: Path) -> DemoSize | None:
        if importlib.util.find_spec(_STAND_INS) is None:
            return None
        self._tell("the demo's memory")
        return measure_demo(folder)

    def _limits(self, installation: Installation, traffic: Traffic, folder: Path) -> Limits:
        self._tell("bare limits")
        count = self._extent.limit_items
        return Limits(
            calls_per_s=round(calls_per_second(traffic.url, count), 1),
            queue_per_s=round(queue_per_second(installation.postgres, count), 1),
            commits_per_s=commits_per_second(installation.postgres, folder, self._extent.pgbench_s),
        )

    def _latencies(
        self, installation: Installation, traffic: Traffic
    ) -> tuple[float, tuple[float, float], Latency, Latency]:
        """One process of all roles: turns at 20/s. One edge alone: webhooks at 200/s."""
        self._tell("turns at 20/s")
        with self._serving(installation, "all") as (process, *_):
            url = self._warm(installation, traffic, process)
            sample = traffic.send(url, _TURN_RATE, self._extent.turns)
            turn = _latency(_TURN_RATE, self._extent.turns, sample.answered)
            memory = (memory_mb([process.pid]), memory_mb([installation.postgres_pid]))
            start_s = process.start_s
        self._tell("webhooks at 200/s")
        with self._serving(installation, "edge", "worker") as (edge, *_):
            url = self._warm(installation, traffic, edge)
            sample = traffic.send(url, _ACCEPT_RATE, self._extent.accepted, wait_s=120)
            accept = _latency(_ACCEPT_RATE, self._extent.accepted, sample.accepted)
        return start_s, memory, accept, turn

    def _burst(self, installation: Installation, traffic: Traffic, workers: int) -> Load:
        self._tell(f"most turns a second, {workers} worker{'s' if workers > 1 else ''}")
        # One worker is one process that also takes the webhooks; more of them stand behind an edge.
        behind_an_edge: list[Role] = ["worker"] * workers
        roles: list[Role] = ["all"] if workers == 1 else ["edge", *behind_an_edge]
        name = "1 process (all)" if workers == 1 else f"1 edge, {workers} workers"
        with self._serving(installation, *roles) as processes:
            return self._measure(installation, traffic, processes, workers, name)

    @contextmanager
    def _serving(self, installation: Installation, *roles: Role) -> Generator[list[Process]]:
        """Start a process per role, or give the only one of a short run."""
        if self._only is not None:
            yield [self._only]
            return
        with ExitStack() as stack:
            processes = [stack.enter_context(installation.serve(role)) for role in roles]
            wait_until_idle([process.pid for process in processes])
            yield processes

    def _slow(self, installation: Installation, traffic: Traffic) -> Load:
        """The same with PostgreSQL 1 ms further away, as in another building."""
        self._tell("PostgreSQL 1 ms further away")
        with SlowProxy(installation.postgres.socket_path, _ROUND_TRIP_S) as proxy:
            environment = {
                "SMOS_DATABASE_URL": proxy.url("postgres"),
                "SMOS_APP_DATABASE_URL": proxy.url("smos_app"),
            }
            with installation.serve("all", **environment) as process:
                wait_until_idle([process.pid])
                return self._measure(installation, traffic, [process], 1, "1 process (all), PostgreSQL + 1 ms")

    def _measure(
        self, installation: Installation, traffic: Traffic, processes: list[Process], workers: int, name: str
    ) -> Load:
        count = self._extent.burst
        url = self._warm(installation, traffic, processes[0])
        pids = [process.pid for process in processes]
        ours, theirs, tool = cpu_seconds(pids), cpu_seconds([installation.postgres_pid]), time.process_time()
        transactions = transactions_so_far(installation.postgres)
        sample = traffic.send(url, _BURST_RATE, count, wait_s=120)
        transactions = transactions_so_far(installation.postgres) - transactions
        tool = time.process_time() - tool
        theirs = cpu_seconds([installation.postgres_pid]) - theirs
        ours = cpu_seconds(pids) - ours
        answered = max(1, len(sample.answered))
        return Load(
            workers=workers,
            processes=name,
            turns=count,
            missing=count - len(sample.answered),
            turns_per_s=round(len(sample.answered) / sample.seconds, 1),
            cpu_ms_per_turn=round(1000 * (ours + theirs) / answered, 1),
            postgres_cpu_ms_per_turn=round(1000 * theirs / answered, 1),
            load_tool_cpu_ms_per_turn=round(1000 * tool / answered, 1),
            commits_per_turn=round(transactions / answered, 1),
        )

    def _at_70_percent(self, installation: Installation, traffic: Traffic, most: float) -> Latency:
        rate = 0.7 * most
        self._tell(f"turns at {rate:.0f}/s")
        with self._serving(installation, "edge", "worker", "worker") as (edge, *_):
            url = self._warm(installation, traffic, edge)
            sample = traffic.send(url, rate, self._extent.turns)
            return _latency(rate, self._extent.turns, sample.answered)

    def _warm(self, installation: Installation, traffic: Traffic, process: Process) -> str:
        url = installation.webhook_url(process)
        traffic.send(url, _TURN_RATE, _WARM_UP)
        return url


def _latency(rate: float, sent: int, seconds: list[float]) -> Latency:
    at = sorted(seconds)

    def percentile(part: float) -> float:
        return round(1000 * at[min(len(at) - 1, int(part * len(at)))], 2) if at else 0.0

    return Latency(
        rate=round(rate, 1),
        sent=sent,
        missing=sent - len(at),
        p50_ms=percentile(0.5),
        p95_ms=percentile(0.95),
        p99_ms=percentile(0.99),
    )


def _decide_ms(data_dir: Path) -> list[float]:
    with open_services(Settings(data_dir=data_dir)) as services:
        services.agent.wait_until_ready()
        request = AgentRequest(
            tenant_id=TENANT,
            channel="webwidget",
            conversation_id=ACCOUNT_ID,
            contact=Contact(id=0),
            message=AgentMessage(id=1, content=QUESTION),
            context=AgentContext(language="es-CL", history=()),
        )
        services.agent.decide(request)
        took: list[float] = []
        for _ in range(_DECIDED):
            started = time.perf_counter()
            services.agent.decide(request)
            took.append(1000 * (time.perf_counter() - started))
        return took


def _machine() -> str:
    names = [line for line in _cpuinfo() if line.startswith("model name")]
    name = names[0].partition(":")[2].strip() if names else platform.machine()
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}, Linux {platform.release()}"


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
