"""Runs a program that is told to end when its parent dies. Run as a script, by path.

A process of its own asks the kernel for that, not a ``preexec_fn``: see ``store/launcher.py``, which does the same for
PostgreSQL and leaves root besides. It costs some 15 ms of the start.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def command(*program: str) -> list[str]:
    """Return the command line that runs ``program``, named by its path, by this script."""
    return [sys.executable, "-I", "-S", __file__, *program]


def _main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the program is ours to name


if __name__ == "__main__":
    _main()
