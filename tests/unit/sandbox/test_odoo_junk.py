"""Whatever a stranger sends, the stand-in Odoo answers with an error body of Odoo's, and soon."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from smarteros_sandbox.odoo import create_odoo_app
from smarteros_sandbox.odoo.domain import LONGEST_DOMAIN, OPERATORS
from smarteros_sandbox.odoo.fields import MODELS
from smarteros_sandbox.odoo.wildcards import like

from .shops_stand import DEMO, Stand

STAND = Stand(create_odoo_app)
HEADERS = {"Authorization": f"bearer {STAND.shops[DEMO].spec.odoo_api_key}"}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([name for fields in MODELS.values() for name in fields])
LEAVES = st.tuples(FIELDS | st.builds("{}.{}".format, FIELDS, FIELDS), st.sampled_from(sorted(OPERATORS)), JUNK)
DOMAINS = st.lists(st.sampled_from("&|!") | LEAVES.map(list) | JUNK, max_size=6)
quick = settings(max_examples=150, deadline=None)
few = settings(max_examples=40, deadline=None)


def call(model: str, method: str, body: Any) -> Any:
    answer = STAND.http.post(f"/json/2/{model}/{method}", json=body, headers=HEADERS)
    if answer.status_code != 200:
        assert set(answer.json()) == {"name", "message", "arguments", "context", "debug"}
    return answer


@quick
@given(model=st.sampled_from(sorted(MODELS)), domain=DOMAINS)
def test_domains(model: str, domain: list[Any]):
    answer = call(model, "search", {"domain": domain})
    assert answer.status_code in (200, 500)
    if answer.status_code == 500:
        assert answer.json()["name"] == "builtins.ValueError"


@few
@given(values=JUNK | st.dictionaries(st.sampled_from(sorted(MODELS["mail.activity"])), JUNK, max_size=4))
def test_fields_of_a_record_to_create(values: Any):
    assert call("mail.activity", "create", {"vals_list": [values]}).status_code in (200, 404, 500)
    assert call("mail.activity", "search_read", {"domain": []}).status_code == 200


@few
@given(
    body=JUNK,
    service=st.sampled_from(["common", "object", "db"]) | JUNK,
    method=st.sampled_from(["version", "authenticate", "execute_kw"]) | JUNK,
    args=st.lists(JUNK, max_size=8),
)
def test_json_rpc_answers_everything_with_an_error_of_its_own(body: Any, service: Any, method: Any, args: list[Any]):
    spec = STAND.shops[DEMO].spec
    known = [spec.odoo_database, 2, spec.odoo_api_key, "account.move", "search_read"]
    for sent in (body, {"params": {"service": service, "method": method, "args": args}}, rpc([*known, *args])):
        answer = STAND.http.post("/jsonrpc", json=sent)
        assert answer.status_code == 200
        told = answer.json()
        assert told["jsonrpc"] == "2.0"
        assert "result" in told or set(told["error"]) == {"code", "message", "data"}


def rpc(args: list[Any]) -> dict[str, Any]:
    return {"id": 7, "params": {"service": "object", "method": "execute_kw", "args": args}}


PARAMETERS = ("domain", "fields", "ids", "limit", "offset", "order", "context", "allfields", "attributes")


@quick
@given(
    method=st.sampled_from(["search", "search_read", "search_count", "read", "fields_get", "write", "x"]),
    body=JUNK | st.fixed_dictionaries({}, optional=dict.fromkeys(PARAMETERS, JUNK)),
)
def test_bodies(method: str, body: Any):
    call("account.move", method, body)


@quick
@given(content=st.binary(max_size=60))
def test_bytes(content: bytes):
    answer = STAND.http.post("/json/2/account.move/search", content=content, headers=HEADERS)
    assert answer.status_code in (400, 422)


@quick
@given(pattern=st.text("%_\\ab", max_size=12), text=st.text("ab%_\\", max_size=10))
def test_like_is_what_a_simple_recursion_says(pattern: str, text: str):
    def simple(rest: str, have: str) -> bool:
        if not rest:
            return not have
        if rest[0] == "%":
            return simple(rest[1:], have) or (bool(have) and simple(rest, have[1:]))
        if rest[0] == "\\":
            letter, after = (rest[1], rest[2:]) if len(rest) > 1 else ("\\", "")
            return bool(have) and have[0] == letter and simple(after, have[1:])
        return bool(have) and rest[0] in ("_", have[0]) and simple(rest[1:], have[1:])

    assert like(pattern, text) == simple(pattern, text)


def test_patterns_that_make_a_regular_expression_hang():
    assert not like("%a" * 400 + "b", "a" * 2000)


def test_a_domain_that_is_too_large():
    domain = [["name", "=", "x"]] * (LONGEST_DOMAIN + 1)
    assert call("account.move", "search", {"domain": domain}).status_code == 500


def test_deeply_nested_subdomains():
    domain: list[Any] = [["name", "=", "x"]]
    for _ in range(50):
        domain = [["partner_id", "any", domain]]
    assert call("account.move", "search", {"domain": domain}).status_code == 500
