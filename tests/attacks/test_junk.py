"""Random junk against every endpoint: a clear refusal, never a 500 and never a hang."""

from __future__ import annotations

import json

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.e2e.world import World

JUNK_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no json": b"\x00\xff\xfe{{{{",
    "null": b"null",
    "number": b"1e999",
    "list": b"[]",
    "string": b'"hola"',
    "empty object": b"{}",
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "wrong types": json.dumps({"event": 1, "account": "x", "conversation": [], "id": {}, "sender": 3}).encode(),
    "huge numbers": b'{"event":"message_created","account":{"id":1e400},"id":' + b"9" * 400 + b"}",
    "nul and surrogate": b'{"event":"message_created","account":{"id":1},"content":"a\\u0000\\ud800b"}',
    "not utf-8": '{"event":"ñ"}'.encode("latin-1"),
}
POST_PATHS = [
    "/webhooks/chatwoot/short",
    "/webhooks/chatwoot/" + "k" * 40,
    "/webhooks/chatwoot/%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00",
    "/webhook/chatwoot-events",
    "/api/v1/workspaces/ws_x/bots/sales/run",
    "/api/v1/workspaces/ws_x/bots/%F0%9F%98%80/run",
    "/api/tools/shopify_search_products",
    "/api/tools/odoo_find_invoice",
    "/api/tools/none",
    "/health",
    "/nowhere",
]
GET_PATHS = [
    "/",
    "/health",
    "/api/v1/health",
    "/metrics",
    "/openapi.json",
    "/api/v1/turns",
    "/api/v1/turns?tenant_id=%00&limit=abc",
    "/api/v1/audit?conversation_id=99999999999999999999999",
    "/webhooks/chatwoot/x",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/demo/static/..%2f..%2fsettings.py",
    "/demo/turns?tenant_id=%27%3B--&conversation_id=x",
]
HEADERS = {
    "X-SMOS-Tenant-ID": "TENANT_DEMO",
    "X-SMOS-Conversation-ID": "1",
    "X-SMOS-Channel": "whatsapp",
    "X-SMOS-User-Role": "end_user",
    "X-Chatwoot-Signature": "0" * 64,
    "Authorization": "Bearer junk",
}


@pytest.mark.parametrize("name", JUNK_BODIES)
@pytest.mark.parametrize("path", POST_PATHS)
def test_junk_is_refused_with_a_clear_error(world: World, path: str, name: str) -> None:
    answer = world.http.post(world.url + path, content=JUNK_BODIES[name], headers=HEADERS)

    assert 400 <= answer.status_code < 500
    assert set(answer.json()) >= {"error", "code"}


@pytest.mark.parametrize("path", GET_PATHS)
def test_no_address_answers_with_a_server_error(world: World, path: str) -> None:
    assert world.http.get(world.url + path).status_code < 500


@pytest.mark.parametrize("missing", [name for name in HEADERS if name != "Authorization"])
def test_a_call_without_one_of_the_standard_headers_is_422(world: World, missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    answer = world.http.post(f"{world.url}/api/tools/shopify_search_products", json={"query": "x"}, headers=headers)

    assert answer.status_code == 422
    assert missing.lower() in answer.json()["error"].lower()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
events = st.fixed_dictionaries(
    {"event": st.sampled_from(["message_created", "message_updated", "conversation_updated", "x"])},
    optional={
        "id": json_values,
        "account": st.just({"id": 1}) | json_values,
        "conversation": st.fixed_dictionaries(
            {}, optional={"id": json_values, "status": json_values, "meta": json_values}
        ),
        "sender": json_values,
        "content": json_values,
        "content_attributes": json_values,
        "attachments": json_values,
        "message_type": st.just("incoming") | json_values,
        "created_at": json_values,
        "inbox": json_values,
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=events)
def test_a_rightly_signed_body_of_any_shape_is_stored_or_refused(world: World, body: dict[str, object]) -> None:
    bot = next(w for w in world.shop("TENANT_DEMO")["webhooks"] if w["kind"] == "agent_bot")
    raw = json.dumps(body).encode()
    answer: httpx2.Response = world.post_webhook(bot["url"], raw, bot["secret"])

    assert answer.status_code in {200, 403, 422}


@pytest.mark.parametrize("bearer", [None, "Basic junk", "Bearer junk", "Bearer ñandú".encode().decode("latin-1")])
@pytest.mark.parametrize(("method", "path"), [("GET", "turns"), ("GET", "audit"), ("POST", "reconcile")])
def test_the_operators_addresses_open_to_nobody_else(world: World, method: str, path: str, bearer: str | None) -> None:
    headers = {} if bearer is None else {"Authorization": bearer.encode("latin-1")}
    url = f"{world.url}/api/v1/{path}?tenant_id=TENANT_DEMO"
    answer = world.http.request(method, url, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_operator_token")
