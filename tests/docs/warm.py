"""``smos`` from a process that has loaded it: starting Python anew for each command of the docs takes two seconds.

``python -m tests.docs.warm SOCKET`` waits for callers; each gets a child of its own, with the caller's arguments,
directory, environment and terminals. ``SHIM`` is the program that calls.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from typing import NoReturn

from smarteros.cli.main import main as smos

SHIM = """#!{python} -ISE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(asked)
    answer = server.makefile("rb").read()
sys.exit(int(answer or 70))
"""
# What commands import only when they begin to work.
_LATER = (
    "smarteros.bootstrap",
    "smarteros.demo.customer",
    "smarteros.scenarios.stack",
    "smarteros.scenarios.own_stack",
    "smarteros.doctor.registry",
    "smarteros.doctor.installation",
)


def main(address: str) -> None:
    """Serve until killed."""
    for module in _LATER:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            caller, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(caller)
            caller.close()


def _answer(caller: socket.socket) -> NoReturn:
    """Be the caller's command, in the forked child."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        length, terminals, _, _ = socket.recv_fds(caller, 4, 3)
        with caller.makefile("rb") as asked:
            arguments, directory, environment = json.loads(asked.read(int.from_bytes(length, "big")))
        for at, terminal in enumerate(terminals):
            os.dup2(terminal, at)
            os.close(terminal)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(directory)
        sys.argv = ["smos", *arguments]
        threading.Thread(target=_end_with, args=(caller,), daemon=True).start()
        smos()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        with suppress(OSError):  # the caller may be gone
            caller.sendall(str(code).encode())
        os._exit(code)


def _end_with(caller: socket.socket) -> None:
    """End when the caller is gone: nobody waits for the answer any more."""
    caller.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1])
