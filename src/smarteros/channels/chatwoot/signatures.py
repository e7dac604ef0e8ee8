"""Is a webhook body from the tenant's Chatwoot? Pure: bytes, headers, secrets and the time go in.

``v1`` is Chatwoot's own scheme since 4.12/4.13: ``sha256=`` + HMAC-SHA256 over ``{timestamp}.{raw body}``.
``legacy`` is a bare hex HMAC-SHA256 over the raw body. It has no timestamp, so the body's ``created_at`` bounds
its age, and it ends for good once a v1 delivery was accepted: nobody can talk the receiver down to it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from smarteros.channels.wild import Wild
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import SignatureMode

Scheme = Literal["v1", "legacy"]
PUBLIC_MESSAGE = "Invalid HMAC signature"
V1_TOLERANCE = timedelta(seconds=300)
LEGACY_TOLERANCE = timedelta(minutes=10)
_PREFIX = "sha256="
_TIMESTAMP = re.compile(r"[0-9]{1,11}", re.ASCII)
_BARE_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def verify(
    raw: bytes,
    headers: Mapping[str, str],
    *,
    candidates: Sequence[str],
    legacy_candidates: Sequence[str],
    mode: SignatureMode,
    now: datetime,
    v1_seen: bool,
) -> Scheme:
    """Return the scheme that proved the body, or raise RejectedInputError with status 401.

    ``headers`` has lower-case names; one that came twice must have been refused by the caller. ``candidates`` are
    the secrets of the webhook, the bot and the API inbox, old and new during a rotation. The error's code is
    ``missing_signature``, ``invalid_signature``, ``stale_timestamp`` or ``legacy_not_allowed``; its public message
    is always the same, so that a stranger learns nothing from it.
    """
    signature = headers.get("x-chatwoot-signature", "").strip()
    timestamp = headers.get("x-chatwoot-timestamp")
    if not signature:
        raise _refused("missing_signature", "the webhook carries no X-Chatwoot-Signature")
    if timestamp is not None or signature.startswith(_PREFIX):
        _verify_v1(raw, signature, (timestamp or "").strip(), candidates, now)
        return "v1"
    if not _BARE_HEX.fullmatch(signature):
        raise _refused("invalid_signature", "X-Chatwoot-Signature is in no known form")
    if mode == "v1" or v1_seen:
        raise _refused("legacy_not_allowed", "an unversioned signature is not accepted for this tenant")
    _verify_legacy(raw, signature, legacy_candidates, now)
    return "legacy"


def sign_v1(raw: bytes, secret: str, timestamp: int) -> str:
    """The value of ``X-Chatwoot-Signature`` for a body sent at ``timestamp`` (Unix seconds)."""
    return _PREFIX + _hmac_hex(secret, f"{timestamp}.".encode() + raw)


def sign_legacy(raw: bytes, secret: str) -> str:
    """The bare hex signature of a body."""
    return _hmac_hex(secret, raw)


def _verify_v1(raw: bytes, signature: str, timestamp: str, candidates: Sequence[str], now: datetime) -> None:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise _refused("invalid_signature", "X-Chatwoot-Timestamp is not a Unix time")
    signed = timestamp.encode() + b"." + raw
    if not _any_matches(signed, signature.removeprefix(_PREFIX), candidates):
        raise _refused("invalid_signature", "the signature matches none of the tenant's secrets")
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > V1_TOLERANCE:
        raise _refused("stale_timestamp", "the delivery is more than 300 s away from our clock")


def _verify_legacy(raw: bytes, signature: str, candidates: Sequence[str], now: datetime) -> None:
    if not _any_matches(raw, signature.lower(), candidates):
        raise _refused("invalid_signature", "the signature matches none of the tenant's secrets")
    created_at = _created_at(raw)
    if created_at is None or abs(now - created_at) > LEGACY_TOLERANCE:
        raise _refused("stale_timestamp", "the body's created_at is not within 10 minutes of our clock")


def _created_at(raw: bytes) -> datetime | None:
    try:
        return Wild.root(json.loads(raw)).instant("created_at")
    except (ValueError, RecursionError, RejectedInputError):
        return None


def _any_matches(signed: bytes, given_hex: str, candidates: Sequence[str]) -> bool:
    """Compare with every candidate, without stopping at a match: the time taken tells nothing."""
    given = given_hex.encode("utf-8", "replace")
    matched = False
    for secret in candidates:
        # An empty secret is one nobody set; a signature made with it proves nothing.
        matched |= bool(secret) and hmac.compare_digest(_hmac_hex(secret, signed).encode(), given)
    return matched


def _hmac_hex(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _refused(code: str, operator_message: str) -> RejectedInputError:
    return RejectedInputError(code, operator_message, public_message=PUBLIC_MESSAGE, status=401)
