"""``smos serve`` as a process of its own, for tests that kill it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.e2e.process import QUICK_START


class ServeProcess:
    """One process of an installation, with a quick start."""

    def __init__(self, data_dir: Path, role: str, **environment: str) -> None:
        command = ["-m", "smarteros.cli.main", "serve", "--role", role, "--port", "0", "--data-dir", str(data_dir)]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=os.environ | QUICK_START | environment,
        )
        self.url = ""

    def until_ready(self) -> Self:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), "the process ended before it was ready"
        self.url = line.removeprefix("ready ").strip()
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=20)

    def __enter__(self) -> Self:
        return self.until_ready()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
