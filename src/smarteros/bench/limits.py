"""The bare limits of this machine: what the same work costs without what makes it safe."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from smarteros.kit.http import HttpClient
from smarteros.store.embedded import EmbeddedPostgres, program

_THREADS = 4
_TPS = re.compile(r"tps = ([\d.]+)")
_SCHEMA = """
DROP TABLE IF EXISTS public.bench_queue;
CREATE TABLE public.bench_queue (id bigserial PRIMARY KEY, body text NOT NULL, done boolean NOT NULL DEFAULT false);
CREATE INDEX ON public.bench_queue (id) WHERE NOT done;
"""
_TAKE = """
UPDATE public.bench_queue SET done = true WHERE id = (
  SELECT id FROM public.bench_queue WHERE NOT done ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
) RETURNING id
"""
_BODY = "x" * 1500  # about the size of a stored event


def calls_per_second(chatwoot_url: str, turns: int) -> float:
    """The two requests of an answered turn and nothing else: no database, no queue, no thinking."""
    http = HttpClient()
    base = f"{chatwoot_url}/api/v1/accounts/1/conversations/1"

    def turn(_: int) -> None:
        http.json("GET", base)
        http.json("POST", f"{base}/messages", json={"content": "Atendemos de 10:00 a 19:00.", "private": False})

    try:
        return _rate(turn, turns)
    finally:
        http.close()


def queue_per_second(postgres: EmbeddedPostgres, items: int) -> float:
    """A plain queue: one INSERT and one claim with SKIP LOCKED an item, each its own transaction."""
    url = postgres.url().replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA, prepare=False)
    own = threading.local()
    opened: list[psycopg.Connection] = []

    def item(_: int) -> None:
        connection: psycopg.Connection | None = getattr(own, "connection", None)
        if connection is None:
            connection = own.connection = psycopg.connect(url, autocommit=True)
            opened.append(connection)
        connection.execute("INSERT INTO public.bench_queue (body) VALUES (%s)", (_BODY,))
        connection.execute(_TAKE).fetchone()

    try:
        return _rate(item, items)
    finally:
        for connection in opened:
            connection.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP TABLE public.bench_queue")


def commits_per_second(postgres: EmbeddedPostgres, directory: Path, seconds: int, clients: int = 4) -> float | None:
    """``pgbench`` with one INSERT a transaction; None where the wheel has no pgbench."""
    tool = program("pgbench")
    if not tool.exists():
        return None
    url = postgres.url().replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA, prepare=False)
    script = directory / "insert.sql"
    script.write_text("INSERT INTO public.bench_queue (body) VALUES (repeat('x', 1500));\n")
    run = subprocess.run(
        [str(tool), "-n", "-f", str(script), "-c", str(clients), "-j", "2", "-T", str(seconds), url],
        capture_output=True, text=True, check=False, timeout=seconds + 30,
    )  # fmt: skip
    found = _TPS.search(run.stdout)
    return float(found.group(1)) if found else None


def transactions_so_far(postgres: EmbeddedPostgres) -> int:
    """Count the server's transactions that wrote something (they alone get a number); asking is not one of them."""
    url = postgres.url().replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
    return int(row[0]) if row else 0


def _rate(work: Callable[[int], None], count: int) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(work, range(count)))
    return count / (time.perf_counter() - started)
