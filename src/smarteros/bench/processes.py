"""Processes of ours that are measured, and what the kernel says of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from smarteros.bench import dying_with_parent
from smarteros.domain.errors import ConfigError

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STOP_WITHIN_S = 15.0
_READY = "ready "
_SMOS = "smarteros.cli.main"
_IDLE_FOR_S, _IDLE_WITHIN_S, _IDLE_CORES = 0.5, 60.0, 0.1
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


class Process:
    """A ``smos`` command (or another ``module``) that prints ``ready <url>``; ready when constructed.

    It never outlives this process.
    """

    def __init__(self, *command: str, module: str = _SMOS, **environment: str) -> None:
        started = time.perf_counter()
        self._process = subprocess.Popen(
            dying_with_parent.command(sys.executable, "-m", module, *command),
            stdout=subprocess.PIPE,
            text=True,
            # A group, so that Ctrl-C ends the measurement in order; but one session: the kernel may share the CPU by
            # session first (sched_autogroup), and a worker's niceness would then say nothing to the edge.
            process_group=0,
            env=os.environ | environment,
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.startswith(_READY):
            self.stop()
            raise ConfigError(
                "bench_start_failed", f"{'smos' if module == _SMOS else module} {' '.join(command)} did not start."
            )
        self.url = line.removeprefix(_READY).strip()
        self.start_s = time.perf_counter() - started

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def stop(self) -> None:
        """End it, at last by force."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def cpu_seconds(pids: list[int]) -> float:
    """CPU time so far of processes and all below them, ended children included."""
    return sum(_cpu_of(pid) for pid in _family(pids))


def wait_until_idle(pids: list[int]) -> None:
    """Return when they use less than a tenth of a core for half a second; ConfigError after a minute of work.

    A process is ready before its models are loaded: it answers with less until then. What is measured of a running
    installation is measured after that.
    """
    most_s = time.perf_counter() + _IDLE_WITHIN_S
    while time.perf_counter() < most_s:
        before = cpu_seconds(pids)
        time.sleep(_IDLE_FOR_S)
        if cpu_seconds(pids) - before < _IDLE_CORES * _IDLE_FOR_S:
            return
    raise ConfigError("bench_never_idle", "A process went on working although nobody asked it anything.")


def memory_mb(pids: list[int]) -> float:
    """Resident memory of processes and all below them; PostgreSQL's shared buffers count once per backend."""
    return sum(_resident_mb(pid) for pid in _family(pids))


def proportional_memory_mb(pids: list[int]) -> float:
    """Proportional memory (PSS) of processes and all below them: a page that five share counts a fifth in each.

    Where the kernel does not tell, resident memory stands in for a process.
    """
    return sum(_proportional_mb(pid) for pid in _family(pids))


def _proportional_mb(pid: int) -> float:
    found = _PSS.search(_read(f"/proc/{pid}/smaps_rollup"))
    return int(found.group(1)) * 1024 / 1e6 if found else _resident_mb(pid)


def _resident_mb(pid: int) -> float:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE / 1e6 if len(fields) > 1 else 0.0


def _cpu_of(pid: int) -> float:
    text = _read(f"/proc/{pid}/stat")
    fields = text.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS if len(fields) > 15 else 0.0


def _family(pids: list[int]) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _read(f"/proc/{entry.name}/stat").rpartition(")")[2].split()
            if len(fields) > 1:
                parents[int(entry.name)] = int(fields[1])
    family = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""  # it has ended meanwhile
