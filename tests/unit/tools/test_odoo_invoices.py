"""Finding an invoice in Odoo, from a loopback server that answers as a real Odoo 19 did."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.tools.small_odoo import MOVE, PARTNER, SmallOdoo, as_contact, find, methods

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.knowledge import Policy
from smarteros.domain.tools import InvoiceLookup
from smarteros.kit.http import HttpClient
from smarteros.tools.inputs import InvoiceInput
from smarteros.tools.odoo.client import OdooClient
from smarteros.tools.odoo.customers import tier_of
from smarteros.tools.odoo.invoices import InvoiceFinder, InvoiceSearch
from smarteros.tools.registry import ToolRun

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback, MemorySecrets, Request

API_KEY = "odoo_very_secret_key"


def test_the_customer_hears_every_detail(finder: InvoiceFinder, run: ToolRun, odoo: SmallOdoo) -> None:
    found = find(finder, run)
    assert found.model_dump(mode="json") == {
        "found": True,
        "identity": "verified",
        "identity_verified": True,
        "second_fact_needed": False,
        "ambiguous": False,
        "invoice": {
            "record_id": 85,
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
