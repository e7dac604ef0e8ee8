"""The processes that are proven: an edge and workers on one PostgreSQL, each of which may be killed at any moment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from smarteros.domain.errors import ConfigError

WORKERS = ("worker-1", "worker-2")
EDGE = "edge"
_READY_WITHIN_S = 60.0
_SANDBOX_WITHIN_S = 30.0
_STOP_WITHIN_S = 4.0
_LOOK_S = 0.02
# Set by the child itself (1 is PR_SET_PDEATHSIG): a function to be called between fork and exec may deadlock here.
_DIE_WITH_PARENT = (
    "import ctypes, signal; ctypes.CDLL(None).prctl(1, signal.SIGKILL); from smarteros.cli.main import main; main()"
)


class Fleet:
    """Starts, kills and starts again. ``executor_of`` a worker is what the engine calls its process."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self._data_dir = data_dir
        self._environment = environment
        self._logs = data_dir / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ready_at: dict[str, int] = {}
        # The kernel kills a child when the *thread* that started it ends; this one lives as long as the fleet.
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="spawner")
        self.port = _free_port()
        self.edge_url = f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        """Start a process that does not run; does not wait for it."""
        self._running[name] = self._spawner.submit(self._spawn, name).result()

    def wait_until_ready(self, name: str, within_s: float = _READY_WITHIN_S) -> None:
        """Wait until it says ``ready``. ConfigError with the end of its log when it does not."""
        process = self._running[name]
        if not waited(lambda: self._said_ready(name) or process.poll() is not None, within_s):
            raise ConfigError("fleet_failed", f"{name} was not ready within {within_s:.0f} s: {self._tail(name)}")
        if process.poll() is not None:
            raise ConfigError("fleet_failed", f"{name} ended with {process.returncode}: {self._tail(name)}")

    def kill(self, name: str) -> None:
        """End a process without a word."""
        process = self._running[name]
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def ready(self, name: str) -> bool:
        """Whether it runs and has said that it answers."""
        return self._running[name].poll() is None and self._said_ready(name)

    def ended(self, name: str) -> bool:
        """Whether it has ended, by itself or by a kill."""
        return self._running[name].poll() is not None

    def stop(self) -> None:
        """Stop everything, whatever state it is in."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + _STOP_WITHIN_S
        for process in self._running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._spawner.shutdown()

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        role = "edge" if name == EDGE else "worker"
        port = self.port if name == EDGE else 0
        log = self._log(name)
        self._ready_at[name] = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            return subprocess.Popen(
                [
                    sys.executable, "-c", _DIE_WITH_PARENT, "serve", "--role", role, "--host", "127.0.0.1",
                    "--port", str(port), "--data-dir", str(self._data_dir),
                ],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment,
                start_new_session=True,
            )  # fmt: skip

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _said_ready(self, name: str) -> bool:
        with self._log(name).open("rb") as log:
            log.seek(self._ready_at[name])
            return any(line.startswith(b"ready ") for line in log)

    def _tail(self, name: str) -> str:
        return " | ".join(self._log(name).read_text(errors="replace").splitlines()[-5:])


@contextmanager
def running_sandbox(data_dir: Path) -> Generator[dict[str, str]]:
    """Run the stand-ins as a process that no kill touches; yields their URLs."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "sandbox.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "smarteros_sandbox", "--data-dir", str(data_dir), "--watch-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _sandbox_urls(process)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def kill_postgres(data_dir: Path, how: signal.Signals) -> int | None:
    """Kill the server of a data directory; None when it does not run just now."""
    with suppress(OSError, ValueError, IndexError):
        pid = int((data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, how)
        return pid
    return None


def waited(condition: Callable[[], bool], within_s: float, every_s: float = _LOOK_S) -> bool:
    """Look until it is so, or the time is over."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def _sandbox_urls(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Read its first line; a process that neither speaks nor ends is ended, which ends the reading."""
    with ThreadPoolExecutor(1) as reader:
        line = reader.submit(process.stdout.readline) if process.stdout else None
        if line is not None and not waited(line.done, _SANDBOX_WITHIN_S):
            process.kill()
        said = line.result().decode() if line else ""
    if not said.startswith("ready "):
        raise ConfigError("sandbox_failed", "The sandbox did not start; the proof needs the package smarteros-sandbox.")
    return json.loads(said.removeprefix("ready "))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
