"""The load tool counts every webhook once, also when the server hangs up between two of them."""

from __future__ import annotations

import json
import re
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import pytest

from smarteros.bench.traffic import Traffic

_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
_BUSY = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class Edge:
    """Takes webhooks. ``answer`` says what comes back for a message heard for the nth time; None hangs up wordless."""

    def __init__(self, answer: Callable[[int, int], bytes | None], *, hang_up: bool = False) -> None:
        self.answer, self.hang_up = answer, hang_up
        self.heard = Counter[int]()
        self.connections = 0
        self.url = ""

    def talk(self, handler: socketserver.StreamRequestHandler) -> None:
        self.connections += 1
        while length := re.search(rb"Content-Length: (\d+)", self._head(handler)):
            body: dict[str, Any] = json.loads(handler.rfile.read(int(length.group(1))))
            self.heard[body["id"]] += 1
            said = self.answer(body["id"], self.heard[body["id"]])
            handler.wfile.write(said or b"")
            if said is None or self.hang_up:
                return

    def _head(self, handler: socketserver.StreamRequestHandler) -> bytes:
        return b"".join(takewhile(lambda line: line != b"\r\n", handler.rfile))


@contextmanager
def listening(edge: Edge) -> Iterator[Edge]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            edge.talk(self)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        edge.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/chatwoot/key"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield edge
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    made = Traffic("secret")
    yield made
    made.close()


def test_a_server_that_hangs_up_after_each_answer_is_called_again(traffic: Traffic) -> None:
    with listening(Edge(lambda *_: _OK, hang_up=True)) as edge:
        sample = traffic.send(edge.url, 2000.0, 100, replies=False)

    assert (len(sample.accepted), sample.refused) == (100, 0)
    assert len(edge.heard) == edge.heard.total() == 100
    assert edge.connections >= 100


def test_a_webhook_that_met_a_closing_server_is_sent_again_and_counted_once(traffic: Traffic) -> None:
    with listening(Edge(lambda message, nth: None if message % 5 == 0 and nth == 1 else _OK)) as edge:
        sample = traffic.send(edge.url, 2000.0, 20, replies=False)

    assert (len(sample.accepted), sample.refused) == (20, 0)
    assert len(edge.heard) == 20
    assert edge.heard.total() == 24


def test_a_refusal_is_not_sent_again(traffic: Traffic) -> None:
    with listening(Edge(lambda message, _: _BUSY if message % 5 == 0 else _OK)) as edge:
        sample = traffic.send(edge.url, 2000.0, 20, replies=False)

    assert (len(sample.accepted), sample.refused) == (16, 4)
    assert edge.heard.total() == 20
