"""An installation to be measured: an embedded PostgreSQL, one shop, and ``smos serve`` processes on top."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from smarteros.bench.traffic import ACCOUNT_ID, INBOX_ID
from smarteros.bootstrap import open_services
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import InboxSettings, Tenant
from smarteros.knowledge.markdown import parse_markdown
from smarteros.settings import Role, Settings
from smarteros.store.embedded import EmbeddedPostgres

TENANT = "TENANT_BENCH"
_TENANT_KEY = "measured-shop-webhook-key"
_HOURS = """---
category: horarios
---
# Horarios

## ¿Cuál es el horario de atención?
Atendemos de lunes a viernes de 10:00 a 19:00 y los sábados de 10:00 a 14:00.
"""
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STOP_WITHIN_S = 15.0
_PR_SET_PDEATHSIG = 1


class Process:
    """One ``smos serve``; ready when constructed."""

    def __init__(self, data_dir: Path, role: Role, environment: dict[str, str]) -> None:
        started = time.perf_counter()
        command = [sys.executable, "-m", "smarteros.cli.main", "serve", "--role", role, "--port", "0"]
        self._process = subprocess.Popen(
            [*command, "--data-dir", str(data_dir)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | environment,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - only a system call happens in there
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.startswith("ready "):
            self.stop()
            raise ConfigError("bench_start_failed", f"smos serve --role {role} did not start.")
        self.url = line.removeprefix("ready ").strip()
        self.start_s = time.perf_counter() - started

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def stop(self) -> None:
        """End it, at last by force."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Installation:
    """The shop and its database; processes are started by ``serve``."""

    def __init__(self, data_dir: Path, postgres: EmbeddedPostgres) -> None:
        self.data_dir = data_dir
        self.postgres = postgres

    def serve(self, role: Role, **environment: str) -> Process:
        """Start one more process."""
        return Process(self.data_dir, role, environment)

    def webhook_url(self, process: Process) -> str:
        """The address of the shop's webhook on a process."""
        return f"{process.url}/webhooks/chatwoot/{_TENANT_KEY}"

    @property
    def postgres_pid(self) -> int:
        """The process id of the server."""
        path = self.data_dir / "postgres" / "cluster" / "postmaster.pid"
        return int(path.read_text().splitlines()[0])


@contextmanager
def open_installation(data_dir: Path, chatwoot_url: str, secret: str) -> Generator[Installation]:
    """Make an installation with one shop in an empty directory."""
    with EmbeddedPostgres(data_dir / "postgres") as postgres:
        with open_services(Settings(data_dir=data_dir)) as services:
            tenant = Tenant(
                tenant_id=TENANT,
                name="Medida SpA",
                rut="76543210-3",
                tenant_key=_TENANT_KEY,
                chatwoot_url=chatwoot_url,
                chatwoot_account_ids=(ACCOUNT_ID,),
                inboxes=(InboxSettings(inbox_id=INBOX_ID, channel="webwidget"),),
            )
            services.tenants.save(tenant)
            services.secrets.write(tenant.scope, "chatwoot/api_token", "measured")
            services.secrets.write(tenant.scope, "chatwoot/hmac_secret", secret)
            services.knowledge.replace(tenant.scope, (parse_markdown("horarios.md", _HOURS),))
        yield Installation(data_dir, postgres)


def cpu_seconds(pids: list[int]) -> float:
    """CPU time so far of processes and all below them, ended children included."""
    return sum(_cpu_of(pid) for pid in _family(pids))


def memory_mb(pids: list[int]) -> float:
    """Resident memory of processes and all below them; PostgreSQL's shared buffers count once per backend."""
    pages = 0
    for pid in _family(pids):
        fields = _read(f"/proc/{pid}/statm").split()
        pages += int(fields[1]) if len(fields) > 1 else 0
    return pages * _PAGE / 1e6


def _die_with_parent() -> Callable[[], None]:
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _cpu_of(pid: int) -> float:
    text = _read(f"/proc/{pid}/stat")
    fields = text.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS if len(fields) > 15 else 0.0


def _family(pids: list[int]) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _read(f"/proc/{entry.name}/stat").rpartition(")")[2].split()
            if len(fields) > 1:
                parents[int(entry.name)] = int(fields[1])
    family = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""  # it has ended meanwhile
