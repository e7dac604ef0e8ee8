"""One process that decodes strangers' documents, and the watch over it.

Limits are held from outside: a decoder in a loop, or one that swallows memory, does not look at its own. On systems
without ``/proc`` only the wall clock is watched (the worker limits its own address space all the same).
"""

from __future__ import annotations

import os
import subprocess
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from smarteros.documents.frames import read_frame, write_frame
from smarteros.domain.errors import RejectedInputError, TransientError

# What the worker needs of our environment; our secrets and settings are not among it.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_LOOK_EVERY_S = 0.05
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Limits:
    """What one document may cost: seconds on the wall clock, seconds of CPU, bytes of resident memory."""

    wall_s: float
    cpu_s: float
    memory_bytes: int


@dataclass(eq=False)
class WorkerProcess:
    """The process as its owner sees it: started with the first job, gone when it died. Hold ``lock`` to use it."""

    command: tuple[str, ...]
    limits: Limits
    lock: threading.Lock = field(default_factory=threading.Lock)
    jobs_done: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _at_exit: Any = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def ask(self, job: str, data: bytes) -> dict[str, Any] | None:
        """Return the answer, or None when the process died of the job.

        RejectedInputError when the document costs more than the limits.
        """
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise TransientError("documents_unavailable", "the document worker has no pipes")
        with _Watch(process, self.limits) as watch:
            try:
                write_frame(process.stdin, {"job": job}, data)
                frame = read_frame(process.stdout)
            except OSError:
                frame = None
        if frame is not None:
            self.jobs_done += 1
            return frame[0]
        self.end()
        if watch.refusal is not None:
            raise RejectedInputError(*watch.refusal)
        return None

    def end(self) -> None:
        """End the process; the next job starts another one."""
        if self._at_exit is not None:
            self._at_exit()
        self._process, self._at_exit, self.jobs_done = None, None, 0

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.end()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "OMP_NUM_THREADS": "1"},
        )
        self._at_exit = weakref.finalize(self, _stop, self._process)
        return self._process


class _Watch:
    """Kills the process when a job goes beyond its limits; ``refusal`` is then the code and the reason."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        self.refusal: tuple[str, str] | None = None
        self._process = process
        self._limits = limits
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="document-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        began_with = _cpu_seconds(self._process.pid)
        waited = 0.0
        while not self._over.wait(_LOOK_EVERY_S):
            waited += _LOOK_EVERY_S
            self.refusal = self._excess(waited, _cpu_seconds(self._process.pid) - began_with)
            if self.refusal is not None:
                self._process.kill()
                return

    def _excess(self, waited_s: float, cpu_s: float) -> tuple[str, str] | None:
        limits = self._limits
        if waited_s >= limits.wall_s:
            return "document_too_slow", f"the document took longer than {limits.wall_s:g} s"
        if cpu_s >= limits.cpu_s:
            return "document_too_slow", f"the document took more than {limits.cpu_s:g} s of CPU"
        if _resident_bytes(self._process.pid) >= limits.memory_bytes:
            return "document_too_heavy", f"the document needed more than {limits.memory_bytes // 2**20} MiB"
        return None


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def _cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    except (OSError, IndexError, ValueError):
        return 0.0


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # an unsent rest of a frame for a dead process
                continue
    process.wait()
