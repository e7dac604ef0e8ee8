"""Who may hear the details of an invoice."""

from __future__ import annotations

import pytest

from smarteros.domain.messages import Contact
from smarteros.tools.identity import e164, is_same_person


@pytest.mark.parametrize("written", ["+56912345678", "9 1234 5678", "(+56) 9 1234-5678", "56912345678"])
def test_a_chilean_mobile_is_the_same_however_it_is_written(written: str) -> None:
    assert e164(written) == "+56912345678"
    assert is_same_person(Contact(id=1, phone="+56912345678"), [written], [])


def test_another_phone_is_another_person() -> None:
    assert not is_same_person(Contact(id=1, phone="+56912345678"), ["+56912345679"], ["maria@example.cl"])


def test_emails_are_compared_without_case_and_inside_lists() -> None:
    contact = Contact(id=1, email="Maria@Example.CL")
    assert is_same_person(contact, [], ["ventas@x.cl; María <maria@example.cl>"])
    assert not is_same_person(contact, [], ["amaria@example.cl"])


def test_unknown_is_never_equal_to_unknown() -> None:
    assert not is_same_person(Contact(id=1), ["", "no tiene"], [""])
    assert not is_same_person(Contact(id=1, phone="", email=""), [""], ["", "sin correo"])
    assert not is_same_person(Contact(id=1, phone="no tiene"), ["no tiene"], [])
