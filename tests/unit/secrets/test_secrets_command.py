"""`smos secrets`: set, list, rotate and import, and never a value on the screen."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from tests.vault_server import Time
from typer.testing import CliRunner, Result

from smarteros.cli.secrets import app
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import GivenKeys
from smarteros.store.audit import list_events
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory

SHOP = Tenant(
    tenant_id="SECRETS_COMMAND",
    name="Tienda",
    rut="76192083-9",
    tenant_key="key-of-secrets-command-0123456789",
    chatwoot_url="https://secretos.example.cl",
    chatwoot_account_ids=(9701,),
)
HMAC, TOKEN = "chatwoot/hmac_secret", "shopify/admin_token"


@dataclass
class Installation:
    """What the commands open: the store and the tables are real."""

    database: Database
    secrets: EncryptedFileSecretStore
    tenants: TenantDirectory
    said: list[str] = field(default_factory=list)

    def smos_secrets(self, *arguments: str, stdin: str | None = None, tenant: str = SHOP.tenant_id) -> Result:
        done = CliRunner().invoke(app, [arguments[0], "--tenant", tenant, *arguments[1:]], input=stdin)
        self.said.append(f"{done.output}{done.exception}")
        return done

    def audited(self) -> list[dict[str, Any]]:
        with self.database.tenant(SHOP.scope) as connection:
            return [event.details for event in list_events(connection, SHOP.tenant_id, None, 100)]


@pytest.fixture
def installation(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    directory = TenantDirectory(database)
    directory.save(SHOP)
    store = EncryptedFileSecretStore(tmp_path / "secrets.enc", GivenKeys(Fernet.generate_key().decode()), clock=Time())
    opened = Installation(database, store, directory)

    @contextmanager
    def services(_settings: object) -> Generator[Installation]:
        yield opened

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    yield opened


def test_a_secret_is_set_from_standard_input_and_listed_without_its_value(installation: Installation) -> None:
    told = installation.smos_secrets("set", TOKEN, stdin="shpat_canary\n")
    assert told.exit_code == 0, told.output
    assert installation.secrets.read(SHOP.scope, TOKEN) == "shpat_canary"

    (entry,) = json.loads(installation.smos_secrets("list", "--json").stdout)
    assert entry["path"] == TOKEN
    assert len(entry["fingerprint"]) == 8
    listed = installation.smos_secrets("list").stdout
    assert TOKEN in listed
    assert entry["fingerprint"] in listed
    assert "canary" not in "".join(installation.said)


def test_a_change_is_audited_by_fingerprint(installation: Installation) -> None:
    before = len(installation.audited())
    installation.smos_secrets("set", HMAC, stdin="canary-one")
    installation.smos_secrets("rotate", HMAC, stdin="canary-two")

    events = installation.audited()[before:]
    assert [(event["path"], event["change"]) for event in events] == [(HMAC, "set"), (HMAC, "rotated")]
    assert len({event["fingerprint"] for event in events}) == 2
    assert "canary" not in str(events)


def test_a_rotation_accepts_both_for_as_long_as_it_says(installation: Installation) -> None:
    installation.smos_secrets("set", HMAC, stdin="canary-old")
    told = installation.smos_secrets("rotate", HMAC, "--overlap", "2h", stdin="canary-new")
    assert "2026-11-23 14:00 UTC" in told.output
    assert installation.secrets.accepted(SHOP.scope, HMAC) == ("canary-new", "canary-old")
    assert "canary" not in "".join(installation.said)


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("set", "shopify/none"), "x"),
        (("set", "../x"), "x"),
        (("set", TOKEN), ""),
        (("set", TOKEN), "two\nlines"),
        (("set", TOKEN), "x" * 5000),
        (("rotate", TOKEN), "x"),
        (("rotate", HMAC), "x"),
        (("rotate", HMAC, "--overlap", "8d"), "x"),
        (("rotate", HMAC, "--overlap", "soon"), "x"),
    ],
)
def test_what_cannot_be_set_is_refused_and_changes_nothing(
    installation: Installation, arguments: tuple[str, ...], stdin: str
) -> None:
    refused = installation.smos_secrets(*arguments, stdin=stdin)
    assert refused.exit_code != 0
    assert isinstance(refused.exception, ConfigError | SystemExit)
    assert installation.secrets.entries(SHOP.scope) == ()


def test_a_value_is_never_an_argument(installation: Installation) -> None:
    refused = installation.smos_secrets("set", TOKEN, "shpat_canary")
    assert refused.exit_code == 2
    assert installation.secrets.find(SHOP.scope, TOKEN) is None


def test_of_a_tenant_nobody_knows_nothing_is_set(installation: Installation) -> None:
    refused = installation.smos_secrets("set", TOKEN, stdin="x", tenant="SECRETS_NOBODY")
    assert isinstance(refused.exception, ConfigError)
    assert refused.exception.code == "tenant_unknown"


ENV = """
# the shop's own
export SHOPIFY_ADMIN_TOKEN='shpat_canary$HOME'
SHOPIFY_SHOP_DOMAIN=canary.myshopify.com
ODOO_PASSWORD="canary with spaces"
CHATWOOT_HMAC_SECRET=
DATABASE_URL=postgres://canary
"""


def test_an_env_file_is_imported_and_what_is_unknown_is_told(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(ENV)
    told = installation.smos_secrets("import", str(tmp_path / ".env"))

    assert told.exit_code == 0, told.output
    assert installation.secrets.read(SHOP.scope, TOKEN) == "shpat_canary$HOME"
    assert installation.secrets.read(SHOP.scope, "shopify/store_domain") == "canary.myshopify.com"
    assert installation.secrets.read(SHOP.scope, "odoo/api_key") == "canary with spaces"
    assert "unknown, not imported: DATABASE_URL" in told.output
    assert "without a value: CHATWOOT_HMAC_SECRET" in told.output
    assert installation.secrets.find(SHOP.scope, HMAC) is None
    assert "canary" not in "".join(installation.said)


def test_json_is_imported_by_system_by_path_and_by_name(installation: Installation, tmp_path: Path) -> None:
    given = {
        "shopify": {"admin_token": "canary-1", "api_version": "2026-10", "nested": {"admin_token": "x"}},
        "odoo/api_key": "canary-2",
        "OPENAI_API_KEY": "canary-3",
        "chatwoot": {"hmac_secret": True},
    }
    (tmp_path / "secrets.json").write_text(json.dumps(given), "utf-8-sig")  # as Windows' own programs write it
    answer = json.loads(installation.smos_secrets("import", str(tmp_path / "secrets.json"), "--json").stdout)

    assert [entry["path"] for entry in answer["imported"]] == ["llm/api_key", "odoo/api_key", TOKEN]
    assert answer["unknown"] == ["shopify/api_version", "shopify/nested"]
    assert answer["empty"] == ["chatwoot/hmac_secret"]
    assert "canary" not in "".join(installation.said)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{not json canary", "secrets_unreadable"),
        (b"[" * 100_000, "secrets_unreadable"),
        (b"ODOO_URL=https://canary.cl\ncanary-on-a-line-of-its-own\n", "secrets_unreadable"),
        (b"\xef\xbb\xbf{\"shopify\": \"canary\",}", "secrets_unreadable"),
        (b"sk-canary+/=\n", "secrets_unreadable"),
        (b"{" + b'"a":{' * 100_000, "secrets_unreadable"),
        (b"\xff\xfe\x00canary", "secrets_unreadable"),
        (b"ODOO_URL=canary-a\nODOO_INSTANCE_URL=canary-b", "secret_named_twice"),
        (b"ODOO_URL=" + b"x" * 5000, "secret_malformed"),
        (b"ODOO_URL=\"canary\\ntwo lines\"", "secret_malformed"),
        (b"x" * 1_000_001, "secrets_unreadable"),
    ],
    ids=[
        "broken", "deep list", "line", "broken with a mark", "bare key", "deep object", "binary", "twice", "long",
        "two lines", "large",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(
    installation: Installation, tmp_path: Path, content: bytes, code: str | None
) -> None:
    (tmp_path / "file").write_bytes(content)
    done = installation.smos_secrets("import", str(tmp_path / "file"))
    refused = done.exception
    assert (refused.code if isinstance(refused, ConfigError) else None) == code
    assert installation.secrets.entries(SHOP.scope) == ()
    assert "canary" not in "".join(installation.said)


def test_a_file_without_one_secret_of_ours_is_no_success(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgres://canary\n")
    done = installation.smos_secrets("import", str(tmp_path / ".env"))
    assert (done.exit_code, installation.secrets.entries(SHOP.scope)) == (1, ())


def test_the_key_of_the_file_is_changed_by_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old, new = (CliRunner().invoke(app, ["new-key"]).stdout.strip() for _ in range(2))
    EncryptedFileSecretStore(tmp_path / "secrets.enc", GivenKeys(old)).write(SHOP.scope, TOKEN, "x")
    rotate = ["rotate-key", "--data-dir", str(tmp_path)]

    monkeypatch.setenv("SMOS_SECRETS_KEY", old)
    assert isinstance(CliRunner().invoke(app, rotate).exception, ConfigError)
    monkeypatch.setenv("SMOS_SECRETS_KEY", f"{new},{old}")
    assert CliRunner().invoke(app, rotate).exit_code == 0
    assert EncryptedFileSecretStore(tmp_path / "secrets.enc", GivenKeys(new)).read(SHOP.scope, TOKEN) == "x"

    monkeypatch.setenv("SMOS_SECRETS", "vault")
    refused = CliRunner().invoke(app, rotate).exception
    assert isinstance(refused, ConfigError)
    assert refused.code == "secrets_key_unused"
