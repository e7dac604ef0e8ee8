"""The personal part of an audit event: encrypted with its contact's own key, so that it can be destroyed with the key.

The chain of the audit is a hash over what is written, and that is the ciphertext: destroying the key changes no row and
breaks no chain (ADR 25).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from smarteros.domain.messages import IncomingMessage
from smarteros.store.contacts import ContactKey, seen, sender

FIELD = "personal"
"""Name of the sealed part among an audit event's details."""


def sealed_contact(
    connection: sa.Connection, tenant_id: str, message: IncomingMessage, *, opted_out: bool
) -> dict[str, str]:
    """Return who wrote a message, sealed: ``{"key": id of the key, "sealed": ciphertext}``.

    Also remembers that he wrote and, with ``opted_out``, that the bot leaves him alone from now on.
    """
    new = ContactKey(Fernet.generate_key(), secrets.token_hex(8))
    own = seen(connection, tenant_id, sender(message), new, opted_out=opted_out)
    person = message.contact.model_dump(mode="json") | {"account_id": message.account_id}
    return {"key": own.key_id, "sealed": Fernet(own.key).encrypt(json.dumps(person).encode()).decode()}


def opened(sealed: Mapping[str, Any], keys: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Return what was sealed; None when its key is not among ``keys`` (by id) any more, or it is no such thing."""
    key = keys.get(str(sealed.get("key")))
    if key is None:
        return None
    try:
        return json.loads(Fernet(key).decrypt(str(sealed.get("sealed")).encode()))
    except (InvalidToken, ValueError):
        return None
