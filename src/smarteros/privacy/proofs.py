"""Proof that a person was erased, which names nobody: costly hashes of what he was known by (ADR 25)."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from smarteros.domain.model import Model
from smarteros.privacy.contacts import KnownBy
from smarteros.store.contact_tables import contact_erasures

# 32 MiB and some 80 ms each: all phone numbers of the country would take a processor months.
_COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 2**20, "dklen": 24}


class Proof(Model):
    """What an erasure did. ``rows`` counts by table, ``keys`` are the ids of the destroyed keys.

    ``sealed_events`` are audit events whose personal part nobody can read any more.
    """

    erasure_id: str
    erased_at: datetime
    rows: dict[str, int]
    keys: tuple[str, ...]
    sealed_events: int


def keep_proof(
    connection: sa.Connection, tenant_id: str, names: Iterable[tuple[str, str]], at: datetime, **done: Any
) -> Proof:
    """Write the proof of an erasure down, in its transaction."""
    proof = Proof(erasure_id=uuid.uuid4().hex, erased_at=at, **done)
    salt = _salt(connection, tenant_id) or secrets.token_bytes(16)
    connection.execute(
        sa.insert(contact_erasures).values(
            tenant_id=tenant_id,
            erasure_id=proof.erasure_id,
            known_by=[_hashed(kind, value, salt) for kind, value in names],
            salt=salt,
            proof=proof.model_dump(mode="json"),
            erased_at=at,
        )
    )
    return proof


def proofs_of(connection: sa.Connection, tenant_id: str, person: KnownBy) -> tuple[Proof, ...]:
    """Return the erasures of whoever is known by a name, oldest first."""
    salt = _salt(connection, tenant_id)
    if salt is None:
        return ()
    rows = connection.execute(
        sa.select(contact_erasures.c.proof)
        .where(
            contact_erasures.c.tenant_id == tenant_id,
            contact_erasures.c.known_by.contains([_hashed(person.kind, person.value, salt)]),
        )
        .order_by(contact_erasures.c.erased_at)
    )
    return tuple(Proof.model_validate(row.proof) for row in rows)


def _salt(connection: sa.Connection, tenant_id: str) -> bytes | None:
    """Return the salt of the tenant's proofs: one, so that a name is hashed once to be looked for in all of them."""
    statement = sa.select(contact_erasures.c.salt).where(contact_erasures.c.tenant_id == tenant_id)
    return connection.execute(statement.order_by(contact_erasures.c.erased_at).limit(1)).scalar_one_or_none()


def _hashed(kind: str, value: str, salt: bytes) -> str:
    return hashlib.scrypt(f"{kind}:{value}".encode(), salt=salt, **_COST).hex()
