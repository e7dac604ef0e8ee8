"""Secrets in one encrypted file; what every store does is in tests/conformance/test_secret_stores.py."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tests.vault_server import Time

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.secrets.encrypted_file import FRESH_FOR_S, EncryptedFileSecretStore
from smarteros.secrets.keys import GivenKeys, KeyFile, Keys
from smarteros.secrets.opening import is_key_beside_data, secret_keys, secrets_file
from smarteros.settings import Settings

SHOES = TenantScope(tenant_id="SECRETS_SHOES")
HATS = TenantScope(tenant_id="SECRETS_HATS")
KEY = Fernet.generate_key().decode()
REPLACE = Path.replace
# A process of its own that writes ten secrets; the standard library starts faster than the whole command.
WRITER = """
import sys
from pathlib import Path
from smarteros.domain.secret_paths import SECRET_PATHS
from smarteros.domain.tenants import TenantScope
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import KeyFile
folder, tenant = sys.argv[1:]
store = EncryptedFileSecretStore(Path(folder, "data", "secrets.enc"), KeyFile(Path(folder, "key")))
for path in SECRET_PATHS[:10]:
    store.write(TenantScope(tenant_id=tenant), path, tenant)
"""


A_MOMENT = timedelta(seconds=FRESH_FOR_S + 0.01)


def opened(folder: Path, time: Time | None = None, keys: Keys | None = None) -> EncryptedFileSecretStore:
    """The store as one process has it."""
    monotonic = (time or Time()).monotonic
    return EncryptedFileSecretStore(folder / "secrets.enc", keys or GivenKeys(KEY), monotonic=monotonic)


def test_what_another_process_wrote_is_seen_a_moment_later(tmp_path: Path, time: Time) -> None:
    ours, theirs = opened(tmp_path, time), opened(tmp_path, time)
    assert ours.find(SHOES, "ocr/api_key") is None
    theirs.write(SHOES, "ocr/api_key", "x")
    time.passed += A_MOMENT
    assert ours.find(SHOES, "ocr/api_key") == "x"

    theirs.write(SHOES, "ocr/api_key", "rotated")
    time.passed += A_MOMENT
    assert ours.read(SHOES, "ocr/api_key") == "rotated"


def test_a_file_that_has_just_been_looked_at_is_not_looked_at_again(tmp_path: Path, time: Time) -> None:
    ours, theirs = opened(tmp_path, time), opened(tmp_path, time)
    theirs.write(SHOES, "ocr/api_key", "x")
    assert ours.find(SHOES, "ocr/api_key") == "x"
    theirs.write(SHOES, "ocr/api_key", "rotated")
    time.passed += A_MOMENT / 2

    assert ours.find(SHOES, "ocr/api_key") == "x"


def test_the_first_secret_is_found_however_young_the_machine_is(tmp_path: Path, time: Time) -> None:
    opened(tmp_path).write(SHOES, "ocr/api_key", "x")
    assert opened(tmp_path).find(SHOES, "ocr/api_key") == "x"


def test_what_was_written_here_is_seen_at_once_and_keeps_what_others_wrote(tmp_path: Path, time: Time) -> None:
    ours, theirs = opened(tmp_path, time), opened(tmp_path, time)
    assert ours.find(SHOES, "ocr/api_key") is None
    theirs.write(HATS, "ocr/api_key", "of hats")
    ours.write(SHOES, "ocr/api_key", "of shoes")

    assert (ours.find(SHOES, "ocr/api_key"), ours.find(HATS, "ocr/api_key")) == ("of shoes", "of hats")


def test_whoever_asks_while_the_file_is_read_for_the_first_time_waits_for_it(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(tmp_path).write(SHOES, "ocr/api_key", "x")
    store = opened(tmp_path)
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


def test_a_file_that_cannot_be_read_is_refused_every_time(tmp_path: Path, time: Time) -> None:
    opened(tmp_path).write(SHOES, "ocr/api_key", "x")
    stranger = opened(tmp_path, keys=GivenKeys(Fernet.generate_key().decode()))
    for _ in range(2):
        with pytest.raises(ConfigError):
            stranger.find(SHOES, "ocr/api_key")


def test_the_file_shows_neither_tenants_nor_secrets(tmp_path: Path) -> None:
    opened(tmp_path).write(SHOES, "ocr/api_key", "canary-value")
    written = (tmp_path / "secrets.enc").read_bytes()

    assert b"canary-value" not in written
    assert b"SECRETS_SHOES" not in written


def test_another_key_is_refused_in_one_sentence(tmp_path: Path) -> None:
    opened(tmp_path).write(SHOES, "ocr/api_key", "x")
    stranger = opened(tmp_path, keys=GivenKeys(Fernet.generate_key().decode()))

    with pytest.raises(ConfigError) as refused:
        stranger.find(SHOES, "ocr/api_key")
    assert refused.value.code == "secrets_unreadable"
    assert not stranger.answers()
    assert opened(tmp_path).answers()


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        opened(tmp_path, keys=GivenKeys("short"))
    assert refused.value.code == "secrets_key_invalid"


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    """A key file outside the data directory."""
    (tmp_path / "data").mkdir()
    (tmp_path / "key").write_text(f"{KEY}\n")
    return KeyFile(tmp_path / "key")


def test_processes_that_write_at_once_while_the_key_changes_lose_nothing(tmp_path: Path, key_file: KeyFile) -> None:
    ours = opened(tmp_path / "data", keys=key_file)
    tenants = [f"SECRETS_WRITER_{number}" for number in range(2)]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), tenant]) for tenant in tenants]
    try:
        for writer in writers:
            while writer.poll() is None:
                ours.rotate_key()
                with suppress(subprocess.TimeoutExpired):
                    writer.wait(0.02)
    finally:
        for writer in writers:
            writer.kill()
    assert [writer.wait(10) for writer in writers] == [0, 0]

    kept = opened(tmp_path / "data", keys=key_file)
    assert [len(kept.entries(TenantScope(tenant_id=tenant))) for tenant in tenants] == [10, 10]


def test_a_process_that_runs_goes_on_when_the_key_in_a_file_is_changed(
    tmp_path: Path, key_file: KeyFile, time: Time
) -> None:
    running = opened(tmp_path / "data", time, key_file)
    running.write(SHOES, "ocr/api_key", "before")
    opened(tmp_path / "data", keys=key_file).rotate_key()
    time.passed += A_MOMENT

    assert running.read(SHOES, "ocr/api_key") == "before"
    running.write(SHOES, "ocr/api_key", "after")
    assert opened(tmp_path / "data", keys=key_file).read(SHOES, "ocr/api_key") == "after"


def test_the_old_key_opens_nothing_after_a_change(tmp_path: Path, key_file: KeyFile) -> None:
    opened(tmp_path / "data", keys=key_file).write(SHOES, "ocr/api_key", "x")
    opened(tmp_path / "data", keys=key_file).rotate_key()

    assert KEY not in key_file.read()
    assert len(key_file.read()) == 1
    with pytest.raises(ConfigError) as refused:
        opened(tmp_path / "data").find(SHOES, "ocr/api_key")
    assert refused.value.code == "secrets_unreadable"


def test_whatever_stops_a_change_of_the_key_one_of_the_keys_in_the_file_opens_the_secrets(
    tmp_path: Path, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(tmp_path / "data", keys=key_file).write(SHOES, "ocr/api_key", "x")
    for write_that_fails in (1, 2, 3):
        replaced: list[Path] = []

        def fails(source: Path, target: Path, nth: int = write_that_fails, seen: list[Path] = replaced) -> Path:
            seen.append(target)
            if len(seen) == nth:
                raise OSError(28, "No space left on device")
            return REPLACE(source, target)

        with monkeypatch.context() as patched, pytest.raises(ConfigError):
            patched.setattr(Path, "replace", fails)
            opened(tmp_path / "data", keys=key_file).rotate_key()
        assert opened(tmp_path / "data", keys=key_file).read(SHOES, "ocr/api_key") == "x"
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_of_keys_that_are_given_the_first_encrypts_and_the_others_may_go_afterwards(tmp_path: Path) -> None:
    opened(tmp_path).write(SHOES, "ocr/api_key", "x")
    new = Fernet.generate_key().decode()
    opened(tmp_path, keys=GivenKeys(f"{new}, {KEY}")).rotate_key()

    assert opened(tmp_path, keys=GivenKeys(new)).read(SHOES, "ocr/api_key") == "x"


def test_a_single_given_key_cannot_be_changed_from_inside(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        opened(tmp_path).rotate_key()
    assert refused.value.code == "secrets_key_single"


def test_a_key_file_stays_readable_for_those_who_could_read_it(tmp_path: Path, key_file: KeyFile) -> None:
    key_file.path.chmod(0o640)
    opened(tmp_path / "data", keys=key_file).rotate_key()

    assert key_file.path.stat().st_mode & 0o777 == 0o640


def test_a_key_beside_the_data_is_made_once_for_its_owner_only_and_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = secret_keys(settings).read()

    assert secret_keys(settings).read() == first
    assert (tmp_path / "secrets.key").stat().st_mode & 0o777 == 0o600
    assert is_key_beside_data(settings)
    assert not is_key_beside_data(Settings(data_dir=tmp_path, secrets_key_file=tmp_path.parent / "key"))


def test_a_key_beside_the_data_that_was_lost_is_not_replaced_by_one_that_opens_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    secrets_file(settings, secret_keys(settings)).write(SHOES, "odoo/login", "bot")
    kept = (tmp_path / "secrets.key").rename(tmp_path / "elsewhere")

    with pytest.raises(ConfigError, match="put it back") as refused:
        secret_keys(settings)
    assert refused.value.code == "secrets_key_missing"
    assert not (tmp_path / "secrets.key").exists()
    kept.rename(tmp_path / "secrets.key")
    assert secrets_file(settings, secret_keys(settings)).read(SHOES, "odoo/login") == "bot"


@pytest.mark.parametrize(
    ("place", "content", "code"),
    [
        ("data/key", KEY, "secrets_key_beside_data"),
        ("data/../data/key", KEY, "secrets_key_beside_data"),
        ("nowhere", None, "secrets_key_missing"),
        ("empty", "\n", "secrets_key_missing"),
    ],
    ids=["beside", "beside_by_a_detour", "absent", "empty"],  # the key is another one in each process
)
def test_a_key_file_that_is_absent_or_lies_beside_the_data_is_refused(
    tmp_path: Path, place: str, content: str | None, code: str
) -> None:
    (tmp_path / "data").mkdir()
    if content is not None:
        (tmp_path / place).write_text(content)
    with pytest.raises(ConfigError) as refused:
        secret_keys(Settings(data_dir=tmp_path / "data", secrets_key_file=tmp_path / place)).read()
    assert refused.value.code == code


def test_a_file_of_the_first_version_is_read_and_kept(tmp_path: Path) -> None:
    token = Fernet(KEY.encode()).encrypt(b'{"SECRETS_SHOES": {"ocr/api_key": "as it was"}}')
    (tmp_path / "secrets.enc").write_bytes(token)
    opened(tmp_path).write(HATS, "ocr/api_key", "new")

    assert opened(tmp_path).read(SHOES, "ocr/api_key") == "as it was"
    assert [entry.written_at for entry in opened(tmp_path).entries(SHOES)] == [None]


def test_a_disk_that_is_full_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    store.write(SHOES, "ocr/api_key", "before")

    def full(*_paths: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigError) as refused:
        store.write(SHOES, "ocr/api_key", "after")
    assert refused.value.code == "secrets_unwritable"
    assert store.read(SHOES, "ocr/api_key") == "before"
