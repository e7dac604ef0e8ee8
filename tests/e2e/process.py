"""The demo as its user runs it: a process that can be interrupted and killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from tests.support import postgres_below, spare_the_disk

# Sentence encoders and the models of photos: loading them costs more than the rest of a start, and whoever starts a
# process of his own asks about something else. The stack all tests share has both.
QUICK_START = {"SMOS_BRAIN": "words", "SMOS_WARM_DOCUMENTS": "false"}


class DemoProcess:
    """``smos demo`` on a data directory, with a quick start unless ``environment`` says otherwise."""

    def __init__(self, data_dir: Path, *options: str, **environment: str) -> None:
        self._data_dir = data_dir
        self._command = [sys.executable, "-m", "smarteros.cli.main", "demo", "--data-dir", str(data_dir), *options]
        self._environment = os.environ | QUICK_START | environment
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self.seconds_to_ready = 0.0

    def start(self) -> Self:
        started = time.monotonic()
        self.process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=self._environment,
        )
        assert self.process.stdout is not None
        told: list[str] = []
        for line in self.process.stdout:
            told.append(line)
            if line.startswith("ready "):
                self.url = line.removeprefix("ready ").strip()
                self.seconds_to_ready = time.monotonic() - started
                spare_the_disk(postgres_below(self._data_dir))
                return self
        raise AssertionError("the demo ended before it was ready:\n" + "".join(told))

    def family(self) -> list[psutil.Process]:
        """The demo and every process below it."""
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def interrupt(self, within_s: float) -> int:
        """Press Ctrl-C; returns the exit code."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=within_s)

    def kill(self) -> None:
        """Kill it without a word; its children must notice by themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=20)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.interrupt(within_s=10)
        if self.process.poll() is None:
            self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()


def all_gone(processes: list[psutil.Process], within_s: float) -> bool:
    """Wait until none of the processes is alive."""
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return not alive


def refused(data_dir: Path, *options: str) -> tuple[int, str]:
    """Run a demo that cannot start; returns its exit code and what it said."""
    command = [sys.executable, "-m", "smarteros.cli.main", "demo", "--data-dir", str(data_dir), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout + ended.stderr
