"""A process that makes processes: ``python -m smarteros.proving.forge module:function ...``.

A worker needs three seconds of CPU to start: two thirds to import its code, most of the rest to learn the base pack.
What is killed every second or two cannot start so slowly. The forge does both once, and each process of the fleet is
forked from it, as application servers do that load the application first: its connections, its threads, its name and
its memory of turns are its own.

It reads one JSON object a line (``call``, a function that takes its arguments from ``argv``, and the file ``log`` of
its output) and answers with the process id. It has no threads, and what it has
made ends when it ends.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from smarteros.agents.intents import Examples
from smarteros.agents.native import Brain
from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import Intent
from smarteros.settings import Settings

_PR_SET_PDEATHSIG = 1
# What the command imports only when it begins to serve.
_SERVED_BY = (
    "smarteros.bootstrap",
    "uvicorn",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)


def main(calls: Sequence[str]) -> None:
    """Load everything, say ``ready``, make processes until standard input ends."""
    for each in (*(call.partition(":")[0] for call in calls), *_SERVED_BY):
        importlib.import_module(each)
    _learn_once()
    # The fleet watches its processes by itself; nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin.buffer:
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(wanted["call"], wanted["argv"], wanted["log"])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _learn_once() -> None:
    """What a process learns at its start is the same in all of them."""
    gathered: dict[Intent, tuple[str, ...]] = {}
    for contract in load_contracts(Settings().contracts_dir).by_id.values():
        for intent, texts in contract.agent.examples.items():
            gathered[intent] = (*gathered.get(intent, ()), *texts)
    learn, learnt = Brain.trained, Brain.trained(gathered)

    def trained(extra_examples: Examples | None = None) -> Brain:
        return learnt if extra_examples == gathered else learn(extra_examples)

    setattr(Brain, "trained", trained)  # noqa: B010


def _become(call: str, argv: list[str], log: str) -> NoReturn:
    """Be a process of the fleet, in the forked child."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing, output = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        sys.argv = argv
        module, _, name = call.partition(":")
        run: Callable[[], object] = getattr(importlib.import_module(module), name)
        run()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
