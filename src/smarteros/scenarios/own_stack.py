"""Starts a whole demo stack as a process of its own, for as long as scenarios are played."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx2

from smarteros.domain.errors import ConfigError

START_WITHIN_S = 90.0
STOP_WITHIN_S = 5.0
READY = "ready "
_COMPLETE = "smos_brain_complete 1.0"
_ASK_EVERY_S = 0.2


@contextmanager
def own_stack(
    command: Sequence[str] | None = None, *, data_dir: Path | None = None, start_within_s: float = START_WITHIN_S
) -> Generator[str]:
    """Start a stack and yield its URL; it is stopped in the end, whatever happens.

    The demo's brain is complete by then: right after a start it is less sure of what it understands.
    It works in ``data_dir``, or in an empty folder that is deleted afterwards. ``command`` is the program that
    prints ``ready http://…``; ``--port 0 --data-dir <folder>`` is added to it.
    """
    program = list(command or (sys.executable, "-m", "smarteros.cli.main", "demo"))
    with _folder(data_dir) as folder:
        process = subprocess.Popen(
            [*program, "--port", "0", "--data-dir", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            url = _url_of(process, start_within_s)
            if command is None:
                _wait_for_the_brain(url, start_within_s)
            yield url
        finally:
            _stop(process)


@contextmanager
def _folder(given: Path | None) -> Generator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="smos-test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _url_of(process: subprocess.Popen[str], within_s: float) -> str:
    lines: queue.Queue[str | None] = queue.Queue()
    assert process.stdout is not None  # noqa: S101  PIPE was asked for
    threading.Thread(target=_drain, args=(process.stdout, lines), daemon=True).start()
    told: deque[str] = deque(maxlen=20)
    deadline = time.monotonic() + within_s
    while (left := deadline - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        if line is None:
            raise ConfigError("stack_failed", "the stack ended before it was ready:\n" + "".join(told))
        told.append(line)
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    raise ConfigError("stack_failed", f"the stack was not ready within {within_s:g} s:\n" + "".join(told))


def _wait_for_the_brain(url: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if _COMPLETE in httpx2.get(f"{url}/metrics", timeout=within_s, trust_env=False).text:
            return
        time.sleep(_ASK_EVERY_S)
    raise ConfigError("stack_failed", f"the stack's brain was not complete within {within_s:g} s")


def _drain(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    """Read on after the start too: a full pipe would stop the stack."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        # Its own children (a database) are in the same session and must not survive it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_WITHIN_S)
