"""Workers die; their turns do not. How they end in order: test_rolling_upgrade."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.chaos.serving import ServeProcess
from tests.e2e.process import DemoProcess
from tests.e2e.world import Customer, World, as_bytes
from tests.support import postgres_below

from smarteros.proving.watch import Watch

SHOES = "TENANT_DEMO"
QUESTION = "¿Cuál es el horario de atención?"


@dataclass
class Installation:
    """A demo (web and worker) that other processes can join."""

    data_dir: Path
    demo: DemoProcess
    world: World
    watch: Watch

    def running_turns(self) -> Counter[int]:
        """Turns at work, by the key of the worker that has them."""
        return Counter(turn.worker_key for turn in self.watch.held() or ())

    def slow_chatwoot(self, seconds: float) -> None:
        fault = {"service": "chatwoot", "kind": "slow", "scope": None, "times": None, "value": seconds}
        self.world.http.post(f"{self.demo.url}/sandbox/faults", json=fault).raise_for_status()

    def quick_chatwoot(self) -> None:
        self.world.http.delete(f"{self.demo.url}/sandbox/faults").raise_for_status()

    def kill_postgres(self) -> None:
        pid = int((self.data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    data_dir = tmp_path_factory.mktemp("installation")
    with DemoProcess(data_dir, "--port", "0") as demo, World(demo.url) as world:
        watch = Watch(postgres_below(data_dir))
        yield Installation(data_dir, demo, world, watch)
        watch.close()


def until(condition: Callable[[], object], within_s: float = 20.0) -> float:
    """Wait for a condition; returns how many seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, "it did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - started


def all_answered(customers: list[Customer]) -> bool:
    return all(customer.replies() for customer in customers)


def test_the_turns_of_a_killed_worker_are_answered_by_the_others_exactly_once(installation: Installation) -> None:
    world = installation.world
    world.customer(SHOES).ask(QUESTION)
    before = installation.watch.worker_keys()
    with ServeProcess(installation.data_dir, "worker", SMOS_WORKER_THREADS="4") as worker:
        customers = [world.customer(SHOES) for _ in range(16)]
        installation.slow_chatwoot(1.0)
        sent = [customer.write(QUESTION) for customer in customers]
        until(lambda: set(installation.running_turns()) - before)
        worker.kill()
        left = sum(count for key, count in installation.running_turns().items() if key not in before)
        assert left, "the killed worker had no turn"

        seconds = until(lambda: not set(installation.running_turns()) - before)
    installation.quick_chatwoot()
    until(lambda: all_answered(customers))
    for customer, message in zip(customers, sent, strict=True):
        customer.turn_of(message)

    assert [len(customer.replies()) for customer in customers] == [1] * len(customers)
    assert seconds < 10


def test_a_database_that_dies_is_started_again_and_every_message_is_answered_once(installation: Installation) -> None:
    world = installation.world
    customers = [world.customer(SHOES) for _ in range(6)]
    installation.slow_chatwoot(0.5)
    sent = [customer.write(QUESTION) for customer in customers]
    for message in sent:
        world.until_received(SHOES, message)
    until(installation.running_turns)
    installation.kill_postgres()
    installation.quick_chatwoot()

    until(lambda: all_answered(customers), within_s=60)
    assert [len(customer.replies()) for customer in customers] == [1] * len(customers)


def test_a_webhook_while_the_store_is_away_gets_a_500_and_works_again_afterwards(installation: Installation) -> None:
    world = installation.world
    bot = next(hook for hook in world.shop(SHOES)["webhooks"] if hook["kind"] == "agent_bot")
    body = as_bytes({"event": "conversation_updated", "account": {"id": world.shop(SHOES)["account_id"]}, "id": 1})

    def status() -> int:
        return world.post_webhook(bot["url"], body, bot["secret"]).status_code

    assert status() == 200
    control = installation.data_dir / "postgres" / "cluster" / "global" / "pg_control"
    hidden = control.rename(control.with_name("hidden"))  # without it no server starts
    try:
        installation.kill_postgres()
        until(lambda: status() != 200)
        assert status() == 500
    finally:
        hidden.rename(control)
    until(lambda: status() == 200)
