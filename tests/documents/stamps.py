"""Timbres signed by a test authority. Its keys are made from a seed: nothing secret is kept anywhere."""

from __future__ import annotations

import base64
import functools
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pdf417gen

from smarteros.documents.timbre.keys import PublicKey

TEST_KEY_ID = 999
_SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")


@dataclass(frozen=True)
class PrivateKey:
    """An RSA key of 512 bits, as timbres have them."""

    n: int
    e: int
    d: int

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.n, self.e)

    def sign(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-1."""
        length = (self.n.bit_length() + 7) // 8
        digest = _SHA1_INFO + hashlib.sha1(message).digest()
        encoded = b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest
        return pow(int.from_bytes(encoded, "big"), self.d, self.n).to_bytes(length, "big")


@functools.cache
def make_key(seed: str, e: int = 3) -> PrivateKey:
    """A key; the same seed gives the same one."""
    rng = random.Random(seed)
    while True:
        p, q = _prime(rng, e), _prime(rng, e)
        n = p * q
        if p != q and n.bit_length() == 512:
            return PrivateKey(n, e, pow(e, -1, (p - 1) * (q - 1)))


def authority() -> PrivateKey:
    """The test authority that stands where SII stands."""
    return make_key("authority of the tests", 65537)


def believed_keys() -> dict[int, PublicKey]:
    """What a verifier must be given to believe the test authority."""
    return {TEST_KEY_ID: authority().public}


@dataclass(frozen=True)
class Stamp:
    """What a timbre says; see SII's format. Any part may be made wrong by ``replace``."""

    issuer: str
    kind: int
    folio: int
    issued: date
    total: int
    item: str
    issuer_name: str = "COMERCIAL DE PRUEBA SPA"
    receiver: str = "66666666-6"
    receiver_name: str = "CLIENTE DE PRUEBA"
    caf_issuer: str | None = None
    caf_kind: int | None = None
    first: int = 1
    last: int = 9_999_999
    authorised: date | None = None
    key_id: int = TEST_KEY_ID
    between: str = ""  # put between the tags: some issuers sign a pretty-printed timbre

    def but(self, **changes: Any) -> Stamp:
        """The same with some parts changed."""
        return replace(self, **changes)


def stamped(
    stamp: Stamp, *, signer: PrivateKey | None = None, caf_signer: PrivateKey | None = None,
    sign_as: Callable[[bytes], bytes] = lambda dd: dd,
) -> bytes:  # fmt: skip
    """The TED's bytes. ``sign_as`` says what of the DD is signed, for issuers who sign it flat."""
    key = signer or make_key(f"caf of {stamp.issuer}")
    dash = stamp.between
    da = dash.join([
        "<DA>", f"<RE>{stamp.caf_issuer or stamp.issuer}</RE>", f"<RS>{_escaped(stamp.issuer_name)}</RS>",
        f"<TD>{stamp.caf_kind or stamp.kind}</TD>", f"<RNG><D>{stamp.first}</D><H>{stamp.last}</H></RNG>",
        f"<FA>{stamp.authorised or stamp.issued - timedelta(days=30)}</FA>",
        f"<RSAPK><M>{_number(key.n)}</M><E>{_number(key.e)}</E></RSAPK>", f"<IDK>{stamp.key_id}</IDK>", "</DA>",
    ])  # fmt: skip
    frma = base64.b64encode((caf_signer or authority()).sign(_latin(da))).decode()
    dd = dash.join([
        "<DD>", f"<RE>{stamp.issuer}</RE>", f"<TD>{stamp.kind}</TD>", f"<F>{stamp.folio}</F>",
        f"<FE>{stamp.issued}</FE>", f"<RR>{stamp.receiver}</RR>", f"<RSR>{_escaped(stamp.receiver_name)}</RSR>",
        f"<MNT>{stamp.total}</MNT>", f"<IT1>{_escaped(stamp.item)}</IT1>",
        f'<CAF version="1.0">{dash}{da}{dash}<FRMA algoritmo="SHA1withRSA">{frma}</FRMA>{dash}</CAF>',
        f"<TSTED>{stamp.issued}T12:30:00</TSTED>", "</DD>",
    ])  # fmt: skip
    frmt = base64.b64encode(key.sign(sign_as(_latin(dd)))).decode()
    return _latin(f'<TED version="1.0">{dash}{dd}{dash}<FRMT algoritmo="SHA1withRSA">{frmt}</FRMT>{dash}</TED>')


def modules(ted: bytes, columns: int = 14) -> list[list[bool]]:
    """The timbre's rows of modules (True is black), error correction level 5 as SII asks for."""
    rows = pdf417gen.encode(ted, columns=columns, security_level=5)
    return [[bit == "1" for code in row for bit in bin(code)[2:]] for row in rows]


def _latin(text: str) -> bytes:
    return text.encode("iso-8859-1", "replace")


def _escaped(text: str) -> str:
    return text[:40].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _number(value: int) -> str:
    return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()


def _prime(rng: random.Random, e: int) -> int:
    while True:
        candidate = rng.getrandbits(256) | 1 | 3 << 254
        if (candidate - 1) % e and _probably_prime(candidate, rng):
            return candidate


def _probably_prime(n: int, rng: random.Random) -> bool:
    if any(n % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(16):
        x = pow(rng.randrange(2, n - 1), odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True
