"""A terminal in which the blocks of a page are typed, one after the other, as they are written."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.docs.blocks import ROOT, Fence
from tests.docs.warm import SHIM

_VENV = Path(sys.executable).parent
# `uv run X` is X of the environment that the tests run in.
_UV = """#!/bin/sh
[ "$1" = run ] || { echo "only uv run is known here" >&2; exit 64; }
shift
exec "$@"
"""
_BEGIN = """
exec >"$BLOCKS/{at}.out" 2>"$BLOCKS/{at}.err"
"""
# A block that goes on is ready when it says so. It ends with the terminal.
_GOES_ON = """
( {text}
) &
for _ in $(seq 600); do grep -q '^ready ' "$BLOCKS/{at}.out" && break; kill -0 $! || exit 1; sleep 0.1; done
grep -q '^ready ' "$BLOCKS/{at}.out"
"""
_PATIENCE_S = 600


@dataclass(frozen=True)
class Typed:
    """What a block wrote, and whether it ended well."""

    fence: Fence
    out: str
    err: str
    well: bool


@dataclass(frozen=True)
class Terminal:
    """An empty directory beside the contracts, and the programs a reader has."""

    directory: Path
    environment: Mapping[str, str]
    instead: Mapping[str, str]

    def type(self, typed: Iterable[Fence]) -> list[Typed]:
        """Run the blocks in one shell until one fails; ``instead`` says which addresses are others here."""
        run = list(typed)
        notes = self.directory / ".blocks"
        notes.mkdir()
        shutil.copytree(ROOT / "contracts", self.directory / "contracts")
        script = "set -euo pipefail\n"
        for at, fence in enumerate(run):
            script += _BEGIN.format(at=at)
            script += _GOES_ON.format(at=at, text=self._here(fence.text)) if fence.goes_on else self._here(fence.text)
        (notes / "script").write_text(f"{script}\ntouch {notes / 'end'}\n", "utf-8")
        shell = subprocess.Popen(
            ["bash", str(notes / "script")],
            cwd=self.directory,
            env={**self.environment, "BLOCKS": str(notes)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        with suppress(subprocess.TimeoutExpired):
            shell.wait(_PATIENCE_S)
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
        shell.wait()
        done = [at for at in range(len(run)) if (notes / f"{at}.out").exists()]
        ended = (notes / "end").exists()
        return [
            Typed(run[at], _read(notes / f"{at}.out"), _read(notes / f"{at}.err"), ended or at != done[-1])
            for at in done
        ]

    def _here(self, text: str) -> str:
        for theirs, ours in self.instead.items():
            text = re.sub(rf"(?<![\w.]){re.escape(theirs)}(?!\d)", ours, text)
        return text


def _read(file: Path) -> str:
    return file.read_text("utf-8", errors="replace")


@contextmanager
def programs(directory: Path) -> Iterator[Path]:
    """Yield a folder with ``smos`` and ``uv``, the first of which is warm."""
    address = str(directory / "smos.socket")
    folder = directory / "bin"
    folder.mkdir()
    for name, text in (("smos", SHIM.format(python=sys.executable, address=address)), ("uv", _UV)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.docs.warm", address], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield folder
        finally:
            server.kill()


def environment(folder: Path, home: Path, **more: str) -> dict[str, str]:
    """Return what a reader's shell knows. What takes seconds to load and no page speaks of is left out."""
    path = f"{folder}:{os.environ['PATH']}:{_VENV}"
    return {
        "PATH": path,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
        "SMOS_BRAIN": "words",
        "SMOS_WARM_DOCUMENTS": "false",
        **more,
    }
