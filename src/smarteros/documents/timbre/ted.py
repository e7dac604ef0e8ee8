"""The text of a timbre (TED, "timbre electrónico del documento"), byte for byte.

Its grammar is fixed (SII, "Formato Documentos Tributarios Electrónicos", annex TED), so it is matched whole and
nothing else is understood: no DTD, no entities but XML's five, no comments, no processing instructions, no unknown
elements. What is signed is signed as bytes, so the bytes of the signed parts are kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import date

LONGEST = 4096  # bytes; a real one has about 750

_TEXT = rb"[^<&\x00-\x08]*(?:&(?:amp|lt|gt|quot|apos);[^<&\x00-\x08]*)*"
_B64 = rb"[A-Za-z0-9+/=\s]{1,1100}"
_SIGNATURE = rb"\s+algoritmo\s*=\s*[\"']SHA1withRSA[\"']\s*"


def _element(name: bytes, content: bytes, group: bytes | None = None) -> bytes:
    inner = content if group is None else b"(?P<" + group + b">" + content + b")"
    return rb"<" + name + rb"\s*>" + inner + rb"</" + name + rb"\s*>"


_CAF = (
    rb"<CAF\s+version\s*=\s*[\"'][^\"'<&]{1,8}[\"']\s*>\s*(?P<da><DA\s*>\s*"
    + _element(b"RE", rb"[\dKk-]{3,12}", b"caf_issuer") + rb"\s*" + _element(b"RS", _TEXT) + rb"\s*"
    + _element(b"TD", rb"\d{1,3}", b"caf_kind") + rb"\s*<RNG\s*>\s*"
    + _element(b"D", rb"\d{1,10}", b"first") + rb"\s*" + _element(b"H", rb"\d{1,10}", b"last") + rb"\s*</RNG\s*>\s*"
    + _element(b"FA", rb"\d{4}-\d\d-\d\d", b"authorised") + rb"\s*<RSAPK\s*>\s*"
    + _element(b"M", _B64, b"modulus") + rb"\s*" + _element(b"E", _B64, b"exponent") + rb"\s*</RSAPK\s*>\s*"
    + _element(b"IDK", rb"\d{1,6}", b"key_id") + rb"\s*</DA\s*>)\s*<FRMA" + _SIGNATURE + rb">(?P<frma>" + _B64
    + rb")</FRMA\s*>\s*</CAF\s*>"
)  # fmt: skip
_TED = re.compile(
    rb"\s*<TED\s+version\s*=\s*[\"'][^\"'<&]{1,8}[\"']\s*>\s*(?P<dd><DD\s*>\s*"
    + _element(b"RE", rb"[\dKk-]{3,12}", b"issuer") + rb"\s*" + _element(b"TD", rb"\d{1,3}", b"kind") + rb"\s*"
    + _element(b"F", rb"\d{1,10}", b"folio") + rb"\s*" + _element(b"FE", rb"\d{4}-\d\d-\d\d", b"issued") + rb"\s*"
    + rb"(?:" + _element(b"RR", rb"[\dKk-]{0,12}") + rb"\s*)?(?:" + _element(b"RSR", _TEXT) + rb"\s*)?"
    + _element(b"MNT", rb"-?\d{1,18}", b"total") + rb"\s*(?:" + _element(b"IT1", _TEXT, b"item") + rb"\s*)?"
    + _CAF + rb"\s*" + _element(b"TSTED", rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d") + rb"\s*</DD\s*>)\s*<FRMT" + _SIGNATURE
    + rb">(?P<frmt>" + _B64 + rb")</FRMT\s*>\s*</TED\s*>[\s\x00]*"
)  # fmt: skip
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


class NotATedError(ValueError):
    """The bytes are no TED. The text says why."""


@dataclass(frozen=True)
class Ted:
    """A timbre's statements and the bytes its two signatures cover. ``kind`` is SII's document type (33, 39, ...)."""

    issuer: str
    kind: int
    folio: int
    issued: date
    total: int
    first_item: str
    caf_issuer: str
    caf_kind: int
    caf_first: int
    caf_last: int
    caf_authorised: date
    key_id: int
    caf_modulus: int
    caf_exponent: int
    dd: bytes
    da: bytes
    frmt: bytes
    frma: bytes

    @property
    def document_key(self) -> str:
        """What makes a document unique in Chile: issuer, type and folio."""
        return f"{self.issuer}|{self.kind}|{self.folio}"


def parse_ted(data: bytes) -> Ted:
    """Read a TED. NotATedError for anything that deviates from the grammar."""
    if len(data) > LONGEST:
        raise NotATedError(f"longer than {LONGEST} bytes")
    found = _TED.fullmatch(data)
    if found is None:
        raise NotATedError("not of a timbre's form")
    part = {name: value or b"" for name, value in found.groupdict().items()}
    return Ted(
        issuer=_rut(part["issuer"]),
        kind=int(part["kind"]),
        folio=int(part["folio"]),
        issued=_day(part["issued"]),
        total=int(part["total"]),
        first_item=_text(part["item"]),
        caf_issuer=_rut(part["caf_issuer"]),
        caf_kind=int(part["caf_kind"]),
        caf_first=int(part["first"]),
        caf_last=int(part["last"]),
        caf_authorised=_day(part["authorised"]),
        key_id=int(part["key_id"]),
        caf_modulus=int.from_bytes(_octets(part["modulus"]), "big"),
        caf_exponent=int.from_bytes(_octets(part["exponent"]), "big"),
        dd=part["dd"],
        da=part["da"],
        frmt=_octets(part["frmt"]),
        frma=_octets(part["frma"]),
    )


def _rut(text: bytes) -> str:
    return text.decode("ascii").upper().lstrip("0")


def _day(text: bytes) -> date:
    try:
        return date.fromisoformat(text.decode("ascii"))
    except ValueError as error:
        raise NotATedError("a date that is none") from error


def _text(data: bytes) -> str:
    """ISO 8859-1 by the rule; some issuers print UTF-8, which is then unmistakable."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("iso-8859-1")
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return " ".join(text.split())


def _octets(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotATedError("base64 that is none") from error
