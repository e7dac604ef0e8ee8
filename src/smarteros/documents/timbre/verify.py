"""Whether a timbre is genuine: both signatures and the rules that bind its statements together.

FRMT, made with the issuer's key inside the timbre, proves nothing alone: a forger brings a key of his own. SII's
signature over that key (FRMA) must hold as well. Keys of 512 bit can be factored with effort and a copy of a timbre
verifies too, so "verificado" is a strong sign and no legal proof.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from smarteros.documents.timbre.keys import SII_KEYS, PublicKey
from smarteros.documents.timbre.ted import NotATedError, Ted, parse_ted
from smarteros.domain.model import Model
from smarteros.domain.turns import Timbre
from smarteros.kit.rut import canonical_rut

# DER of DigestInfo for SHA-1 (RFC 8017, section 9.2).
_SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")
_SMALLEST_BITS, _LARGEST_BITS = 512, 4096
_LARGEST_EXPONENT = 2**32
_BETWEEN_TAGS = re.compile(rb">\s+<")
_LINE_ENDS = re.compile(rb"[\r\n]+")

SENTENCES = {
    "verified": "Both signatures of the timbre hold and what it says fits together.",
    "no_timbre": "No timbre was found on the document.",
    "undecodable": "There is a timbre, but it could not be decoded.",
    "not_a_ted": "The barcode is no timbre of SII.",
    "unknown_key": "The timbre names a key of SII that is not known here, so its authorisation cannot be checked.",
    "frmt_invalid": "The timbre's content does not match its signature.",
    "frma_invalid": "The folio authorisation in the timbre is not signed by SII.",
    "caf_of_another_issuer": "The folios were authorised for another issuer.",
    "caf_of_another_kind": "The folios were authorised for another type of document.",
    "folio_not_authorised": "The folio is outside the authorised range.",
    "issued_before_authorised": "The document is dated before its folios were authorised.",
    "other_issuer": "The timbre is of another business than this shop.",
    "total_differs": "The printed total is not the one in the timbre.",
    "number_differs": "The printed number is not the one in the timbre.",
    "date_differs": "The printed date is not the one in the timbre.",
    "issuer_differs": "The printed RUT of the issuer is not the one in the timbre.",
    "claimed_by_another": "Another customer has sent a document with this timbre before.",
}


class TimbreVerdict(Model):
    """What is to be thought of a document's timbre: the state, a stable reason code and one sentence."""

    state: Timbre = "ausente"
    reason: str = "no_timbre"

    @property
    def sentence(self) -> str:
        """The reason for a person, in English."""
        return SENTENCES[self.reason]


@dataclass(frozen=True)
class TimbreVerifier:
    """Judges timbres. ``keys`` are the authorities' by key id: SII's, unless a test brings an authority of its own."""

    keys: Mapping[int, PublicKey] = field(default_factory=lambda: SII_KEYS)

    def judge(self, data: bytes, *, tenant_rut: str | None = None) -> tuple[TimbreVerdict, Ted | None]:
        """Judge a timbre's bytes. ``tenant_rut`` is the shop's own, when known. The Ted is None when it is none."""
        try:
            ted = parse_ted(data)
        except NotATedError:
            return TimbreVerdict(state="no_verificable", reason="not_a_ted"), None
        broken = self._broken(ted)
        if broken is not None:
            return TimbreVerdict(state="alterado", reason=broken), ted
        if ted.key_id not in self.keys:
            return TimbreVerdict(state="no_verificable", reason="unknown_key"), ted
        own = canonical_rut(tenant_rut) if tenant_rut else None
        if own is not None and own != canonical_rut(ted.issuer):
            return TimbreVerdict(state="no_verificable", reason="other_issuer"), ted
        return TimbreVerdict(state="verificado", reason="verified"), ted

    def _broken(self, ted: Ted) -> str | None:
        """The first rule that is broken, or None. A key that is not known breaks none."""
        key = self.keys.get(ted.key_id)
        rules = (
            ("frmt_invalid", signed(ted.dd, ted.frmt, PublicKey(ted.caf_modulus, ted.caf_exponent))),
            ("frma_invalid", key is None or signed(ted.da, ted.frma, key)),
            ("caf_of_another_issuer", ted.caf_issuer == ted.issuer),
            ("caf_of_another_kind", ted.caf_kind == ted.kind),
            ("folio_not_authorised", ted.caf_first <= ted.folio <= ted.caf_last),
            ("issued_before_authorised", ted.caf_authorised <= ted.issued),
        )
        return next((reason for reason, holds in rules if not holds), None)


def signed(part: bytes, signature: bytes, key: PublicKey) -> bool:
    """Tell whether a part of a timbre bears this signature, in any form issuers sign: as is, flat, without newlines."""
    return any(verifies(form, signature, key) for form in _forms(part))


def verifies(message: bytes, signature: bytes, key: PublicKey) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017, section 8.2.2): the whole encoded message is compared, not parsed.

    Written out because these keys are smaller than a crypto library lets them be, and a stranger brings the key.
    """
    bits = key.n.bit_length()
    if not _SMALLEST_BITS <= bits <= _LARGEST_BITS or not 3 <= key.e <= _LARGEST_EXPONENT or not key.e & key.n & 1:
        return False
    length = (bits + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != length or number >= key.n:
        return False
    digest = _SHA1_INFO + hashlib.sha1(message, usedforsecurity=False).digest()
    expected = b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest
    return hmac.compare_digest(pow(number, key.e, key.n).to_bytes(length, "big"), expected)


def _forms(part: bytes) -> Iterator[bytes]:
    yield part
    flat = _BETWEEN_TAGS.sub(b"><", part)
    yield flat
    yield _LINE_ENDS.sub(b"", part)
    yield _LINE_ENDS.sub(b"", flat)
