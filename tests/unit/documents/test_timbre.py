"""Timbres: genuine ones are told from altered ones, and from those that cannot be judged."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.documents.forgeries import FORGERIES
from tests.documents.sets import make_invoice
from tests.documents.stamps import Stamp, believed_keys, make_key, stamped

from smarteros.documents.timbre.keys import SII_KEYS, PublicKey, with_test_keys
from smarteros.documents.timbre.ted import LONGEST, NotATedError, parse_ted
from smarteros.documents.timbre.verify import SENTENCES, TimbreVerifier, signed, verifies
from smarteros.domain.errors import ConfigError

STAMP = Stamp("76543210-3", 39, 48213, date(2026, 2, 9), 45_970, "Polera Niño & Niña")
BELIEVES_TESTS = TimbreVerifier({**SII_KEYS, **believed_keys()})


def judged(data: bytes, rut: str | None = None) -> tuple[str, str]:
    verdict, _ = BELIEVES_TESTS.judge(data, tenant_rut=rut)
    return verdict.state, verdict.reason


def test_a_genuine_timbre_says_what_was_sold() -> None:
    verdict, ted = BELIEVES_TESTS.judge(stamped(STAMP), tenant_rut="76.543.210-3")
    assert (verdict.state, verdict.reason) == ("verificado", "verified")
    assert ted is not None
    assert (ted.issuer, ted.kind, ted.folio, ted.issued, ted.total) == (
        "76543210-3",
        39,
        48213,
        date(2026, 2, 9),
        45970,
    )
    assert ted.first_item == "Polera Niño & Niña"
    assert ted.document_key == "76543210-3|39|48213"


def test_an_authority_of_tests_is_not_believed_unless_told() -> None:
    verdict, ted = TimbreVerifier().judge(stamped(STAMP))
    assert (verdict.state, verdict.reason) == ("no_verificable", "unknown_key")
    assert ted is not None


def test_a_timbre_of_another_shop_is_not_this_shops() -> None:
    assert judged(stamped(STAMP), "77123456-9") == ("no_verificable", "other_issuer")


def flat(dd: bytes) -> bytes:
    return b"".join(line.strip() for line in dd.splitlines())


@pytest.mark.parametrize("sign_as", [lambda dd: dd, flat, lambda dd: dd.replace(b"\n", b"")])
def test_what_is_signed_may_have_been_flattened(sign_as: Callable[[bytes], bytes]) -> None:
    data = stamped(STAMP.but(between="\n"), sign_as=sign_as)
    assert b"\n<RE>" in data
    assert judged(data) == ("verificado", "verified")


@pytest.mark.parametrize("name", [name for name in FORGERIES if not name.startswith(("printed", "timbre of"))])
def test_no_forged_timbre_is_believed(name: str) -> None:
    invoice = make_invoice("sii_classic", random.Random(5))
    state, reason = judged(FORGERIES[name](invoice), invoice.rut)
    assert state == ("no_verificable" if name == "own key, unknown key id" else "alterado")
    assert reason in SENTENCES


def test_every_byte_of_a_timbre_counts() -> None:
    data = stamped(STAMP)
    rng = random.Random(1)
    for at in rng.sample(range(len(data)), 120):
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(7)
        state, reason = judged(bytes(changed))
        assert state != "verificado" or bytes(changed) == data, (at, reason)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<TED",
        b"https://example.cl/boleta/1",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + stamped(STAMP),
        stamped(STAMP).replace(b"Polera", b"&bomb;"),
        stamped(STAMP).replace(b"Polera", b"<!-- x -->"),
        stamped(STAMP).replace(b"<IT1>", b"<XX>1</XX><IT1>"),
        stamped(STAMP).replace(b"<MNT>", b"<MNT><![CDATA[1]]>"),
        stamped(STAMP).replace(b"<FE>2026-02-09", b"<FE>2026-02-31"),
        b" " * LONGEST + stamped(STAMP),
    ],
)
def test_what_deviates_from_a_timbres_grammar_is_none(data: bytes) -> None:
    with pytest.raises(NotATedError):
        parse_ted(data)
    assert judged(data) == ("no_verificable", "not_a_ted")


@given(st.binary(max_size=300), st.integers(0, 900))
def test_any_bytes_whatever_are_judged(junk: bytes, at: int) -> None:
    genuine = stamped(STAMP)
    judged(junk)
    judged(genuine[:at] + junk + genuine[at:])


@pytest.mark.parametrize(
    "key",
    [
        PublicKey(0, 3),
        PublicKey(1 << 511 | 1, 1),
        PublicKey((1 << 512) - 2, 3),
        PublicKey((1 << 60_000) + 1, 3),
        PublicKey(make_key("a").n, 2**40 + 1),
        PublicKey(make_key("a").n, 65536),
    ],
)
def test_a_strangers_key_that_is_no_key_signs_nothing(key: PublicKey) -> None:
    assert not verifies(b"message", b"\x00" * ((key.n.bit_length() + 7) // 8), key)


def test_a_signature_with_room_for_junk_is_none() -> None:
    """With exponent 3 a cube can be made whose padding is short and whose end is anything (Bleichenbacher, 2006)."""
    key = make_key("victim")
    genuine = key.sign(b"message")
    assert verifies(b"message", genuine, key.public)
    assert not verifies(b"message", b"\x00" + genuine, key.public)
    start = b"\x00\x01\xff\x00" + bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(b"message").digest()
    cube = int.from_bytes(start + b"\xff" * (64 - len(start)), "big")
    root = round(cube ** (1 / 3))
    while root**3 > cube:
        root -= 1
    assert not verifies(b"message", root.to_bytes(64, "big"), key.public)


def test_siis_keys_are_those_published(shared_dir: Path) -> None:
    published = json.loads((shared_dir / "data" / "sii-public-keys.json").read_text())["keys"]
    assert {int(k): PublicKey(int(v["n_hex"], 16), v["e"]) for k, v in published.items()} == dict(SII_KEYS)


def test_the_timbres_of_the_development_set_hold_but_for_their_authority(shared_dir: Path) -> None:
    labels = json.loads((shared_dir / "data" / "documents-dev" / "labels.json").read_text())
    verdicts = {
        TimbreVerifier().judge(base64.b64decode(label["ted"]))[0].reason for label in labels if label["ted"]
    }  # fmt: skip
    assert verdicts == {"unknown_key"}


def test_test_keys_come_from_a_file_and_never_replace_siis(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key = make_key("authority of the tests", 65537)
    path.write_text(json.dumps({"keys": {"999": {"n_hex": f"{key.n:X}", "e": key.e}}}))
    assert TimbreVerifier(with_test_keys(path)).judge(stamped(STAMP))[0].state == "verificado"
    path.write_text(json.dumps({"keys": {"100": {"n_hex": f"{key.n:X}", "e": key.e}}}))
    with pytest.raises(ConfigError, match="key ids of SII"):
        with_test_keys(path)
    path.write_text("[]")
    with pytest.raises(ConfigError):
        with_test_keys(path)
    assert with_test_keys(None) is SII_KEYS


def test_a_part_of_a_timbre_may_not_borrow_anothers_signature() -> None:
    one, other = parse_ted(stamped(STAMP)), parse_ted(stamped(STAMP.but(folio=2)))
    key = PublicKey(one.caf_modulus, one.caf_exponent)
    assert signed(one.dd, one.frmt, key)
    assert not signed(one.dd, other.frmt, key)
