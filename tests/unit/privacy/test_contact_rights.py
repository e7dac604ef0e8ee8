"""What a person may ask of a shop: to see what it holds of him, and that it be gone, provably."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support import MemorySecrets, heard

from smarteros.domain.audit import AuditEvent
from smarteros.domain.decisions import Decision, Entities
from smarteros.domain.errors import PermanentError, RejectedInputError
from smarteros.domain.gaps import Gap
from smarteros.domain.ids import turn_id
from smarteros.domain.messages import Contact, IncomingMessage, OutgoingReply
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import TurnRecord, TurnStart
from smarteros.flow.lanes import PLACES
from smarteros.kit.clock import FixedClock
from smarteros.privacy import subject
from smarteros.privacy.contacts import KnownBy, known_by
from smarteros.privacy.holdings import HOLDINGS, WITHOUT_PERSONAL_DATA, Holding
from smarteros.privacy.retention import Retention
from smarteros.privacy.sealing import FIELD, opened, sealed_contact
from smarteros.privacy.subject import PersonalData
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.store.audit import append_event
from smarteros.store.claims import claim_document
from smarteros.store.contacts import ContactKey
from smarteros.store.database import Database
from smarteros.store.events import store_event
from smarteros.store.gaps import list_gaps, note_gap
from smarteros.store.queue import enqueue_turn
from smarteros.store.reconcile import received_message_ids
from smarteros.store.turns import intend_reply, remembered, save_dialogue, save_turn
from smarteros.tools.stored_cache import PostgresToolCache

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANA = Contact(id=501, name="Ana Rojas Canario", phone="+56979540471", email="Ana@Canario.cl")
BRUNO = Contact(id=502, name="Bruno Soto", phone="+56911112222")
_shops = itertools.count(1)


class Shop:
    """One tenant and what its customers have written."""

    def __init__(self, database: Database) -> None:
        number = next(_shops)
        self.database = database
        self.tenant = Tenant(
            tenant_id=f"RIGHTS_{number}",
            name="Tienda Derechos",
            rut="76123456-0",
            tenant_key=f"{number:r>24}",
            chatwoot_url="https://chat.example",
            chatwoot_account_ids=(9,),
        )
        self.secrets = MemorySecrets({})
        self.wrapping = KeyWrapping(self.secrets)
        self.rights = PersonalData(database, FixedClock(NOW), self.wrapping)

    def transaction(self) -> Any:
        return self.database.tenant(self.tenant.scope)

    def message(self, contact: Contact, conversation_id: int, message_id: int, text: str) -> IncomingMessage:
        return IncomingMessage(
            id=message_id,
            tenant_id=self.tenant.tenant_id,
            account_id=9,
            conversation_id=conversation_id,
            inbox_id=7,
            channel="whatsapp",
            contact=contact,
            text=text,
            created_at=NOW,
        )

    def turn(self, contact: Contact, conversation_id: int, message_id: int, text: str) -> None:
        """A whole turn as its steps leave it in the tables."""
        tenant_id, message = self.tenant.tenant_id, self.message(contact, conversation_id, message_id, text)
        own_id = turn_id(tenant_id, conversation_id, message_id)
        reply = OutgoingReply(reply_id=own_id, conversation_id=conversation_id, account_id=9, text=f"sobre {text}")
        decision = Decision(
            intent="faq_hours", confidence=0.9, route="kb_direct", entities=Entities(phone=contact.phone)
        )
        record = TurnRecord(
            turn_id=own_id,
            tenant_id=tenant_id,
            flow_id="e2e_faq_quick",
            conversation_id=conversation_id,
            message_id=message_id,
            received_at=NOW,
            finished_at=NOW,
            outcome="answered",
            decision=decision,
            reply_text=reply.text,
        )
        with self.transaction() as connection:
            store_event(connection, heard(message))
            save_turn(connection, record)
            intend_reply(connection, tenant_id, own_id, reply)
            save_dialogue(connection, tenant_id, conversation_id, record.state, (text,))
            claim_document(connection, message, f"{contact.id}-33-1")
            person = sealed_contact(connection, self.tenant.scope, message, self.wrapping, opted_out=False)
            append_event(connection, self.event(own_id, conversation_id, {FIELD: person}))
            for statement in (
                "INSERT INTO smos.turn_inputs (turn_id, tenant_id, inputs, kb_facts, kb_revision)"
                " VALUES (:turn_id, :tenant_id, jsonb_build_object('text', CAST(:text AS text)), '[]', 0)",
                "INSERT INTO smos.llm_calls (tenant_id, conversation_id, message_id, request_hash, call, called_at)"
                " VALUES (:tenant_id, :conversation_id, :message_id, 'h', '{}', now())",
            ):
                ids = {"turn_id": own_id, "tenant_id": tenant_id, "text": text}
                connection.execute(
                    sa.text(statement), ids | {"conversation_id": conversation_id, "message_id": message_id}
                )

    def event(self, event_id: str, conversation_id: int, details: dict[str, Any]) -> AuditEvent:
        return AuditEvent(
            event_id=event_id,
            topic="smarteros.audit.faq",
            kind="turn",
            tenant_id=self.tenant.tenant_id,
            conversation_id=conversation_id,
            timestamp=NOW,
            details=details,
        )

    def ask(self, statement: str, **values: Any) -> list[Any]:
        with self.transaction() as connection:
            return list(connection.execute(sa.text(statement), values).all())

    def keys(self) -> dict[str, bytes]:
        """The keys of all contacts, opened with what the secret store has."""
        held = self.ask("SELECT key, key_id, wrapped_by FROM smos.contacts WHERE key IS NOT NULL")
        scope = self.tenant.scope
        return {row.key_id: key for row in held if (key := self.wrapping.opened(scope, ContactKey(*row)))}

    def everything(self) -> str:
        """All rows of the tenant in all tables, as text, without the bookkeeping of what is published."""
        tables = self.ask("SELECT table_name FROM information_schema.columns WHERE table_schema = 'smos'"
                          " AND column_name = 'tenant_id' AND table_name <> 'tenants'")  # fmt: skip
        kept = [self.ask(f"SELECT t::text FROM smos.{name} t") for (name,) in tables]
        return "\n".join(row[0] for rows in kept for row in rows)


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    shop = Shop(database)
    shop.turn(ANA, 1, 11, "¿a qué hora abren? soy Ana, 12.345.678-5")
    shop.turn(ANA, 2, 12, "¿y los domingos?")
    shop.turn(BRUNO, 3, 13, "¿despachan a Arica?")
    yield shop


def phone(number: str | None) -> KnownBy:
    return known_by(phone=number)


@pytest.mark.parametrize(
    "name",
    [
        {"phone": "9 7954 0471"}, {"phone": "+56979540471"}, {"email": "ANA@canario.cl"}, {"rut": "12345678-5"},
        {"chatwoot_id": 501},
    ],
)  # fmt: skip
def test_a_person_is_found_by_any_name_and_told_everything(shop: Shop, name: dict[str, Any]) -> None:
    dossier = shop.rights.export(shop.tenant, known_by(**name))

    assert dossier.contacts == ("9:501",)
    assert dossier.counts == {
        "received_events": 2, "turn_inputs": 2, "turns": 2, "replies": 2, "conversations": 2, "llm_calls": 2,
        "document_claims": 1, "audit_events": 2,
    }  # fmt: skip
    assert dossier.rows["audit_events"][0]["details"][FIELD]["name"] == ANA.name
    assert "Arica" not in json.dumps(dossier.model_dump(mode="json"), ensure_ascii=False)


def test_after_an_erasure_nothing_is_left_and_there_is_a_proof(shop: Shop) -> None:
    assert "Canario" in shop.everything()
    proof = shop.rights.erase(shop.tenant, phone(ANA.phone))
    assert proof is not None
    dossier = shop.rights.export(shop.tenant, phone(ANA.phone))

    assert (dossier.contacts, dossier.counts) == ((), {})
    assert dossier.erasures == (proof,)
    assert (proof.rows["turns"], proof.rows["received_events"], len(proof.keys), proof.sealed_events) == (2, 2, 1, 2)
    left = shop.everything()
    for trace in ("Canario", "canario.cl", "979540471", "12.345.678-5", "a qué hora abren", "los domingos"):
        assert trace not in left
    assert "¿despachan a Arica?" in left
    assert shop.rights.export(shop.tenant, phone(BRUNO.phone)).counts["turns"] == 1


@pytest.mark.parametrize("name", [{"email": "ana@canario.cl"}, {"chatwoot_id": 501}])
def test_the_proof_is_found_by_every_name_of_the_person_and_by_no_other(shop: Shop, name: dict[str, Any]) -> None:
    proof = shop.rights.erase(shop.tenant, phone(ANA.phone))

    assert shop.rights.export(shop.tenant, known_by(**name)).erasures == (proof,)
    assert shop.rights.export(shop.tenant, phone("+56900000001")).erasures == ()
    assert shop.rights.erase(shop.tenant, known_by(**name)) is None


def test_the_audit_keeps_every_row_and_hash_while_its_personal_part_can_no_longer_be_read(shop: Shop) -> None:
    rows = "SELECT position, event, previous_hash, hash FROM smos.audit_events WHERE position <= 3 ORDER BY position"
    before = shop.ask(rows)
    sealed = before[0].event["details"][FIELD]
    keys = shop.keys()
    readable = opened(sealed, keys)
    shop.rights.erase(shop.tenant, phone(ANA.phone))

    assert readable is not None
    assert readable["phone"] == ANA.phone
    assert shop.ask(rows) == before
    assert shop.keys().keys() == keys.keys() - {sealed["key"]}
    assert opened(sealed, shop.keys()) is None


def test_a_message_that_was_erased_is_not_taken_for_a_lost_one(shop: Shop) -> None:
    shop.rights.erase(shop.tenant, phone(ANA.phone))

    with shop.transaction() as connection:
        assert received_message_ids(connection, shop.tenant.tenant_id, 9, [11, 12, 99]) == {11, 12}


def test_a_turn_that_waits_is_erased_with_its_words(shop: Shop) -> None:
    start = TurnStart(
        turn_id=turn_id(shop.tenant.tenant_id, 1, 15),
        tenant_id=shop.tenant.tenant_id,
        account_id=9,
        conversation_id=1,
        message_id=15,
        received_at=NOW,
    )
    with shop.transaction() as connection:
        enqueue_turn(connection, start, PLACES["quick"])
    proof = shop.rights.erase(shop.tenant, phone(ANA.phone))

    assert proof is not None
    assert proof.rows["waiting_turns"] == 1
    assert shop.ask("SELECT 1 FROM smos.waiting_turns WHERE tenant_id = :t", t=shop.tenant.tenant_id) == []


def test_questions_and_examples_that_were_his_words_go_and_others_stay(shop: Shop) -> None:
    shop.turn(ANA, 1, 16, "llámame al +56979540471 por el dron")
    for example in ("llámame al [PHONE_1] por el dron", "¿mandan por barco?"):
        with shop.transaction() as connection:
            gap = Gap(pattern=example, example=example, reason="not_in_kb", intent="faq_shipping", confidence=0.9)
            note_gap(connection, shop.tenant.tenant_id, gap, NOW)
    examples = [{"text": text, "intent": "faq_hours"} for text in ("¿y los domingos?", "¿a qué hora cierran?")]
    version = "INSERT INTO smos.agent_models (tenant_id, version, examples, report)"
    values = {"t": shop.tenant.tenant_id, "e": json.dumps(examples)}
    shop.ask(f"{version} VALUES (:t, 1, CAST(:e AS jsonb), '{{}}') RETURNING 1", **values)
    shop.ask("INSERT INTO smos.agent_active_models VALUES (:t, 1, 7) RETURNING 1", t=shop.tenant.tenant_id)
    told = shop.rights.export(shop.tenant, phone(ANA.phone)).counts
    proof = shop.rights.erase(shop.tenant, phone(ANA.phone))

    assert proof is not None
    assert (told["kb_gaps"], told["agent_models"]) == (1, 1)
    assert (proof.rows["kb_gaps"], proof.rows["agent_models"]) == (1, 1)
    with shop.transaction() as connection:
        assert [gap.example for gap in list_gaps(connection, shop.tenant.tenant_id)] == ["¿mandan por barco?"]
    assert shop.ask(
        "SELECT examples, revision FROM smos.agent_models JOIN smos.agent_active_models USING (tenant_id)"
    ) == [([examples[1]], 8)]


def test_an_erasure_that_would_leave_something_erases_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tuple(
        Holding("replies", "text", "intended_at", blank="text = 'x'") if each.table == "replies" else each
        for each in HOLDINGS
    )
    monkeypatch.setattr(subject, "HOLDINGS", broken)
    before = shop.everything()

    with pytest.raises(PermanentError, match="replies"):
        shop.rights.erase(shop.tenant, phone(ANA.phone))
    assert shop.everything() == before


def test_a_shop_neither_sees_nor_erases_the_customers_of_another(shop: Shop, database: Database) -> None:
    other = Shop(database)
    other.turn(ANA, 1, 21, "hola")
    other.rights.erase(other.tenant, phone(ANA.phone))

    assert shop.rights.export(shop.tenant, phone(ANA.phone)).counts["turns"] == 2
    assert shop.rights.export(shop.tenant, phone(ANA.phone)).erasures == ()


def test_a_block_outlives_the_erasure_without_a_key(shop: Shop) -> None:
    shop.rights.block(shop.tenant, phone(ANA.phone))
    shop.rights.erase(shop.tenant, phone(ANA.phone))

    assert shop.ask("SELECT blocked_by, key FROM smos.contacts WHERE contact = '9:501'") == [("shop", None)]
    assert shop.rights.export(shop.tenant, known_by(chatwoot_id=501)).blocked


def test_somebody_who_never_wrote_is_blocked_by_his_chatwoot_id_only(shop: Shop) -> None:
    assert shop.rights.block(shop.tenant, known_by(chatwoot_id=777)) == 1
    with pytest.raises(RejectedInputError, match="Chatwoot id"):
        shop.rights.block(shop.tenant, phone("+56900000001"))


def test_a_rut_that_several_have_written_names_nobody(shop: Shop) -> None:
    shop.turn(BRUNO, 3, 17, "la factura es del 12345678-5")

    with pytest.raises(RejectedInputError, match="501, 502"):
        shop.rights.erase(shop.tenant, known_by(rut="12.345.678-5"))


@pytest.mark.parametrize(
    "name",
    [{}, {"phone": "x"}, {"email": "@"}, {"rut": "1-1"}, {"chatwoot_id": 0}, {"phone": "+56979540471", "rut": "1-9"}],
)
def test_what_is_no_name_of_a_person_is_refused(name: dict[str, Any]) -> None:
    with pytest.raises(RejectedInputError):
        known_by(**name)


def test_ten_thousand_messages_are_erased_and_the_neighbour_stays(shop: Shop) -> None:
    """How long it takes is measured elsewhere (docs/privacy.md); here it is one transaction over many rows."""
    tenant_id = shop.tenant.tenant_id
    with shop.transaction() as connection:
        for statement in BULK:
            connection.execute(sa.text(statement), {"tenant_id": tenant_id, "most": 10_000})
    proof = shop.rights.erase(shop.tenant, phone(ANA.phone))

    assert proof is not None
    assert [proof.rows[table] for table in ("received_events", "turns", "replies")] == [10_002] * 3
    assert shop.ask("SELECT count(*) FROM smos.turns WHERE tenant_id = :t", t=tenant_id) == [(1,)]


# Ana's turn 11 of conversation 1, many times over.
BULK = (
    "INSERT INTO smos.received_events (tenant_id, event_key, event, conversation_id, message_id, message)"
    " SELECT tenant_id, 'bulk-' || n, event, conversation_id, 100000 + n, jsonb_set(message, '{text}',"
    " to_jsonb('pregunta número ' || n)) FROM smos.received_events, generate_series(1, :most) n"
    " WHERE tenant_id = :tenant_id AND message_id = 11",
    "INSERT INTO smos.turns (turn_id, tenant_id, conversation_id, message_id, flow_id, outcome, record, received_at)"
    " SELECT turn_id || '-' || n, tenant_id, conversation_id, 100000 + n, flow_id, outcome, record, received_at"
    " FROM smos.turns, generate_series(1, :most) n WHERE tenant_id = :tenant_id AND message_id = 11",
    "INSERT INTO smos.replies (reply_id, tenant_id, turn_id, conversation_id, text)"
    " SELECT reply_id || '-' || n, tenant_id, turn_id || '-' || n, conversation_id, text"
    " FROM smos.replies, generate_series(1, :most) n WHERE tenant_id = :tenant_id AND right(turn_id, 3) = '011'",
)


def test_what_is_older_than_the_shop_keeps_is_swept_and_the_rest_stays(shop: Shop) -> None:
    kept = Retention(shop.database, FixedClock(NOW + timedelta(days=300)), most=1)
    limited = shop.tenant.model_copy(update={"retention_days": 90})
    shop.ask(
        "UPDATE smos.received_events SET received_at = now() + interval '10 years' WHERE message_id = 13 RETURNING 1"
    )

    assert kept.sweep(shop.tenant) == {}
    removed = kept.sweep(limited)

    assert (removed["received_events"], removed["turns"], removed["replies"], removed["contacts"]) == (2, 3, 3, 2)
    left = shop.everything()
    assert "a qué hora abren" not in left
    assert "Arica" in left
    assert shop.ask("SELECT count(key) FROM smos.contacts WHERE tenant_id = :t", t=shop.tenant.tenant_id) == [(0,)]
    assert kept.sweep(limited) == {}


def test_an_answer_of_a_tool_goes_when_it_can_stand_in_for_nothing_any_more(shop: Shop) -> None:
    cache = PostgresToolCache(shop.database)
    for key, age in (("old", 25), ("young", 23)):
        cache.put(shop.tenant.scope, key, {"order": "1001"}, NOW - timedelta(hours=age))
    removed = Retention(shop.database, FixedClock(NOW)).sweep(shop.tenant)

    assert removed == {"tool_cache": 1}
    assert cache.latest(shop.tenant.scope, "old", NOW - timedelta(days=9)) is None
    assert cache.latest(shop.tenant.scope, "young", NOW - timedelta(days=9)) is not None


def test_a_sweep_leaves_who_leads_a_conversation(shop: Shop) -> None:
    shop.ask("UPDATE smos.conversations SET muted_reason = 'human_reply' WHERE conversation_id = 1 RETURNING 1")
    Retention(shop.database, FixedClock(NOW + timedelta(days=300))).sweep(
        shop.tenant.model_copy(update={"retention_days": 90})
    )

    with shop.transaction() as connection:
        known = remembered(connection, shop.tenant.tenant_id, 1)
    assert (known.muted_reason, known.history) == ("human_reply", ())


def test_every_table_of_a_conversation_is_erased_or_says_why_not(shop: Shop) -> None:
    bound = shop.ask("SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'smos'"
                     " AND column_name IN ('conversation_id', 'turn_id', 'contact', 'customer')")  # fmt: skip
    own = {"contacts"}  # the keys themselves

    assert {name for (name,) in bound} == {each.table for each in HOLDINGS} | set(WITHOUT_PERSONAL_DATA) | own
