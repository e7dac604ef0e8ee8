"""Webhook bodies and headers, byte for byte as Rails makes them."""

from __future__ import annotations

import hashlib
import hmac
import json

from smarteros_sandbox.chatwoot.records import JsonObject

# ActiveSupport::JSON::Encoding.escape_html_entities_in_json is on in a Rails application.
_RAILS_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def rails_json(payload: JsonObject) -> bytes:
    """``payload.to_json``: no spaces, UTF-8 unescaped, but ``<>&`` and U+2028/9 as ``\\uXXXX``."""
    return plain_json(payload).decode().translate(_RAILS_ESCAPES).encode()


def plain_json(payload: JsonObject) -> bytes:
    """``JSON.stringify``'s bytes, which the seed's signature is computed over."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Chatwoot lib/webhooks/trigger.rb: HMAC-SHA256 over ``timestamp.body`` as ``sha256=<hex>``."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def legacy_signature(secret: str, body: bytes) -> str:
    """The scheme of the seed's document: bare hex over the body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
