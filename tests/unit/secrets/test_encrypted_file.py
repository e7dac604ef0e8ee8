"""Secrets in one encrypted file."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.secrets import encrypted_file
from smarteros.secrets.encrypted_file import FRESH_FOR_S, EncryptedFileSecretStore

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


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(encrypted_file, "time", clock)
    return clock


def test_what_another_process_wrote_is_seen_a_moment_later(tmp_path: Path, clock: Clock) -> None:
    ours, theirs = (EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY) for _ in range(2))
    assert ours.find(SHOES, "ocr/api_key") is None
    theirs.write(SHOES, "ocr/api_key", "x")
    clock.now += FRESH_FOR_S + 0.01
    assert ours.find(SHOES, "ocr/api_key") == "x"

    theirs.write(SHOES, "ocr/api_key", "rotated")
    clock.now += FRESH_FOR_S + 0.01
    assert ours.read(SHOES, "ocr/api_key") == "rotated"


def test_a_file_that_has_just_been_looked_at_is_not_looked_at_again(tmp_path: Path, clock: Clock) -> None:
    ours, theirs = (EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY) for _ in range(2))
    theirs.write(SHOES, "ocr/api_key", "x")
    assert ours.find(SHOES, "ocr/api_key") == "x"
    theirs.write(SHOES, "ocr/api_key", "rotated")
    clock.now += FRESH_FOR_S / 2

    assert ours.find(SHOES, "ocr/api_key") == "x"


def test_the_first_secret_is_found_however_young_the_machine_is(tmp_path: Path, clock: Clock) -> None:
    EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY).write(SHOES, "ocr/api_key", "x")
    clock.now = 0.0

    assert EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY).find(SHOES, "ocr/api_key") == "x"


def test_what_was_written_here_is_seen_at_once_and_keeps_what_others_wrote(tmp_path: Path, clock: Clock) -> None:
    ours, theirs = (EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY) for _ in range(2))
    assert ours.find(SHOES, "ocr/api_key") is None
    theirs.write(HATS, "ocr/api_key", "of hats")
    ours.write(SHOES, "ocr/api_key", "of shoes")

    assert (ours.find(SHOES, "ocr/api_key"), ours.find(HATS, "ocr/api_key")) == ("of shoes", "of hats")


def test_whoever_asks_while_the_file_is_read_for_the_first_time_waits_for_it(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY).write(SHOES, "ocr/api_key", "x")
    store = EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY)
    reading, go_on, read = threading.Event(), threading.Event(), Path.read_bytes

    def slowly(path: Path) -> bytes:
        reading.set()
        go_on.wait(10)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.find, SHOES, "ocr/api_key")
        assert reading.wait(10)
        second = pool.submit(store.find, SHOES, "ocr/api_key")
        assert not wait([second], timeout=0.05).done
        go_on.set()
        assert (first.result(10), second.result(10)) == ("x", "x")


def test_a_file_that_cannot_be_read_is_refused_every_time(tmp_path: Path, clock: Clock) -> None:
    EncryptedFileSecretStore(tmp_path / "secrets.enc", KEY).write(SHOES, "ocr/api_key", "x")
    stranger = EncryptedFileSecretStore(tmp_path / "secrets.enc", Fernet.generate_key().decode())
    for _ in range(2):
        with pytest.raises(ConfigError):
            stranger.find(SHOES, "ocr/api_key")


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
