"""What every SecretKeeper must do: keep by tenant and path, rotate, describe without telling, lose nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tests.vault_server import HATS, SHOES, Time, VaultServer

from smarteros.contracts.exporters.vault import OPERATOR
from smarteros.domain.errors import ConfigError
from smarteros.domain.secret_paths import SECRET_PATHS
from smarteros.kit.http import HttpClient
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import GivenKeys
from smarteros.secrets.protocol import SecretKeeper

HMAC, TOKEN = "chatwoot/hmac_secret", "shopify/admin_token"
# Longer than any store uses what it remembers.
A_WHILE = timedelta(seconds=61)


class Place:
    """Where secrets are kept; any number of processes may open it."""

    def __init__(self, opened: Callable[[], SecretKeeper], time: Time) -> None:
        self.opened = opened
        self.time = time


def _file(request: pytest.FixtureRequest, time: Time) -> Iterator[Callable[[], SecretKeeper]]:
    folder: Path = request.getfixturevalue("tmp_path")
    keys = GivenKeys(Fernet.generate_key().decode())
    yield lambda: EncryptedFileSecretStore(folder / "secrets.enc", keys, clock=time, monotonic=time.monotonic)


def _vault(request: pytest.FixtureRequest, time: Time) -> Iterator[Callable[[], SecretKeeper]]:
    server: VaultServer = request.getfixturevalue("vault")
    server.empty()
    credentials = server.credentials(OPERATOR)
    http = HttpClient(ca_file=server.ca_file)
    yield lambda: server.store(http, credentials, time)
    http.close()


PLACES = {"file": _file, "vault": _vault}


@pytest.fixture(params=sorted(PLACES))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    time = Time()
    for opened in PLACES[request.param](request, time):
        yield Place(opened, time)


@pytest.fixture
def store(place: Place) -> SecretKeeper:
    return place.opened()


def test_a_secret_is_read_back_by_its_own_tenant_only(store: SecretKeeper) -> None:
    store.write(SHOES, TOKEN, "shpat_ñandú $HOME 'x' \"y\"")

    assert store.read(SHOES, TOKEN) == "shpat_ñandú $HOME 'x' \"y\""
    assert store.find(HATS, TOKEN) is None


def test_a_missing_secret_fails_closed(store: SecretKeeper) -> None:
    with pytest.raises(ConfigError) as missing:
        store.read(SHOES, TOKEN)

    assert missing.value.code == "secret_missing"
    assert store.find(SHOES, TOKEN) is None
    assert store.accepted(SHOES, HMAC) == ()


@pytest.mark.parametrize(
    "path",
    ["", "/", "shopify", "shopify/", "../VAULT_HATS/shopify/admin_token", "shopify/../ocr/api_key", "shopify%2Fx",
     "shopify/admin_token?version=1", "Shopify/admin_token", "shopify/admin_token\n", "shopify/admin_token/"],
)  # fmt: skip
def test_a_path_that_is_no_secrets_is_refused_whatever_is_asked(store: SecretKeeper, path: str) -> None:
    asked: list[Callable[[], object]] = [
        lambda: store.read(SHOES, path),
        lambda: store.find(SHOES, path),
        lambda: store.accepted(SHOES, path),
        lambda: store.write(SHOES, path, "x"),
        lambda: store.rotate(SHOES, path, "x", timedelta(hours=1)),
    ]
    for ask in asked:
        with pytest.raises(ConfigError) as refused:
            ask()
        assert refused.value.code == "secret_path_unknown"


def test_what_is_written_is_seen_at_once(store: SecretKeeper) -> None:
    assert store.find(SHOES, TOKEN) is None
    store.write(SHOES, TOKEN, "first")
    assert store.read(SHOES, TOKEN) == "first"
    store.write(SHOES, TOKEN, "second")
    assert store.read(SHOES, TOKEN) == "second"


def test_what_another_process_wrote_is_seen_a_while_later(place: Place) -> None:
    ours, theirs = place.opened(), place.opened()
    assert ours.find(SHOES, TOKEN) is None
    theirs.write(SHOES, TOKEN, "theirs")
    place.time.passed += A_WHILE

    assert ours.read(SHOES, TOKEN) == "theirs"


def test_what_another_process_rotated_is_seen_by_who_looks_again(place: Place) -> None:
    ours, theirs = place.opened(), place.opened()
    theirs.write(SHOES, HMAC, "old")
    assert ours.accepted(SHOES, HMAC) == ("old",)
    theirs.rotate(SHOES, HMAC, "new", timedelta(hours=24))
    place.time.passed += timedelta(seconds=0.3)
    ours.look_again(SHOES)

    assert ours.accepted(SHOES, HMAC) == ("new", "old")


def test_during_a_rotation_both_are_accepted_and_afterwards_the_new_one_only(place: Place) -> None:
    ours, theirs = place.opened(), place.opened()
    theirs.write(SHOES, HMAC, "old")
    theirs.rotate(SHOES, HMAC, "new", timedelta(hours=24))
    for store in (ours, theirs):
        assert store.accepted(SHOES, HMAC) == ("new", "old")
        assert store.read(SHOES, HMAC) == "new"

    place.time.passed += timedelta(hours=24)
    for store in (ours, theirs):
        assert store.accepted(SHOES, HMAC) == ("new",)


def test_a_rotation_of_a_rotation_accepts_the_last_two(store: SecretKeeper) -> None:
    store.write(SHOES, HMAC, "first")
    store.rotate(SHOES, HMAC, "second", timedelta(hours=24))
    store.rotate(SHOES, HMAC, "third", timedelta(hours=24))

    assert store.accepted(SHOES, HMAC) == ("third", "second")


def test_a_secret_that_is_set_ends_its_rotation(store: SecretKeeper) -> None:
    store.write(SHOES, HMAC, "old")
    store.rotate(SHOES, HMAC, "leaked", timedelta(hours=24))
    store.write(SHOES, HMAC, "new")

    assert store.accepted(SHOES, HMAC) == ("new",)


def test_nothing_and_the_same_value_cannot_be_rotated(store: SecretKeeper) -> None:
    with pytest.raises(ConfigError) as missing:
        store.rotate(SHOES, HMAC, "new", timedelta(hours=24))
    store.write(SHOES, HMAC, "same")
    with pytest.raises(ConfigError) as unchanged:
        store.rotate(SHOES, HMAC, "same", timedelta(hours=24))

    assert (missing.value.code, unchanged.value.code) == ("secret_missing", "secret_unchanged")
    assert store.accepted(SHOES, HMAC) == ("same",)


def test_entries_tell_paths_ages_and_fingerprints_and_no_value(place: Place) -> None:
    store = place.opened()
    store.write(SHOES, TOKEN, "canary-one")
    store.write(SHOES, HMAC, "canary-two")
    store.rotate(SHOES, HMAC, "canary-three", timedelta(hours=24))
    store.write(HATS, TOKEN, "canary-one")
    entries = {entry.path: entry for entry in store.entries(SHOES)}

    assert list(entries) == [HMAC, TOKEN]
    assert entries[TOKEN].written_at is not None
    assert entries[TOKEN].previous_until is None
    assert entries[HMAC].previous_until == place.time.now() + timedelta(hours=24)
    assert "canary" not in repr(entries)
    # The same value of two shops has two fingerprints: nobody learns that they are the same.
    assert entries[TOKEN].fingerprint != store.entries(HATS)[0].fingerprint

    place.time.passed += timedelta(hours=24)
    assert [entry.previous_until for entry in store.entries(SHOES)] == [None, None]


def test_a_fingerprint_changes_with_the_value_and_only_with_it(store: SecretKeeper) -> None:
    def told() -> str:
        return store.entries(SHOES)[0].fingerprint

    store.write(SHOES, TOKEN, "one")
    first = told()
    store.write(SHOES, TOKEN, "one")
    assert told() == first
    store.write(SHOES, TOKEN, "two")
    assert told() != first


def test_many_writers_at_once_lose_nothing(place: Place) -> None:
    stores = [place.opened(), place.opened()]
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(stores[n % 2].write, SHOES, path, path) for n, path in enumerate(SECRET_PATHS)]
        for write in writes:
            write.result(60)

    kept = place.opened()
    assert {path: kept.find(SHOES, path) for path in SECRET_PATHS} == {path: path for path in SECRET_PATHS}


def test_an_erased_shop_has_no_secret_left_and_the_others_keep_theirs(place: Place) -> None:
    ours, theirs = place.opened(), place.opened()
    for path in (HMAC, TOKEN):
        ours.write(SHOES, path, "old")
        ours.rotate(SHOES, path, "canary", timedelta(hours=1))
    ours.write(HATS, TOKEN, "kept")

    assert ours.erase(SHOES) == 2
    assert ours.erase(SHOES) == 0
    assert (ours.entries(SHOES), ours.find(SHOES, TOKEN), ours.accepted(SHOES, HMAC)) == ((), None, ())
    place.time.passed += A_WHILE
    assert (theirs.entries(SHOES), theirs.read(HATS, TOKEN)) == ((), "kept")
