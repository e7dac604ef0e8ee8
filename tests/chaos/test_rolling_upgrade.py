"""An installation is replaced process by process while customers write: nothing is lost, nothing is said twice.

The old processes are those of the Kubernetes manifests, the new ones those of the systemd units, each with the command
and the settings written there, as an unprivileged user on a read-only root without a home.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest
import yaml
from cryptography.fernet import Fernet
from starlette.requests import Request
from starlette.responses import Response
from tests.chaos import confined
from tests.e2e.process import QUICK_START
from tests.e2e.world import Customer, World
from tests.support import migrated_postgres, serving
from tests.unit.deploy.said import Launch, launches, one

from smarteros.bootstrap import open_services
from smarteros.demo.provision import provision
from smarteros.proving.fleet import running_sandbox, waited
from smarteros.proving.watch import Watch
from smarteros.settings import Settings, default_contracts_dir

SHOES = "TENANT_DEMO"
QUESTION = "¿Cuál es el horario de atención?"
CUSTOMERS = 4
PATIENCE_S = 120.0


def until(condition: Callable[[], bool]) -> None:
    assert waited(condition, PATIENCE_S), "it did not happen in time"


class Launched:
    """One process, started by the command and with the settings that are written in deploy/."""

    def __init__(self, launch: Launch, settings: Mapping[str, str], places: list[Path], log: Path) -> None:
        argv = ["0" if word == "8080" else word for word in launch.argv]
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            confined.command(places, sys.executable, "-m", "smarteros.cli.main", *argv),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], **launch.settings, **settings},
        )
        self.port = 0

    def until_ready(self) -> Self:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), Path(self._log.name).read_text()[-3000:]
        self.port = int(line.rsplit(":", 1)[1])
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def passes_the_images_health_check(self) -> bool:
        program, *arguments = yaml.safe_load(one("HEALTHCHECK").split("CMD")[1])
        assert program == "python"
        environment = {"SMOS_PORT": str(self.port)}
        check = subprocess.run(
            [sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL, timeout=60, check=False
        )
        return check.returncode == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


@dataclass
class Service:
    """What stands before the edges (a Service of Kubernetes, a reverse proxy): hands every request to one of them."""

    edge: str = ""
    _client: httpx2.AsyncClient | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._client = self._client or httpx2.AsyncClient(timeout=30, trust_env=False)
        request = Request(scope, receive)
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        answer = await self._client.request(
            request.method, f"{self.edge}{request.url.path}", content=await request.body(), headers=headers
        )
        await Response(answer.content, answer.status_code)(scope, receive, send)


@dataclass
class Talk:
    """Customers who write one after the other, each in a conversation of his own, until they are told to stop."""

    world: World
    asked: list[Customer] = field(default_factory=list)
    troubles: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        self._threads = [threading.Thread(target=self._go_on, daemon=True) for _ in range(CUSTOMERS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _go_on(self) -> None:
        try:
            while not self._stop.is_set():
                customer = self.world.customer(SHOES)
                customer.write(QUESTION)
                self.asked.append(customer)
                assert waited(lambda: bool(customer.replies()), PATIENCE_S, every_s=0.3), "no reply"  # noqa: B023
        except BaseException as trouble:
            self.troubles.append(trouble)


@dataclass(frozen=True)
class Seen:
    """What was seen before, while and after the old processes were replaced."""

    health: dict[str, int]
    engine_of_the_edge: str
    backlog_of_the_worker: str
    webhooks_of_nobody: list[int]
    well_by_the_image: tuple[bool, bool]
    in_flight: int
    exit_codes: tuple[int, int]
    left_by_the_old: int
    replies: list[int]
    asked_after: int
    unfinished: int
    deliveries: list[dict[str, Any]]
    troubles: list[BaseException]


def launch(kind: str, role: str) -> Launch:
    return next(each for each in launches() if each.where.startswith(kind) and each.role == role)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    if not confined.possible():
        pytest.skip("user namespaces are forbidden on this machine: nothing can be confined as a container is")
    folder = tmp_path_factory.mktemp("installation")
    data_dir = folder / "data"
    (data_dir / "tmp").mkdir(parents=True)
    service = Service()
    with ExitStack() as stack:
        postgres = stack.enter_context(migrated_postgres(folder / "postgres"))
        sandbox = stack.enter_context(running_sandbox(folder / "sandbox"))
        settings = {
            "SMOS_DATABASE_URL": postgres.url(),
            "SMOS_APP_DATABASE_URL": postgres.url("smos_app"),
            "SMOS_SECRETS": "file",
            "SMOS_SECRETS_KEY": Fernet.generate_key().decode(),
            "SMOS_AUDIT_KEY": Fernet.generate_key().decode(),
            "SMOS_DATA_DIR": str(data_dir),
            "TMPDIR": str(data_dir / "tmp"),
            "SMOS_CONTRACTS_DIR": str(default_contracts_dir().resolve()),
            "SMOS_PUBLIC_URL": stack.enter_context(serving(service)),
            "SMOS_PRIVATE_HOSTS": "127.0.0.1",
            "SMOS_PORT": "0",
            **QUICK_START,
        }
        world = stack.enter_context(World(sandbox["control"]))
        world.info["tenants"] = [shop for shop in world.info["tenants"] if shop["tenant_id"] == SHOES]
        enrol(settings, world)
        watch = Watch(postgres.url())
        stack.callback(watch.close)

        def start(kind: str, role: str) -> Launched:
            log = folder / f"{kind}-{role}.log"
            return stack.enter_context(Launched(launch(kind, role), settings, [data_dir], log))

        yield replaced(service, world, watch, start)


def enrol(settings: Mapping[str, str], world: World) -> None:
    """Make the sandbox's shop a tenant, as its operator does."""
    names = {name.removeprefix("SMOS_").lower(): value for name, value in settings.items() if name.startswith("SMOS_")}
    names |= {"private_hosts": ("127.0.0.1",), "port": 8080}
    with open_services(Settings.model_validate(names)) as services:
        provision(services, world.info, settings["SMOS_PUBLIC_URL"])


def replaced(service: Service, world: World, watch: Watch, start: Callable[[str, str], Launched]) -> Seen:
    old_worker, old_edge, new_edge = (
        start("kubernetes", "worker"), start("kubernetes", "edge"), start("systemd", "edge"),
    )  # fmt: skip
    old_worker.until_ready()
    (old_key,) = watch.worker_keys()
    new_worker = start("systemd", "worker")
    service.edge = old_edge.until_ready().url
    health = {
        f"{process} {path}": world.http.get(f"{url}{path}").status_code
        for process, url in (("edge", old_edge.url), ("worker", old_worker.url))
        for path in ("/health", "/health/live", "/metrics")
    }
    nobody = f"/webhooks/chatwoot/{'x' * 24}"
    strangers = [world.http.post(f"{old.url}{nobody}", json={}).status_code for old in (old_edge, old_worker)]
    engine = world.http.get(f"{old_edge.url}/health").json()["checks"]["engine"]
    backlog = world.http.get(f"{old_worker.url}/metrics").text
    well = old_edge.passes_the_images_health_check()

    def held_by_the_old() -> int:
        return sum(turn.worker_key == old_key for turn in watch.held() or ())

    new_edge.until_ready()
    new_worker.until_ready()
    fault = {"service": "chatwoot", "kind": "slow", "scope": None, "times": None, "value": 0.3}
    world.http.post(f"{world.url}/sandbox/faults", json=fault).raise_for_status()
    talk = Talk(world)
    talk.begin()
    in_flight = 0

    def in_the_middle() -> bool:
        nonlocal in_flight
        in_flight = held_by_the_old()
        return in_flight > 0 or bool(talk.troubles)

    until(in_the_middle)

    service.edge = new_edge.url
    for old in (old_edge, old_worker):
        old.process.terminate()
    codes = tuple(old.process.wait(PATIENCE_S) for old in (old_edge, old_worker))
    left = held_by_the_old()
    before = len(talk.asked)
    until(lambda: bool(talk.troubles) or len(talk.asked) > before + CUSTOMERS)
    world.http.delete(f"{world.url}/sandbox/faults").raise_for_status()
    talk.end()
    until(lambda: watch.unfinished() == 0)
    return Seen(
        health=health,
        engine_of_the_edge=engine,
        backlog_of_the_worker=backlog,
        webhooks_of_nobody=strangers,
        well_by_the_image=(well, old_edge.passes_the_images_health_check()),
        in_flight=in_flight,
        exit_codes=(codes[0], codes[1]),
        left_by_the_old=left,
        replies=[len(customer.replies()) for customer in talk.asked],
        asked_after=len(talk.asked) - before,
        unfinished=watch.unfinished() or 0,
        deliveries=world.http.get(f"{world.url}/sandbox/webhook-deliveries").json()["deliveries"],
        troubles=talk.troubles,
    )


def test_the_commands_of_the_manifests_answer_on_a_read_only_root_as_nobody_in_particular(seen: Seen) -> None:
    assert seen.health == {
        f"{role} {path}": 200 for role in ("edge", "worker") for path in ("/health", "/health/live", "/metrics")
    }


def test_an_edge_accepts_and_a_worker_tells_what_waits(seen: Seen) -> None:
    assert seen.engine_of_the_edge == "up"
    assert "smos_turns_waiting" in seen.backlog_of_the_worker
    assert seen.webhooks_of_nobody == [404, 404]


def test_the_images_health_check_tells_a_process_that_answers_from_one_that_is_gone(seen: Seen) -> None:
    assert seen.well_by_the_image == (True, False)


def test_customers_notice_nothing_of_a_replacement_in_the_middle_of_their_turns(seen: Seen) -> None:
    assert seen.troubles == []
    assert seen.in_flight > 0
    assert seen.asked_after > CUSTOMERS  # those who wait have begun before
    assert seen.replies == [1] * len(seen.replies)
    assert seen.unfinished == 0
    assert {delivery["status"] for delivery in seen.deliveries if delivery["done"]} == {200}


def test_the_old_processes_end_in_order_and_leave_no_turn_behind(seen: Seen) -> None:
    assert seen.exit_codes == (0, 0)
    assert seen.left_by_the_old == 0


def test_what_is_confined_can_write_to_no_other_place(tmp_path: Path) -> None:
    if not confined.possible():
        pytest.skip("user namespaces are forbidden on this machine")
    written, kept = tmp_path / "written", tmp_path / "kept"
    written.mkdir()
    program = "import os, sys; print(os.geteuid()); open(sys.argv[1] + '/file', 'w')"

    def run(place: Path) -> tuple[int, str]:
        done = subprocess.run(
            confined.command([written], sys.executable, "-c", program, str(place)),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.strip()

    assert run(written) == (0, str(confined.USER))
    assert run(kept.parent) == (1, str(confined.USER))
