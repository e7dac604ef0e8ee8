"""The stand-in Odoo over HTTP: searches, errors, companies, history, faults."""

from __future__ import annotations

from typing import Any

import pytest

from smarteros_sandbox.odoo import create_odoo_app

from .shops_stand import CLOTHES, DEMO, Stand

MOVES, PARTNERS, PRODUCTS = "account.move", "res.partner", "product.product"
FREE_NUMBER: list[Any] = [
    *("&", "&", ["move_type", "=", "out_invoice"], ["state", "=", "posted"], "|", "|", "|"),
    *(["name", "=ilike", "{n}"], ["ref", "=ilike", "{n}"], ["payment_reference", "=ilike", "{n}"]),
    ["name", "=ilike", "% {n}"],
]


@pytest.fixture
def stand() -> Stand:
    return Stand(create_odoo_app)


def ask(stand: Stand, model: str, method: str, *, shop: int = DEMO, key: str | None = None, **body: Any) -> Any:
    token = stand.shops[shop].spec.odoo_api_key if key is None else key
    return stand.post(f"/json/2/{model}/{method}", body, Authorization=f"Bearer {token}")


def names(stand: Stand, domain: list[Any], **more: Any) -> list[str]:
    answer = ask(stand, MOVES, "search_read", domain=domain, fields=["name"], **more)
    assert answer.status_code == 200, answer.json()
    return [move["name"] for move in answer.json()]


def free_number(number: str) -> list[Any]:
    return [
        [term[0], term[1], term[2].format(n=number)] if isinstance(term, list) and "{n}" in str(term[2]) else term
        for term in FREE_NUMBER
    ]


@pytest.mark.parametrize("number", ["INV-2025-001", "inv-2025-001", "BEL 000001", "000001"])
def test_a_free_number_finds_the_invoice(stand: Stand, number: str):
    assert names(stand, free_number(number)) == ["BEL 000001"]


def test_a_factura_by_folio_and_type(stand: Stand):
    domain = [["name", "=ilike", "% 000123"], ["l10n_latam_document_type_id.code", "in", ["33"]]]
    assert names(stand, domain) == ["FAC 000123"]


def test_wildcards_of_the_customer_can_be_escaped(stand: Stand):
    assert names(stand, free_number("INV-2025-00_")) == ["BEL 000001"]
    assert names(stand, free_number(r"INV-2025-00\_")) == []


def test_an_invoice_that_is_not_in_odoo(stand: Stand):
    assert names(stand, free_number("INV-2026-999")) == []


def test_the_same_number_in_two_shops_stays_apart(stand: Stand):
    fields = ["partner_id", "amount_total", "company_id"]
    body = {"domain": free_number("INV-2025-001"), "fields": fields}
    demo = ask(stand, MOVES, "search_read", **body).json()
    clothes = ask(stand, MOVES, "search_read", shop=CLOTHES, **body).json()
    assert [move["partner_id"][1] for move in (*demo, *clothes)] == ["María González", "Valentina Castro"]
    assert [move["company_id"][0] for move in (*demo, *clothes)] == [4, 6]


def test_another_company_shows_nothing(stand: Stand):
    assert names(stand, [], context={"allowed_company_ids": [6]}) == []
    partners = ask(stand, PARTNERS, "search_count", domain=[], context={"allowed_company_ids": [6]})
    assert partners.json() == len(stand.shops[DEMO].partners), "partners belong to no company"


@pytest.mark.parametrize(("partner", "purchases", "returns"), [(52, 3, 0), (54, 6, 1), (56, 12, 2), (53, 1, 0)])
def test_history_is_countable(stand: Stand, partner: int, purchases: int, returns: int):
    for move_type, expected in (("out_invoice", purchases), ("out_refund", returns)):
        domain = [["commercial_partner_id", "=", partner], ["move_type", "=", move_type], ["state", "=", "posted"]]
        assert ask(stand, MOVES, "search_count", domain=domain).json() == expected


def test_a_return_points_to_its_purchase(stand: Stand):
    refund = ask(stand, MOVES, "search_read", domain=[["move_type", "=", "out_refund"]], fields=[], limit=1).json()[0]
    bought = ask(stand, MOVES, "read", ids=[refund["reversed_entry_id"][0]], fields=["reversal_move_ids"]).json()[0]
    assert bought["reversal_move_ids"] == [refund["id"]]


def test_lines_lead_to_the_sku(stand: Stand):
    lines = ask(stand, "account.move.line", "search_read", domain=[["move_id", "=", 90]], fields=["product_id"]).json()
    product = ask(stand, PRODUCTS, "read", ids=[lines[0]["product_id"][0]], fields=["default_code"]).json()
    assert product[0]["default_code"] == "SLV-CAF-39"


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (["!", ["move_type", "=", "out_invoice"]], {"out_refund"}),
        (["|", ["move_type", "=", "out_refund"], ["move_type", "=", "out_invoice"]], {"out_refund", "out_invoice"}),
        ([["move_type", "in", ["out_refund"]]], {"out_refund"}),
        ([["move_type", "not in", ["out_refund"]]], {"out_invoice"}),
        ([["move_type", "!=", "out_refund"]], {"out_invoice"}),
        ([["move_type", "like", "REFUND"]], set[str]()),
        ([["move_type", "ilike", "REFUND"]], {"out_refund"}),
        ([["move_type", "not ilike", "REFUND"]], {"out_invoice"}),
        ([["partner_id.email", "=", "maria@example.cl"]], {"out_invoice"}),
        ([["partner_id", "ilike", "camila"], ["amount_total", ">", 0]], {"out_invoice", "out_refund"}),
        ([["reversed_entry_id", "!=", False]], {"out_refund"}),
        ([["invoice_date", ">=", "2025-10-15"], ["invoice_date", "<=", "2025-10-15"]], {"out_invoice"}),
        ([["invoice_line_ids.product_id.default_code", "=", "ZRA-42"], ["ref", "!=", False]], {"out_invoice"}),
        ([["invoice_line_ids", "any", [["product_id.default_code", "=", "SLV-CAF-39"]]]], {"out_invoice"}),
        ([[1, "=", 0]], set[str]()),
    ],
)
def test_domains(stand: Stand, domain: list[Any], expected: set[str]):
    moves = ask(stand, MOVES, "search_read", domain=domain, fields=["move_type"])
    assert {move["move_type"] for move in moves.json()} == expected


def test_order_offset_and_limit(stand: Stand):
    domain = [["ref", "!=", False]]
    dates = ask(stand, MOVES, "search_read", domain=domain, fields=["invoice_date"], order="invoice_date asc").json()
    assert [one["invoice_date"] for one in dates] == sorted(one["invoice_date"] for one in dates)
    third = ask(stand, MOVES, "search", domain=domain, order="invoice_date", offset=2, limit=1).json()
    assert third == [dates[2]["id"]]


def test_empty_values_are_false(stand: Stand):
    partner = ask(stand, PARTNERS, "read", ids=[55], fields=["vat", "company_id"]).json()
    assert partner == [{"id": 55, "vat": False, "company_id": False}]


def test_fields_get(stand: Stand):
    fields = ask(stand, MOVES, "fields_get", allfields=["l10n_latam_document_number", "partner_id"]).json()
    assert fields["l10n_latam_document_number"]["store"] is False
    assert fields["partner_id"]["relation"] == PARTNERS


@pytest.mark.parametrize(
    ("model", "method", "body", "status", "name", "message"),
    [
        ("zzz", "read", {}, 404, "werkzeug.exceptions.NotFound", "the model 'zzz' does not exist"),
        (MOVES, "zzz", {}, 404, "werkzeug.exceptions.NotFound", "The method 'account.move.zzz' does not exist"),
        (MOVES, "_search", {}, 403, "odoo.exceptions.AccessError", "Private methods (such as 'account.move._search')"),
        (MOVES, "unlink", {"ids": [85]}, 403, "odoo.exceptions.AccessError", "not allowed to modify"),
        (MOVES, "search", {}, 422, "werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'domain'"),
        (MOVES, "search_count", {"domain": [], "zzz": 1}, 422, "werkzeug.exceptions.UnprocessableEntity", "'zzz'"),
        (MOVES, "search", {"domain": [], "ids": [1]}, 422, "werkzeug.exceptions.UnprocessableEntity", "with ids"),
        (MOVES, "read", {"ids": [1]}, 404, "odoo.exceptions.MissingError", "Record does not exist"),
        (MOVES, "read", {"ids": [85], "fields": ["zzz"]}, 500, "builtins.ValueError", "Invalid field 'zzz' on"),
        (MOVES, "search", {"domain": [["name", "~", "x"]]}, 500, "builtins.ValueError", "Invalid operator"),
        (MOVES, "search", {"domain": ["|", ["name", "=", "x"]]}, 500, "builtins.ValueError", "Domain()"),
        (MOVES, "search", {"domain": [], "order": "zzz"}, 422, "odoo.exceptions.UserError", 'Invalid "order"'),
        (MOVES, "search", {"domain": [], "context": {"lang": "es_CL"}}, 422, "odoo.exceptions.UserError", "es_CL"),
        (
            MOVES,
            "search",
            {"domain": [["l10n_latam_document_number", "=", "000001"]]},
            500,
            "builtins.ValueError",
            "not stored",
        ),
    ],
)
def test_errors(stand: Stand, model: str, method: str, body: Any, status: int, name: str, message: str):
    answer = ask(stand, model, method, **body)
    error = answer.json()
    assert (answer.status_code, error["name"]) == (status, name)
    assert message in error["message"]
    assert set(error) == {"name", "message", "arguments", "context", "debug"}
    assert error["debug"].startswith("Traceback")


def test_authentication(stand: Stand):
    assert ask(stand, MOVES, "search_count", key="wrong", domain=[]).status_code == 401
    without = stand.post(f"/json/2/{MOVES}/search_count", {"domain": []})
    assert (without.status_code, without.headers["WWW-Authenticate"]) == (401, "bearer")


def test_the_database_header_must_fit(stand: Stand):
    spec = stand.shops[DEMO].spec
    for database, status in ((spec.odoo_database, 200), ("another", 404)):
        headers = {"Authorization": f"bearer {spec.odoo_api_key}", "X_Odoo_Database": database}
        assert stand.post(f"/json/2/{MOVES}/search_count", {"domain": []}, **headers).status_code == status


def test_version_without_a_key(stand: Stand):
    for path in ("/web/version", "/json/version"):
        assert stand.http.get(path).json()["version"] == "19.0"


def test_other_paths_point_to_json2(stand: Stand):
    answer = stand.http.get("/json/2/account.move")
    assert (answer.status_code, answer.json()["arguments"]) == (
        404,
        ["Did you mean POST /json/2/<model>/<method>?", 404],
    )


@pytest.mark.parametrize(
    ("kind", "status"), [("http_500", 500), ("hang", 504), ("invalid_key", 401), ("access_error", 403), ("slow", 200)]
)
def test_faults(stand: Stand, kind: str, status: int):
    stand.faults.set("odoo", kind, scope="TENANT_DEMO", times=1, value=0)
    assert ask(stand, MOVES, "search_count", shop=CLOTHES, domain=[]).status_code == 200
    assert ask(stand, MOVES, "search_count", domain=[]).status_code == status
    assert ask(stand, MOVES, "search_count", domain=[]).status_code == 200


def rpc(stand: Stand, service: str, method: str, *args: Any) -> Any:
    body = {"jsonrpc": "2.0", "method": "call", "id": 5, "params": {"service": service, "method": method, "args": args}}
    answer = stand.post("/jsonrpc", body)
    assert answer.status_code == 200, "JSON-RPC tells errors in the body"
    assert answer.json()["id"] == 5
    return answer.json()


def old_call(stand: Stand, model: str, method: str, *args: Any, **named: Any) -> Any:
    spec = stand.shops[DEMO].spec
    return rpc(stand, "object", "execute_kw", spec.odoo_database, 2, spec.odoo_api_key, model, method, args, named)


def test_json_rpc_gives_the_same_records(stand: Stand):
    body = {"domain": [["partner_id", "=", 52]], "fields": ["name", "ref"], "limit": 2}
    new = ask(stand, MOVES, "search_read", **body).json()
    assert old_call(stand, MOVES, "search_read", body["domain"], fields=body["fields"], limit=2)["result"] == new
    assert old_call(stand, MOVES, "search_count", [])["result"] == ask(stand, MOVES, "search_count", domain=[]).json()
    assert old_call(stand, PARTNERS, "read", [52], fields=["name"])["result"] == [{"id": 52, "name": "María González"}]


def test_json_rpc_tells_its_version_and_whom_it_knows(stand: Stand):
    spec = stand.shops[DEMO].spec
    assert rpc(stand, "common", "version")["result"]["server_version"] == "19.0"
    known = (spec.odoo_database, spec.odoo_login, spec.odoo_api_key, {})
    assert rpc(stand, "common", "authenticate", *known)["result"] == 2
    assert rpc(stand, "common", "authenticate", known[0], known[1], "wrong", {})["result"] is False
    missing = rpc(stand, "common", "authenticate", "nowhere", *known[1:])["error"]
    assert missing["data"]["name"] == "psycopg2.OperationalError"


def test_json_rpc_tells_errors_as_odoo_writes_them(stand: Stand):
    denied = rpc(stand, "object", "execute_kw", stand.shops[DEMO].spec.odoo_database, 2, "wrong", MOVES, "search", [[]])
    assert denied["error"]["data"]["name"] == "odoo.exceptions.AccessDenied"
    unknown = old_call(stand, "helpdesk.tickets", "search", [])["error"]
    assert (unknown["code"], unknown["message"]) == (200, "Odoo Server Error")
    assert unknown["data"]["message"] == "Object helpdesk.tickets doesn't exist"
    assert unknown["data"]["debug"].startswith("Traceback")


def test_before_19_there_is_no_json2_and_no_version_page():
    old = Stand(lambda shops, faults: create_odoo_app(shops, faults, "17.0"))
    assert old.http.get("/web/version").status_code == 404
    assert ask(old, MOVES, "search_count", domain=[]).status_code == 404
    assert rpc(old, "common", "version")["result"]["server_version"] == "17.0"


def test_only_tickets_and_activities_may_be_created(stand: Stand):
    made = ask(stand, "helpdesk.ticket", "create", vals_list=[{"name": "Cambio", "partner_id": 52}])
    assert made.json() == [1]
    (ticket,) = ask(stand, "helpdesk.ticket", "read", ids=[1], fields=["name", "partner_id", "ticket_ref"]).json()
    assert (ticket["name"], ticket["partner_id"][0], ticket["ticket_ref"]) == ("Cambio", 52, "00001")
    assert ask(stand, MOVES, "create", vals_list=[{}]).status_code == 403
    assert ask(stand, "helpdesk.ticket", "create", shop=CLOTHES, vals_list=[{}]).status_code == 404, "not installed"
    assert ask(stand, "helpdesk.ticket", "create", vals_list=[{"partner_id": 99999}]).status_code == 404
