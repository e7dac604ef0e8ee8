"""Starts a program that refuses to run as root, and lets it die with its parent. Run as a script, by path.

A process of its own does this, not a ``preexec_fn``: after a fork of a process with threads (numpy's, for example)
only the simplest calls are safe, and a namespace can be entered only by a process without other threads.

As root the program gets a user namespace in which it has another id: the files stay readable wherever they lie, and
no file changes its owner. Where namespaces are forbidden it becomes an unprivileged user.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
# Any id but 0: PostgreSQL refuses to run as root.
_UNPRIVILEGED_ID = 65534


def command(*program: str) -> list[str]:
    """Return the command line that runs ``program`` by this launcher."""
    return [sys.executable, "-I", "-S", __file__, *program]


def _leave_root(libc: ctypes.CDLL) -> None:
    if os.geteuid() != 0:
        return
    group = os.getegid()
    if libc.unshare(_CLONE_NEWUSER) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{_UNPRIVILEGED_ID} 0 1")
        Path("/proc/self/gid_map").write_text(f"{_UNPRIVILEGED_ID} {group} 1")
    else:
        os.setgid(_UNPRIVILEGED_ID)
        os.setuid(_UNPRIVILEGED_ID)


def _main() -> None:
    libc = ctypes.CDLL(None)
    _leave_root(libc)
    # After the change of credentials, which clears it.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the program is ours to name


if __name__ == "__main__":
    _main()
