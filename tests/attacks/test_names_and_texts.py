"""Names that pretend to be others, and texts that pretend to be code: ids, paths, log lines, templates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from smarteros.contracts.exporters.vault import READERS, policy_of, vault_setup
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.observability.logs import configure_logs
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import KeyFile

IMPOSTORS = (
    "TENANT_A/../TENANT_B",
    "../TENANT_B",
    "TENANT_A\n",
    "TENANT_A\x00",
    "TENANT_A ",
    " TENANT_A",
    "tenant_a",
    "TENANT_А",  # a Cyrillic А
    "ＴＥＮＡＮＴ_A",  # full-width letters
    "TENANT_A\u200b",
    "TENANT_A\u202eB",
    "TENANT_١",  # an Arabic one
    "TENANT_A%2f..%2fTENANT_B",
    "TENANT_A;DROP TABLE smos.turns",
    "TENANT_A'--",
    "*",
    "+",
    "T",
    "T" * 65,
    "",
    "_TENANT",
    "-",
)


@pytest.mark.parametrize("tenant_id", IMPOSTORS)
def test_a_tenants_id_has_one_spelling_and_names_no_path(tenant_id: str) -> None:
    with pytest.raises(ValidationError):
        TenantScope(tenant_id=tenant_id)


@given(st.text(max_size=70))
@settings(max_examples=200, derandomize=True)
def test_whatever_is_accepted_as_a_tenants_id_is_plain(tenant_id: str) -> None:
    try:
        accepted = TenantScope(tenant_id=tenant_id).tenant_id
    except ValidationError:
        return
    assert accepted.isascii() and accepted == accepted.upper() and accepted.replace("_", "").isalnum()


def test_two_tenants_that_vault_would_take_for_one_are_refused() -> None:
    """Vault lower-cases the names of policies; an id cannot have lower case, and equal ones are told."""
    assert policy_of("TENANT_A", READERS) != policy_of("TENANT_B", READERS)
    with pytest.raises(ConfigError):
        vault_setup((), ("TENANT_A", "tenant_a"), "secret")


@pytest.mark.parametrize("tenant_id", IMPOSTORS)
def test_no_impostor_gets_into_vaults_policies(tenant_id: str) -> None:
    with pytest.raises((ValidationError, ConfigError)):
        vault_setup((), (tenant_id,), "secret")


@pytest.mark.parametrize(
    "path", ["../TENANT_B/chatwoot/api_token", "chatwoot/../odoo/api_key", "chatwoot", "chatwoot/api_token ", "*", ""]
)
def test_a_secret_has_no_path_but_those_there_are(path: str, tmp_path: Path) -> None:
    key = KeyFile(tmp_path / "key")
    key.make_if_absent()
    store = EncryptedFileSecretStore(tmp_path / "secrets", key)
    ours, theirs = TenantScope(tenant_id="TENANT_A"), TenantScope(tenant_id="TENANT_B")
    store.write(theirs, "chatwoot/api_token", "theirs")

    for ask in (store.read, store.find, store.accepted):
        with pytest.raises(ConfigError, match="secret"):
            ask(ours, path)


FORGED_LINES = (
    'hola"}\n{"level": "critical", "event": "forged"',
    "hola\r\n2026-11-23T00:00:00Z [critical] forged",
    "\x1b[2J\x1b[31mforged",
    "\u2028forged\u2029",
    '=HYPERLINK("https://evil.example")',
)


@pytest.mark.parametrize("text", FORGED_LINES)
def test_a_line_of_the_log_stays_one_line_of_json(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    try:
        structlog.get_logger().error("refused", detail=text)
    finally:
        structlog.reset_defaults()
    printed = capsys.readouterr().err

    assert printed.count("\n") == 1
    assert "\x1b" not in printed and "\r" not in printed
    line = json.loads(printed)
    assert (line["level"], line["event"]) == ("error", "refused")
