"""The whole demo on one machine: PostgreSQL, the sandbox as a child process, and SmarterOS in this one."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from smarteros.domain.errors import ConfigError

_SANDBOX = "smarteros_sandbox"
_SANDBOX_PORTS = ("chatwoot", "shopify", "odoo", "vision", "control", "botpress")
_SANDBOX_START_S = 20.0
_MARKER = "smos-demo.json"


def run_demo(data_dir: Path, host: str, port: int, *, fresh: bool, announce: Callable[[str, str], None]) -> None:
    """Run the demo until it is interrupted; ``announce`` gets the URL once it answers, and a link into the console.

    Raises ConfigError with one clear sentence for an occupied port or an unusable directory.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        suppress(KeyboardInterrupt),
        _listening(host, port) as listener,
        _own_directory(data_dir, fresh=fresh),
        _sandbox(data_dir / "sandbox", port) as sandbox_urls,
    ):
        url = f"http://{host}:{listener.getsockname()[1]}"
        (data_dir / _MARKER).write_text(json.dumps({"url": url}))
        # Imported now: the sandbox starts on the other core while this takes its second or two.
        from smarteros.demo.serving import serve

        serve(data_dir, url, listener, sandbox_urls, announce)


def running_demo(data_dir: Path) -> str | None:
    """Return the URL of the demo that runs on a data directory, if one does. Only looks: the lock marks a demo's."""
    try:
        with (data_dir / "demo.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except OSError:
        with suppress(OSError, ValueError, KeyError):
            return str(json.loads((data_dir / _MARKER).read_text())["url"])
    return None


@contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    """Take the port before anything else is started, so that an occupied one costs nothing."""
    # The protocol is named because asyncio switches Nagle off only then; with it every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise ConfigError(
            "port_in_use", f"Cannot listen on {host}:{port} ({error.strerror}); choose another with --port."
        ) from error
    with listener:
        yield listener


@contextmanager
def _own_directory(data_dir: Path, *, fresh: bool) -> Generator[None]:
    """Use the data directory alone; ``fresh`` empties it first, if it is one of ours."""
    lock: TextIO | None = None
    try:
        if fresh and data_dir.is_dir() and any(data_dir.iterdir()):
            _require_ours(data_dir)
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "demo.lock").open("a")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigError("demo_running", f"A demo runs already on the data directory {data_dir}.") from error
    except OSError as error:
        raise ConfigError(
            "data_dir_unusable", f"Cannot write to the data directory {data_dir}: {error.strerror}."
        ) from error
    with lock:
        if fresh:
            _empty(data_dir)
        yield


def _require_ours(data_dir: Path) -> None:
    if not (data_dir / "demo.lock").exists():
        raise ConfigError(
            "data_dir_foreign", f"--fresh would delete {data_dir}, which is not a data directory of the demo."
        )


def _empty(data_dir: Path) -> None:
    for entry in data_dir.iterdir():
        if entry.name == "demo.lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@contextmanager
def _sandbox(directory: Path, port: int) -> Generator[Callable[[], dict[str, Any]]]:
    """Start the sandbox; yields a function that waits until it listens and returns its URLs."""
    if importlib.util.find_spec(_SANDBOX) is None:
        raise ConfigError("sandbox_missing", 'The demo needs smarteros-sandbox: uv pip install "smarteros[demo]".')
    flags = [part for flag in _port_flags(port) for part in flag]
    process = subprocess.Popen(
        [sys.executable, "-m", _SANDBOX, "--host", "127.0.0.1", "--data-dir", str(directory), *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C goes to us; it stops when we stop it, or when it sees that we are gone
    )
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_pump, args=(process, lines), daemon=True).start()
    try:
        yield lambda: _sandbox_urls(process, lines)
    finally:
        process.terminate()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _pump(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put("")


def _sandbox_urls(process: subprocess.Popen[str], lines: queue.Queue[str]) -> dict[str, Any]:
    try:
        while line := lines.get(timeout=_SANDBOX_START_S):
            if line.startswith("ready "):
                return json.loads(line.removeprefix("ready "))
    except queue.Empty:
        pass
    raise ConfigError("sandbox_failed", f"The sandbox did not start (exit code {process.poll()}).")


def _port_flags(port: int) -> list[tuple[str, str]]:
    """Prefer the ports behind the demo's own, so that links stay the same from start to start."""
    wanted = {name: port + 1 + at for at, name in enumerate(_SANDBOX_PORTS)} if port else {}
    return [(f"--{name}-port", str(_if_free(wanted.get(name, 0)))) for name in _SANDBOX_PORTS]


def _if_free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
