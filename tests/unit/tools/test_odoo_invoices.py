"""Finding an invoice in Odoo, from a loopback server that answers as a real Odoo 19 did."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact
from smarteros.domain.tools import InvoiceLookup
from smarteros.kit.http import HttpClient
from smarteros.tools.inputs import InvoiceInput
from smarteros.tools.odoo.client import OdooClient
from smarteros.tools.odoo.customers import tier_of
from smarteros.tools.odoo.invoices import InvoiceFinder, InvoiceSearch, number_domain
from smarteros.tools.registry import ToolRun

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback, MemorySecrets, Request

API_KEY = "odoo_very_secret_key"
MOVE = {
    "id": 85,
    "name": "BEL 000001",
    "ref": "INV-2025-001",
    "payment_reference": "BEL 000001",
    "invoice_date": "2025-10-15",
    "partner_id": [52, "María González"],
    "commercial_partner_id": [52, "María González"],
    "amount_total": 39990.0,
    "currency_id": [45, "CLP"],
    "company_id": [4, "CL Company"],
}
PARTNER = {
    "id": 52,
    "name": "María González",
    "phone": "+56 9 1234 5678",
    "phone_sanitized": "+56912345678",
    "email": "maria@example.cl",
}
LINE = {"id": 202, "product_id": [57, "[ZRA-42] Zapatilla Running Azul"], "name": "x", "price_total": 39990.0}
PRODUCT = {"id": 57, "default_code": "ZRA-42", "name": "Zapatilla Running Azul"}


class SmallOdoo:
    """Answers by model and method; ``history`` are the counts of sales and refunds."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "account.move/search_read": [MOVE],
            "res.partner/read": [PARTNER],
            "account.move.line/search_read": [LINE],
            "product.product/read": [PRODUCT],
        }
        self.history = {"out_invoice": 3, "out_refund": 0}

    def __call__(self, request: Request) -> tuple[int, Any]:
        method = request.path.removeprefix("/json/2/")
        if method == "account.move/search_count":
            return 200, self.history[request.body["domain"][1][2]]
        return 200, self.answers[method]


@pytest.fixture
def odoo(server: Loopback) -> SmallOdoo:
    small = SmallOdoo()
    server.respond = small
    return small


@pytest.fixture
def finder(http: HttpClient, secrets: MemorySecrets) -> InvoiceFinder:
    return InvoiceFinder(
        InvoiceSearch(OdooClient(http, secrets)), lambda _scope: Policy(warranty_days=90, return_days=30)
    )


def find(
    finder: InvoiceFinder,
    run: ToolRun,
    number: str = "INV-2025-001",
    day: date | None = None,
    total: int | None = None,
) -> InvoiceLookup:
    return finder.run(InvoiceInput(invoice_number=number, purchase_date=day, total=total), run)


def as_contact(run: ToolRun, **contact: Any) -> ToolRun:
    """The same run for somebody else: what he is reached by is proven unless it is given by name."""
    proven = {"proven": contact.get("phone") or contact.get("email")}
    context = run.context.model_copy(update={"contact": Contact(id=1, **{**proven, **contact})})
    return ToolRun(run.tenant, context, run.deadline)


def methods(server: Loopback) -> list[str]:
    return [request.path.removeprefix("/json/2/") for request in server.requests]


def test_the_customer_hears_every_detail(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    found = find(finder, run)
    assert found.model_dump(mode="json") == {
        "found": True,
        "identity": "verified",
        "identity_verified": True,
        "second_fact_needed": False,
        "ambiguous": False,
        "invoice": {
            "number": "INV-2025-001",
            "date": "2025-10-15",
            "customer_name": "María González",
            "customer_phone": "+56912345678",
            "product_name": "Zapatilla Running Azul",
            "product_sku": "ZRA-42",
            "price": 39990,
            "currency": "CLP",
            "warranty_expiration": "2026-01-13",
            "warranty_status": "active",
            "legal_guarantee_until": "2026-04-15",
            "return_eligible": True,
            "return_deadline": "2025-11-14",
        },
        "customer_history": {"total_purchases": 3, "total_returns": 0, "customer_tier": "regular"},
    }


@pytest.mark.parametrize(
    "contact",
    [{"phone": "+56979540471"}, {"email": "otra@example.cl"}, {}, {"phone": "", "email": ""}],
    ids=["another phone", "another e-mail", "unknown", "blank"],
)
def test_a_stranger_hears_nothing_and_nothing_more_is_read(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo, server: Loopback, contact: dict[str, str]
) -> None:
    assert find(finder, as_contact(run, **contact)) == InvoiceLookup(found=True)
    assert methods(server) == ["account.move/search_read", "res.partner/read"]


def test_a_proven_email_alone_proves_who_asks(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    assert find(finder, as_contact(run, email="MARIA@example.cl")).identity_verified


def test_a_partner_without_phone_and_email_matches_nobody(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    odoo.answers["res.partner/read"] = [{**PARTNER, "phone": False, "phone_sanitized": False, "email": False}]
    assert find(finder, run) == InvoiceLookup(found=True)
    assert find(finder, as_contact(run)) == InvoiceLookup(found=True)


def test_an_unknown_number_is_not_found(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    odoo.answers["account.move/search_read"] = []
    assert find(finder, run) == InvoiceLookup()


def test_several_invoices_of_one_number_are_ambiguous_and_told_to_nobody(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo, server: Loopback
) -> None:
    odoo.answers["account.move/search_read"] = [MOVE, {**MOVE, "id": 99, "invoice_date": "2025-11-01"}]
    assert find(finder, run) == InvoiceLookup(found=True, ambiguous=True)
    assert methods(server) == ["account.move/search_read"]


def test_the_day_on_the_paper_tells_invoices_of_one_number_apart(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo
) -> None:
    odoo.answers["account.move/search_read"] = [MOVE, {**MOVE, "id": 99, "invoice_date": "2025-11-01"}]
    assert find(finder, run, day=date(2025, 10, 15)).invoice is not None
    assert find(finder, run, day=date(2020, 1, 1)).ambiguous


def test_a_misread_day_does_not_hide_the_only_invoice(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    assert find(finder, run, day=date(2020, 1, 1)).invoice is not None


def test_every_call_is_confined_to_the_company(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo, server: Loopback
) -> None:
    find(finder, run)
    assert len(server.requests) == 6
    for request in server.requests:
        assert request.body["context"] == {"allowed_company_ids": [4]}
        assert request.headers["authorization"] == f"bearer {API_KEY}"
        assert request.headers["x-odoo-database"] == "tienda_demo"


def test_an_invoice_of_another_company_is_not_found(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    odoo.answers["account.move/search_read"] = [{**MOVE, "company_id": [5, "Otra"]}]
    assert find(finder, run) == InvoiceLookup()


def test_without_a_company_nothing_is_asked(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo, server: Loopback
) -> None:
    tenant = run.tenant.model_copy(update={"odoo_company_id": None})
    with pytest.raises(ConfigError) as caught:
        find(finder, ToolRun(tenant, run.context, run.deadline))
    assert caught.value.code == "odoo_company_missing"
    assert server.requests == []


def test_without_a_stated_policy_no_date_is_invented(
    http: HttpClient, secrets: MemorySecrets, run: ToolRun, odoo: SmallOdoo
) -> None:
    finder = InvoiceFinder(InvoiceSearch(OdooClient(http, secrets)), lambda _scope: Policy(warranty_days=90))
    with pytest.raises(ConfigError) as caught:
        find(finder, run)
    assert caught.value.code == "policy_missing"


def test_a_long_invoice_names_its_dearest_products_and_its_total(
    finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo
) -> None:
    lines = [
        {"id": 1, "product_id": False, "name": "Despacho", "price_total": 3000.0},
        {"id": 2, "product_id": [57, "x"], "name": "x", "price_total": 39990.0},
    ]
    odoo.answers["account.move.line/search_read"] = lines
    odoo.answers["account.move/search_read"] = [{**MOVE, "amount_total": 42990.0}]
    invoice = find(finder, run).invoice
    assert invoice is not None
    assert (invoice.product_name, invoice.product_sku, invoice.price) == (
        "Zapatilla Running Azul, Despacho",
        None,
        42990,
    )


@pytest.mark.parametrize(
    ("printed", "named"),
    [
        ("ZAPAT RUN AZ 42", "Zapatilla Running Azul"),
        ("BOTA TREK ACONC", "Bota Trekking Aconcagua"),
        ("CALCETIN LANA", "Bota Trekking Aconcagua, Zapatilla Running Azul"),
        (None, "Bota Trekking Aconcagua, Zapatilla Running Azul"),
    ],
)
def test_the_words_on_the_paper_tell_which_line_of_a_long_invoice_is_meant(
    printed: str | None, named: str, finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo
) -> None:
    odoo.answers["account.move.line/search_read"] = [
        {"id": 1, "product_id": False, "name": "Bota Trekking Aconcagua", "price_total": 89990.0},
        {"id": 2, "product_id": [57, "x"], "name": "x", "price_total": 39990.0},
    ]
    found = finder.run(InvoiceInput(invoice_number="INV-2025-001", product_name=printed), run)
    assert found.invoice is not None
    assert found.invoice.product_name == named


def test_a_category_with_a_policy_of_its_own_has_its_own_dates(
    http: HttpClient, secrets: MemorySecrets, run: ToolRun, odoo: SmallOdoo
) -> None:
    policy = Policy.of_facts({"warranty_days": 90, "return_days": 30, "zapatillas_warranty_days": 365})
    finder = InvoiceFinder(InvoiceSearch(OdooClient(http, secrets)), lambda _scope: policy)
    invoice = find(finder, run).invoice
    assert invoice is not None
    assert invoice.warranty_expiration == date(2026, 10, 15)
    assert invoice.return_deadline == date(2025, 11, 14)


@pytest.mark.parametrize(
    ("purchases", "tier"), [(0, "new"), (1, "new"), (2, "regular"), (9, "regular"), (10, "frequent")]
)
def test_tiers_follow_the_number_of_purchases(purchases: int, tier: str) -> None:
    assert tier_of(purchases, Policy()) == tier


def test_a_shop_sets_its_own_tiers() -> None:
    policy = Policy.of_facts({"regular_from_purchases": 4, "frequent_from_purchases": 5, "warranty_days": 90})
    assert [tier_of(purchases, policy) for purchases in (3, 4, 5)] == ["new", "regular", "frequent"]


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


DEBUG = "Traceback (most recent call last): secret_of_the_server"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}, ConfigError, "access_refused"),
        (403, {"name": "odoo.exceptions.AccessError", "message": "no"}, ConfigError, "access_refused"),
        (404, {"name": "werkzeug.exceptions.NotFound", "message": "no model"}, PermanentError, "request_refused"),
        (422, {"name": "odoo.exceptions.UserError", "message": "no"}, PermanentError, "request_refused"),
        (500, {"name": "builtins.ValueError", "message": "Invalid field"}, PermanentError, "request_refused"),
        (500, {"name": "psycopg2.errors.SerializationFailure", "message": "again"}, TransientError, "unavailable"),
        (503, {}, TransientError, "unavailable"),
        (200, {"not": "a list"}, PermanentError, "answer_unreadable"),
        (200, [{"id": 1}], PermanentError, "answer_unreadable"),
    ],
)
def test_every_fault_is_sorted_without_traceback_and_key(
    finder: InvoiceFinder,
    run: ToolRun,
    server: Loopback,
    status: int,
    body: Any,
    kind: type[SmosError],
    code: str,
) -> None:
    server.respond = lambda _: (status, {**body, "debug": DEBUG} if status != 200 else body)
    with pytest.raises(kind) as caught:
        find(finder, run)
    assert caught.value.code == f"odoo_{code}"
    said = f"{caught.value!r} {caught.value.operator_message} {caught.value.__cause__!r}"
    assert API_KEY not in said
    assert "secret_of_the_server" not in said


@pytest.mark.parametrize("url", ["ftp://x", "https://", "https://u:p@odoo.cl", "https://odoo.cl/?db=x", "odoo.cl"])
def test_an_instance_url_that_is_not_plain_is_refused(
    finder: InvoiceFinder, run: ToolRun, secrets: MemorySecrets, url: str
) -> None:
    secrets.write(run.tenant.scope, "odoo/instance_url", url)
    with pytest.raises(ConfigError) as caught:
        find(finder, run)
    assert caught.value.code == "secret_malformed"


def test_the_recorded_answers_of_a_real_odoo_give_the_invoice(
    finder: InvoiceFinder, run: ToolRun, server: Loopback, shared_dir: Path
) -> None:
    recordings = json.loads((shared_dir / "data" / "odoo_json2_recordings.json").read_text("utf-8"))

    def replay(request: Request) -> tuple[int, Any]:
        for recording in recordings:
            asked = recording["request"]
            same = all(asked.get(key) == request.body.get(key) for key in ("domain", "ids", "context"))
            if recording["path"] == request.path and same:
                return recording["status"], recording["response"]
        return 404, {"name": "not recorded"}

    server.respond = replay
    found = find(finder, run)
    assert found.identity_verified
    assert found.invoice is not None
    assert (found.invoice.product_sku, found.invoice.price) == ("ZRA-42", 39990)
    assert found.customer_history is not None
    assert found.customer_history.customer_tier == "new"
