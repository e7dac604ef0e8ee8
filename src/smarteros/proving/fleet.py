"""The processes that are proven: an edge and workers on one PostgreSQL, each of which may be killed at any moment."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Sequence
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
# The forge forks: no library may have started threads of its own before.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# What is killed every second must not load sentence encoders and the models of photos at each start.
_QUICK_START = {"SMOS_BRAIN": "words", "SMOS_WARM_DOCUMENTS": "false"}
_SERVE = "smarteros.cli.main:main"


class Fleet:
    """Starts, stops for a moment, kills and starts again."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self._data_dir = data_dir
        self._logs = data_dir / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._running: dict[str, _Process] = {}
        self._old: list[_Process] = []
        self._ready_at: dict[str, int] = {}
        # The kernel kills a child when the *thread* that started it ends; this one lives as long as the fleet.
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="spawner")
        self._forge = self._spawner.submit(_start_forge, self._log("forge"), environment).result()
        self._forge_is_ready = False
        self.port = _free_port()
        self.edge_url = f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        """Start a process that does not run; does not wait for it."""
        role = "edge" if name == EDGE else "worker"
        port = self.port if name == EDGE else 0
        log = self._log(name)
        self._ready_at[name] = log.stat().st_size if log.exists() else 0
        argv = ["smos", "serve", "--role", role, "--host", "127.0.0.1", "--port", str(port)]
        if name in self._running:
            self._old.append(self._running[name])  # somebody may be looking at it
        self._running[name] = self._forged(_SERVE, [*argv, "--data-dir", str(self._data_dir)], log)

    def run(self, call: str, arguments: Sequence[str], within_s: float) -> str:
        """Run a function of its own, ``module:function``, to its end; returns the last line it has written.

        ConfigError when it does not end in time.
        """
        log = self._log(call)
        process = self._forged(call, [call, *arguments], log)
        if not process.wait(within_s):
            process.signal(signal.SIGKILL)
            raise ConfigError("fleet_failed", f"{call} did not end within {within_s:.0f} s: {self._tail(call)}")
        process.close()
        lines = log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else ""

    def wait_until_ready(self, name: str, within_s: float = _READY_WITHIN_S) -> None:
        """Wait until it says ``ready``. ConfigError with the end of its log when it does not."""
        process = self._running[name]
        if not waited(lambda: self._said_ready(name) or process.ended, within_s):
            raise ConfigError("fleet_failed", f"{name} was not ready within {within_s:.0f} s: {self._tail(name)}")
        if process.ended:
            raise ConfigError("fleet_failed", f"{name} ended: {self._tail(name)}")

    def kill(self, name: str) -> None:
        """End a process without a word."""
        process = self._running[name]
        process.signal(signal.SIGKILL)
        process.wait(_STOP_WITHIN_S)

    def pause(self, names: Iterable[str]) -> None:
        """Have processes stand still."""
        for name in names:
            self._running[name].signal(signal.SIGSTOP)

    def resume(self, names: Iterable[str]) -> None:
        """Have them go on."""
        for name in names:
            self._running[name].signal(signal.SIGCONT)

    def ready(self, name: str) -> bool:
        """Whether it runs and has said that it answers."""
        return not self._running[name].ended and self._said_ready(name)

    def ended(self, name: str) -> bool:
        """Whether it has ended, by itself or by a kill."""
        return self._running[name].ended

    def stop(self) -> None:
        """Stop everything, whatever state it is in."""
        processes = list(self._running.values())
        for process in processes:
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_WITHIN_S
        for process in processes:
            if not process.wait(deadline - time.monotonic()):
                process.signal(signal.SIGKILL)
                process.wait(_STOP_WITHIN_S)
        for process in (*processes, *self._old):
            process.close()
        _end(self._forge)
        self._spawner.shutdown()

    def _forged(self, call: str, argv: list[str], log: Path) -> _Process:
        if not self._forge_is_ready and not _first_line(self._forge, _READY_WITHIN_S).startswith("ready"):
            raise ConfigError("fleet_failed", f"the forge did not start: {self._tail('forge')}")
        self._forge_is_ready = True
        forge_in, forge_out = self._forge.stdin, self._forge.stdout
        if forge_in is None or forge_out is None or self._forge.poll() is not None:
            raise ConfigError("fleet_failed", f"the forge has ended: {self._tail('forge')}")
        forge_in.write(json.dumps({"call": call, "argv": argv, "log": str(log)}).encode() + b"\n")
        forge_in.flush()
        return _Process(int(forge_out.readline()))

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _said_ready(self, name: str) -> bool:
        with self._log(name).open("ab+") as log:
            log.seek(self._ready_at[name])
            return any(line.startswith(b"ready ") for line in log)

    def _tail(self, name: str) -> str:
        return " | ".join(self._log(name).read_text(errors="replace").splitlines()[-5:])


class _Process:
    """A process of the forge's. It is held by a descriptor, so that no signal ever reaches another one."""

    def __init__(self, pid: int) -> None:
        try:
            self._held: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._held = None  # it has ended already

    @property
    def ended(self) -> bool:
        return self.wait(0.0)

    def wait(self, within_s: float) -> bool:
        """Wait until it has ended; False when it has not."""
        if self._held is None:
            return True
        # A process that has ended makes its descriptor readable.
        poll = select.poll()
        poll.register(self._held, select.POLLIN)
        return bool(poll.poll(max(0.0, within_s) * 1000))

    def signal(self, which: signal.Signals) -> None:
        if self._held is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._held, which)

    def close(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _start_forge(log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "smarteros.proving.forge", _SERVE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, env=environment | _ONE_THREAD | _QUICK_START,
            start_new_session=True,
        )  # fmt: skip


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
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
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
    said = _first_line(process, _SANDBOX_WITHIN_S)
    if not said.startswith("ready "):
        raise ConfigError("sandbox_failed", "The sandbox did not start; the proof needs the package smarteros-sandbox.")
    return json.loads(said.removeprefix("ready "))


def _first_line(process: subprocess.Popen[bytes], within_s: float) -> str:
    """Read it; a process that neither speaks nor ends is ended, which ends the reading."""
    with ThreadPoolExecutor(1) as reader:
        line = reader.submit(process.stdout.readline) if process.stdout else None
        if line is not None and not waited(line.done, within_s):
            process.kill()
        return line.result().decode() if line else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
