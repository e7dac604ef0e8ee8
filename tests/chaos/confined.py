"""Runs a program as a container runs it: as nobody in particular, and all but a few places read-only.

Run as a script, by path: ``confined.py PLACE[:PLACE...] PROGRAM...``. It is a user and a mount namespace of its own, so
that nobody needs to be root for it; files that the caller may read stay readable, wherever the interpreter lies.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

USER = 10001
_NEWUSER, _NEWNS = 0x10000000, 0x20000
_MS_BIND = 4096
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_SETATTR = 442  # the same number on every architecture
_READ_ONLY = 1
_NO_NEW_PRIVILEGES = 38
_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns_fd")]


def command(places: list[Path], *program: str) -> list[str]:
    """The command line that runs a program so; ``places`` are what it may write to."""
    return [sys.executable, __file__, ":".join(map(str, places)), *program]


def possible() -> bool:
    """Whether this machine allows it."""
    return subprocess.run(command([Path("/tmp")], "/bin/true"), capture_output=True, check=False).returncode == 0


def _main() -> None:
    places = [place.encode() for place in sys.argv[1].split(":")]
    user, group = os.geteuid(), os.getegid()
    _done(_libc.unshare(_NEWUSER | _NEWNS))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{USER} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{USER} {group} 1")
    for place in places:
        _done(_libc.mount(place, place, None, _MS_BIND, None))
    _read_only(b"/", _AT_RECURSIVE, _MountAttributes(set=_READ_ONLY))
    for place in places:
        _read_only(place, 0, _MountAttributes(clear=_READ_ONLY))
    _done(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    os.chdir("/")
    os.execv(sys.argv[2], sys.argv[2:])


def _read_only(place: bytes, flags: int, attributes: _MountAttributes) -> None:
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    _done(_libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, place, flags, ctypes.byref(attributes), size))


def _done(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "namespaces are not allowed here")


if __name__ == "__main__":
    _main()
