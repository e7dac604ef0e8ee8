"""The keys of contacts lie wrapped: the database alone opens nothing, and no key is lost by changing the wrapping."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from tests.support import MemorySecrets
from tests.unit.privacy.test_contact_rights import ANA, Shop, phone, shop

from smarteros.domain.errors import ConfigError, TransientError
from smarteros.privacy.sealing import FIELD, opened
from smarteros.privacy.wrapping import PATH, KeyWrapping
from smarteros.store.contacts import ContactKey

__all__ = ["shop"]


def written_by(shop: Shop) -> dict[str, Any]:
    """Who wrote the first turn, as the person himself is told it."""
    (first, *_) = shop.rights.export(shop.tenant, phone(ANA.phone)).rows["audit_events"]
    return first["details"][FIELD]


def wrapped_by(shop: Shop) -> set[str | None]:
    rows = shop.ask("SELECT wrapped_by FROM smos.contacts WHERE key IS NOT NULL")
    return {row.wrapped_by for row in rows}


def test_whoever_copies_the_database_opens_nobodys_part_of_the_audit(shop: Shop) -> None:
    (first, *_) = shop.ask("SELECT event FROM smos.audit_events ORDER BY position")
    copied = {row.key_id: bytes(row.key) for row in shop.ask("SELECT key_id, key FROM smos.contacts")}

    with pytest.raises((InvalidToken, ValueError)):
        Fernet(copied[first.event["details"][FIELD]["key"]])
    assert shop.wrapping.opened(shop.tenant.scope, stored_of(shop)) is not None
    assert KeyWrapping(MemorySecrets({})).opened(shop.tenant.scope, stored_of(shop)) is None


def stored_of(shop: Shop) -> ContactKey:
    (row,) = shop.ask("SELECT key, key_id, wrapped_by FROM smos.contacts WHERE contact = '9:501'")
    return ContactKey(bytes(row.key), row.key_id, row.wrapped_by)


def test_a_new_wrapping_key_opens_what_was_wrapped_in_the_old_one(shop: Shop) -> None:
    before, who = wrapped_by(shop), written_by(shop)
    done = shop.wrapping.rotate(shop.database, shop.tenant)

    assert (done.rewrapped, done.lost) == (2, 0)
    assert wrapped_by(shop).isdisjoint(before)
    assert written_by(shop) == who
    assert who["phone"] == ANA.phone


def test_a_process_that_remembers_the_old_wrapping_key_loses_nothing(shop: Shop) -> None:
    old = MemorySecrets(dict(shop.secrets.values))
    shop.wrapping.rotate(shop.database, shop.tenant)
    # It wraps a new contact's key in the one it remembers ...
    late = KeyWrapping(old).wrapped(shop.tenant.scope, b"k" * 44, "late")
    assert shop.wrapping.opened(shop.tenant.scope, late) == b"k" * 44

    # ... and asks again when it meets one that it cannot open.
    class Changed(MemorySecrets):
        def look_again(self, scope: Any) -> bool:
            self.values = shop.secrets.values
            return True

    assert KeyWrapping(Changed(old.values)).opened(shop.tenant.scope, stored_of(shop)) is not None


def test_keys_from_before_the_wrapping_are_wrapped_by_the_next_round(shop: Shop) -> None:
    plain = Fernet.generate_key()
    shop.ask(
        "UPDATE smos.contacts SET key = :key, wrapped_by = NULL WHERE contact = '9:501' RETURNING contact", key=plain
    )
    assert shop.keys()[stored_of(shop).key_id] == plain

    assert shop.wrapping.rewrap(shop.database, shop.tenant).rewrapped == 1
    assert None not in wrapped_by(shop)
    assert bytes(stored_of(shop).key) != plain
    assert shop.keys()[stored_of(shop).key_id] == plain
    assert shop.wrapping.rewrap(shop.database, shop.tenant).rewrapped == 0


def test_a_lost_wrapping_key_is_told_and_stops_neither_the_round_nor_an_erasure(shop: Shop) -> None:
    shop.secrets.values[shop.tenant.tenant_id, PATH] = Fernet.generate_key().decode()

    assert shop.wrapping.rewrap(shop.database, shop.tenant).lost == 2
    assert written_by(shop) is None
    proof = shop.rights.erase(shop.tenant, phone(ANA.phone))
    assert proof is not None
    assert len(proof.keys) == 1


class Away(MemorySecrets):
    """A secret store that is away, and counts how often it was asked."""

    asked = 0

    def find(self, scope: Any, path: str) -> str | None:
        self.asked += 1
        raise TransientError("vault_away", "closed")


def test_a_turn_is_recorded_while_the_secret_store_is_away_and_wrapped_afterwards(shop: Shop) -> None:
    away, kept = Away({}), shop.wrapping
    shop.wrapping = KeyWrapping(away, monotonic=lambda: 1000.0)
    shop.turn(ANA.model_copy(update={"id": 777}), 8, 81, "hola")
    shop.turn(ANA.model_copy(update={"id": 778}), 9, 82, "hola")
    assert away.asked == 1
    assert None in wrapped_by(shop)

    shop.wrapping = kept
    assert shop.wrapping.rewrap(shop.database, shop.tenant).rewrapped == 2
    assert None not in wrapped_by(shop)


def test_a_wrapping_key_that_is_none_stops_no_turn(shop: Shop) -> None:
    shop.secrets.values[shop.tenant.tenant_id, PATH] = "not a key"
    shop.turn(ANA.model_copy(update={"id": 779}), 8, 83, "hola")

    assert None in wrapped_by(shop)
    with pytest.raises(ConfigError) as refused:
        shop.wrapping.rewrap(shop.database, shop.tenant)
    assert refused.value.code == "secret_malformed"


def test_somebody_whose_key_cannot_be_opened_is_not_named_in_the_audit(shop: Shop) -> None:
    shop.secrets.values[shop.tenant.tenant_id, PATH] = Fernet.generate_key().decode()
    shop.turn(ANA, 1, 91, "¿siguen ahí?")

    (last,) = shop.ask("SELECT event FROM smos.audit_events ORDER BY position DESC LIMIT 1")
    assert last.event["details"][FIELD] is None
    assert opened({}, shop.keys()) is None


def test_a_person_who_writes_again_after_an_erasure_has_a_new_key(shop: Shop) -> None:
    ((first,),) = shop.ask("SELECT key_id FROM smos.contacts WHERE contact = '9:501'")
    shop.rights.erase(shop.tenant, phone(ANA.phone))
    shop.turn(ANA, 4, 14, "hola de nuevo")
    ((second,),) = shop.ask("SELECT key_id FROM smos.contacts WHERE contact = '9:501'")

    assert first != second
    assert shop.rights.export(shop.tenant, phone(ANA.phone)).counts["audit_events"] == 1
