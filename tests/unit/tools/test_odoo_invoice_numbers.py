"""Whose invoice it is and which number it has: second facts, and numbers as customers and scanners write them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.tools.small_odoo import MOVE, SmallOdoo, as_contact, find, methods

from smarteros.domain.tools import InvoiceLookup
from smarteros.tools.inputs import InvoiceInput
from smarteros.tools.odoo.invoices import InvoiceFinder, number_domain
from smarteros.tools.registry import ToolRun

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback


WEB = {"email": "maria@example.cl", "proven": None}


def test_who_only_claims_to_be_the_customer_is_asked_for_a_second_fact(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo, server: Loopback
) -> None:
    found = find(finder, as_contact(run, **WEB))
    assert found == InvoiceLookup(found=True, identity="claimed", second_fact_needed=True)
    assert methods(server) == ["account.move/search_read", "res.partner/read"]


@pytest.mark.parametrize("fact", [{"total": 39990}, {"day": date(2025, 10, 15)}], ids=["total", "day"])
def test_a_right_second_fact_opens_this_invoice_and_nothing_of_the_person(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo, fact: dict[str, Any]
) -> None:
    found = find(finder, as_contact(run, **WEB), **fact)
    assert (found.identity, found.identity_verified, found.customer_history) == ("claimed", True, None)
    assert found.invoice is not None
    assert found.invoice.product_name == "Zapatilla Running Azul"
    assert (found.invoice.customer_name, found.invoice.customer_phone) == (None, None)


def test_of_two_facts_named_at_once_both_must_be_right(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    found = find(finder, as_contact(run, **WEB), day=date(2025, 10, 15), total=1)
    assert (found.invoice, found.second_fact_needed) == (None, True)


def test_the_total_is_not_found_by_trying(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    attacker = as_contact(run, **WEB)
    answers = [find(finder, attacker, total=price) for price in (9990, 19990, 29990)]
    assert [answer.second_fact_needed for answer in answers] == [True, True, False]
    right = find(finder, attacker, total=39990)
    assert (right.invoice, right.identity_verified, right.second_fact_needed) == (None, False, False)
    assert find(finder, run).invoice is not None, "whom the channel vouches for needs no second fact"


def test_several_invoices_of_one_number_are_no_way_to_try_more_totals(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo
) -> None:
    odoo.answers["account.move/search_read"] = [MOVE, {**MOVE, "id": 99, "amount_total": 59980.0}]
    attacker = as_contact(run, **WEB)
    for number, price in (("1", 9990), ("01", 19990), ("0001", 29990)):
        assert find(finder, attacker, number=number, total=price).ambiguous
    right = find(finder, attacker, number="1", total=39990)
    assert (right.invoice, right.second_fact_needed) == (None, False)


def test_a_right_fact_does_not_help_who_is_not_even_claimed_to_be_the_customer(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo
) -> None:
    stranger = as_contact(run, phone="+56979540471")
    assert find(finder, stranger, day=date(2025, 10, 15), total=39990) == InvoiceLookup(found=True)


def test_type_and_total_tell_invoices_of_one_number_apart(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    factura = {**MOVE, "id": 99, "name": "FAC 000001", "amount_total": 59980.0}
    odoo.answers["account.move/search_read"] = [MOVE, factura]
    for named in ({"document_type": "Factura"}, {"total": "59980"}):
        found = finder.run(InvoiceInput(invoice_number="1", **named), run)
        assert found.invoice is not None
        assert (found.invoice.number, found.invoice.price) == ("FAC 000001", 59980)


@pytest.mark.parametrize("number", ["%", "_", "INV-%", "\\%", "INV_2025"])
def test_wildcards_in_a_number_are_only_characters(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo, server: Loopback, number: str
) -> None:
    find(finder, run, number=number)
    ref = next(leaf for leaf in server.requests[0].body["domain"] if leaf[0] == "ref")
    assert like(ref[2], number)
    assert not like(ref[2], "INV-2025-001")


@given(number=st.text(min_size=1, max_size=20), other=st.text(min_size=1, max_size=20))
def test_a_number_matches_itself_and_nothing_else(number: str, other: str) -> None:
    pattern = next(leaf for leaf in number_domain(number) if leaf[0] == "ref")[2]
    assert like(pattern, number)
    assert like(pattern, other) == (number.casefold() == other.casefold())


def like(pattern: str, text: str) -> bool:
    """PostgreSQL's ILIKE, for a pattern whose every wildcard must be escaped."""
    plain: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character in "%_":
            return True
        plain.append(next(characters) if character == "\\" else character)
    return "".join(plain).casefold() == text.casefold()


def test_a_folio_is_found_with_and_without_its_zeros_and_label() -> None:
    leaves = [leaf for leaf in number_domain("123") if isinstance(leaf, list)]
    assert ["name", "=ilike", "% 123"] in leaves
    assert ["name", "=ilike", "% 000123"] in leaves
    assert number_domain("123").count("|") == 4


def test_the_label_before_a_number_is_not_part_of_it(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo, server: Loopback
) -> None:
    for number in ("N° INV-2025-001", "Número: INV-2025-001", "nº INV-2025-001"):
        find(finder, run, number=number)
        assert ["ref", "=ilike", "INV-2025-001"] in server.requests[-6].body["domain"]
