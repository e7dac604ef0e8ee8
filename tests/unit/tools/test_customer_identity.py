"""Who may hear the details of a purchase."""

from __future__ import annotations

import pytest

from smarteros.domain.messages import Contact
from smarteros.tools.identity import WRONG_FACTS_COUNT_FOR_S, WrongFacts, e164, identity_of, is_same_person

PHONE, EMAIL = "+56912345678", "maria@example.cl"


@pytest.mark.parametrize("written", ["+56912345678", "9 1234 5678", "(+56) 9 1234-5678", "56912345678"])
def test_a_chilean_mobile_is_the_same_however_it_is_written(written: str) -> None:
    assert e164(written) == "+56912345678"
    assert identity_of(Contact(id=1, proven=PHONE), [written], []) == "verified"


def test_another_phone_is_another_person() -> None:
    assert identity_of(Contact(id=1, phone=PHONE, proven=PHONE), ["+56912345679"], [EMAIL]) == "unknown"


def test_emails_are_compared_without_case_and_inside_lists() -> None:
    contact = Contact(id=1, proven="Maria@Example.CL")
    assert is_same_person(contact, [], ["ventas@x.cl; María <maria@example.cl>"])
    assert not is_same_person(contact, [], ["amaria@example.cl"])


def test_what_a_visitor_says_of_himself_is_a_claim_and_no_proof() -> None:
    for contact in (Contact(id=1, phone=PHONE), Contact(id=1, email=EMAIL), Contact(id=1, phone=PHONE, email=EMAIL)):
        assert identity_of(contact, [PHONE], [EMAIL]) == "claimed"
        assert not is_same_person(contact, [PHONE], [EMAIL])


def test_a_proven_phone_of_another_person_does_not_make_a_claim_more() -> None:
    attacker = Contact(id=1, phone=PHONE, email=EMAIL, proven="+56999999999")
    assert identity_of(attacker, [PHONE], [EMAIL]) == "claimed"


def test_a_list_of_addresses_claims_to_be_nobody() -> None:
    assert identity_of(Contact(id=1, proven="evil@x.cl, maria@example.cl"), [], [EMAIL]) == "unknown"


@pytest.mark.parametrize("said", [None, "", "no tiene", "@", "+", "sin correo"])
def test_unknown_is_never_equal_to_unknown(said: str | None) -> None:
    contact = Contact(id=1, phone=said, email=said, proven=said)
    assert identity_of(contact, ["", "no tiene", "+"], ["", "sin correo", "@"]) == "unknown"


def test_facts_cannot_be_tried_until_one_is_right() -> None:
    now = 0.0
    wrong = WrongFacts(most=3, clock=lambda: now)
    for _ in range(3):
        assert not wrong.too_many("invoice")
        wrong.count("invoice")
    assert wrong.too_many("invoice")
    assert not wrong.too_many("another invoice")
    now = WRONG_FACTS_COUNT_FOR_S + 1
    assert not wrong.too_many("invoice")


def test_the_counts_of_many_records_do_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smarteros.tools.identity._MOST_RECORDS", 2)
    wrong = WrongFacts(most=1)
    for record in ("first", "second", "third"):
        wrong.count(record)
    assert [wrong.too_many(record) for record in ("first", "second", "third")] == [False, True, True]
