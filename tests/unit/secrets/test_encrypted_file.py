"""Secrets in one encrypted file."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore

SHOES = TenantScope(tenant_id="SECRETS_SHOES")
HATS = TenantScope(tenant_id="SECRETS_HATS")
KEY = Fernet.generate_key().decode()


def test_a_secret_is_read_back_by_its_own_tenant_only(tmp_path: Path) -> None:
    store = EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY)
    store.write(SHOES, "shopify/admin_token", "shpat_canary")

    assert store.read(SHOES, "shopify/admin_token") == "shpat_canary"
    assert store.find(HATS, "shopify/admin_token") is None


def test_a_missing_secret_fails_closed(tmp_path: Path) -> None:
    store = EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY)

    with pytest.raises(ConfigError) as missing:
        store.read(SHOES, "odoo/api_key")
    assert missing.value.code == "secret_missing"


def test_what_another_process_wrote_is_seen(tmp_path: Path) -> None:
    ours = EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY)
    assert ours.find(SHOES, "ocr/api_key") is None
    EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY).write(SHOES, "ocr/api_key", "x")

    assert ours.find(SHOES, "ocr/api_key") == "x"


def test_the_file_shows_neither_tenants_nor_secrets(tmp_path: Path) -> None:
    EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY).write(SHOES, "ocr/api_key", "canary-value")
    written = (tmp_path / "secrets.enc").read_bytes()

    assert b"canary-value" not in written
    assert b"SECRETS_SHOES" not in written


def test_another_key_is_refused_in_one_sentence(tmp_path: Path) -> None:
    EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY).write(SHOES, "ocr/api_key", "x")
    stranger = EncryptedFileSecretStore(tmp_path / "secrets.enc", Fernet.generate_key().decode())

    with pytest.raises(ConfigError) as refused:
        stranger.find(SHOES, "ocr/api_key")
    assert refused.value.code == "secrets_unreadable"


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        EncryptedFileSecretStore(tmp_path / "secrets.enc", "short")
    assert refused.value.code == "secrets_key_invalid"
