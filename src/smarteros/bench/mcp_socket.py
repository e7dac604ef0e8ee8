"""Calls of ``/mcp`` a second over sockets, beside a bare server of the SDK: each in a process of its own, turn about.

Connections are kept, and every one has its next call under way at once. The client writes bytes made before and looks
for the end of an answer only: what is measured is the server.
"""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from smarteros.bench.mcp_apps import request
from smarteros.bench.processes import Process
from smarteros.domain.errors import ConfigError
from smarteros.edge.mcp.endpoint import PATH

_CONNECTIONS = 4
_ROUNDS = 12
_WITHIN_S = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OK, _ANSWERED = b"HTTP/1.1 200 ", b'"structuredContent"'


def rates(data_dir: Path, bearer: str, calls: int) -> tuple[float, float]:
    """Return how many calls a second ours and the bare server answered in their best rounds of ``calls`` in all."""
    each = max(calls // _ROUNDS, _CONNECTIONS)
    with _server("ours", data_dir) as own, _server("bare", data_dir) as bare:
        servers = (own.url, bare.url)
        for url in servers:
            _rate(url, bearer, each)
        rounds = [[_rate(url, bearer, each) for url in servers] for _ in range(_ROUNDS)]
    return max(own for own, _ in rounds), max(bare for _, bare in rounds)


def _server(which: str, data_dir: Path) -> Process:
    return Process(which, str(data_dir), module="smarteros.bench.mcp_apps")


def _rate(url: str, bearer: str, calls: int) -> float:
    """Make the calls over a few connections at once; returns calls a second."""
    headers, body = request(bearer)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sent = f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body
    share = calls // _CONNECTIONS
    started = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        done = [pool.submit(_calls, url, sent, share) for _ in range(_CONNECTIONS)]
        for each in done:
            each.result()
    return share * _CONNECTIONS / (time.perf_counter() - started)


def _calls(url: str, sent: bytes, calls: int) -> None:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=_WITHIN_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(calls):
            connection.sendall(sent)
            _read_answer(connection)


def _read_answer(connection: socket.socket) -> None:
    """Read one answer to its end; ConfigError when it is not that of the tool."""
    answer = b""
    while True:
        head, end, body = answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if end else None
        if length is not None and len(body) >= int(length[1]):
            break
        more = connection.recv(65_536)
        if not more:
            break
        answer += more
    if not answer.startswith(_OK) or _ANSWERED not in answer:
        raise ConfigError("bench_mcp_refused", f"A measured call was answered {answer[:40]!r}.")
