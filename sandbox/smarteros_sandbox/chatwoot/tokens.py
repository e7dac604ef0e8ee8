"""Identifiers in the forms Chatwoot and the channels behind it give them."""

from __future__ import annotations

import base64
import secrets
from uuid import uuid4

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58_token(length: int = 24) -> str:
    """What Rails' ``has_secure_token`` makes: secrets, access tokens and pubsub tokens."""
    return "".join(secrets.choice(BASE58) for _ in range(length))


def whatsapp_message_id() -> str:
    """A ``wamid`` as the WhatsApp Cloud API returns it."""
    return "wamid." + base64.b64encode(b"\x1d\x16\x00" + secrets.token_bytes(24)).decode().rstrip("=")


def whatsapp_scoped_user_id() -> str:
    """A business-scoped user id, which Meta sends for a customer who hides the phone number."""
    return f"CL.{secrets.randbelow(10**15):015d}"


def mail_message_id(domain: str) -> str:
    """A Message-ID without the angle brackets, as Chatwoot stores it."""
    return f"{uuid4().hex}@{domain}"


def visitor_name() -> str:
    """The placeholder Chatwoot gives to an anonymous visitor of the web widget."""
    return f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}-{secrets.randbelow(900) + 100}"


_ADJECTIVES = ("polished", "quiet", "summer", "bold", "rough", "lively", "morning", "silent")
_NOUNS = ("sun", "river", "wave", "field", "cloud", "leaf", "frost", "moon")
