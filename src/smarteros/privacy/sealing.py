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
from smarteros.domain.tenants import TenantScope
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.store.contacts import seen, sender

FIELD = "personal"
"""Name of the sealed part among an audit event's details."""


def sealed_contact(
    connection: sa.Connection, scope: TenantScope, message: IncomingMessage, wrapping: KeyWrapping, *, opted_out: bool
) -> dict[str, str] | None:
    """Return who wrote a message, sealed: ``{"key": id of the key, "sealed": ciphertext}``.

    None when his key cannot be opened: nothing is said of a person that cannot be sealed. Also remembers that he wrote
    and, with ``opted_out``, that the bot leaves him alone from now on.
    """
    new = wrapping.wrapped(scope, Fernet.generate_key(), secrets.token_hex(8))
    own = seen(connection, scope.tenant_id, sender(message), new, opted_out=opted_out)
    key = wrapping.opened(scope, own)
    if key is None:
        return None
    person = message.contact.model_dump(mode="json") | {"account_id": message.account_id}
    return {"key": own.key_id, "sealed": Fernet(key).encrypt(json.dumps(person).encode()).decode()}


def opened(sealed: Mapping[str, Any], keys: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Return what was sealed; None when its key is not among ``keys`` (by id) any more, or it is no such thing."""
    key = keys.get(str(sealed.get("key")))
    if key is None:
        return None
    try:
        return json.loads(Fernet(key).decrypt(str(sealed.get("sealed")).encode()))
    except (InvalidToken, ValueError):
        return None
