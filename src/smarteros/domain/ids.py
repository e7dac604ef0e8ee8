"""Identifiers. Every id is derived from what it identifies, so that repeating the work repeats the id."""

from __future__ import annotations

import hashlib
import re

TENANT_ID = re.compile(r"^[A-Z][A-Z0-9_]{2,63}$")


def conversation_key(tenant_id: str, conversation_id: int) -> str:
    """Key of one conversation across tenants; turns with the same key run strictly one after the other."""
    return f"{tenant_id}:{conversation_id}"


def turn_id(tenant_id: str, conversation_id: int, message_id: int) -> str:
    """Id of the turn opened by a message. The message id is zero-padded: ids sort in message order."""
    return f"{tenant_id}:{conversation_id}:{message_id:012d}"


def tenant_of(turn: str) -> str:
    """Return the tenant in a turn's id."""
    return turn.partition(":")[0]


def reply_id(turn: str) -> str:
    """Idempotency marker of a turn's reply, kept by Chatwoot in ``content_attributes.smos_reply_id``."""
    return hashlib.sha256(f"reply:{turn}".encode()).hexdigest()[:26]


def status_key(tenant_key: str) -> str:
    """Part of the address of a tenant's public status page; nobody learns the key of its webhooks from it."""
    return hashlib.sha256(f"status-page:{tenant_key}".encode()).hexdigest()[:24]
