"""Strangers, and tenants who want more than their own, at ``/mcp`` and ``/api/tools``."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from tests.mcp_door import MODERN, Door, legacy, modern, open_door

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import TenantScope
from smarteros.edge.mcp.endpoint import MAX_BODY_BYTES
from smarteros.edge.tokens import AUDIENCE, READ, WRITE, TenantTokens
from smarteros.kit.clock import FixedClock, SystemClock

SHOP, OTHER = "MCP_SHOP", "MCP_OTHER_SHOP"
KEY = b"k" * 32


def claims(**changes: Any) -> dict[str, Any]:
    now = int(datetime.now(UTC).timestamp())
    return {"sub": SHOP, "aud": AUDIENCE, "scope": READ, "iat": now, "exp": now + 300} | changes


def signed(key: bytes = KEY, **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm="HS256")


def unsigned() -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "typ": "JWT"}, claims())
    )
    return f"{head}.{body}."


def without(claim: str) -> str:
    return jwt.encode({name: value for name, value in claims().items() if name != claim}, KEY, algorithm="HS256")


FORGED: dict[str, Callable[[], str]] = {
    "a shop's own secret": lambda: "shpat_0123456789abcdef0123456789abcdef",
    "for another audience": lambda: signed(aud="smos-agent"),
    "for our audience and others' too, by another key": lambda: signed(b"x" * 32, aud=[AUDIENCE, "x"]),
    "expired": lambda: TenantTokens(KEY, FixedClock(datetime(2026, 1, 1, tzinfo=UTC))).issue(
        TenantScope(tenant_id=SHOP)
    ),
    "without a signature": unsigned,
    "without an end": lambda: without("exp"),
    "without a tenant": lambda: without("sub"),
    "for what is no tenant's name": lambda: signed(sub="'; DROP TABLE tenants"),
    "with a broken signature": lambda: signed()[:-4] + "AAAA",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_bearer_that_is_not_ours_opens_neither_door(door: Door, forge: Callable[[], str]) -> None:
    answer = door.call(forge(), "look_up")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert "resource_metadata=" in answer.headers["www-authenticate"]
    assert door.rest(forge(), "look_up", SHOP).status_code == 401


def test_without_an_authorization_header_it_is_401(door: Door) -> None:
    answer = door.call(None, "look_up")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer resource_metadata=")


def test_two_authorization_headers_are_refused(door: Door) -> None:
    body, routing = modern("tools/list", {})
    twice = [("Authorization", f"Bearer {door.token(tenant)}") for tenant in (SHOP, OTHER)]
    answer = door.http.post("/mcp", json=body, headers=[*twice, *routing.items(), ("Accept", "application/json")])

    assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_header")


def test_a_tenant_that_is_suspended_is_refused_at_both_doors(door: Door) -> None:
    door.tenant("MCP_SUSPENDED", active=False)
    token = door.token("MCP_SUSPENDED")

    assert door.call(token, "look_up").json()["code"] == "tenant_suspended"
    assert door.rest(token, "look_up", "MCP_SUSPENDED").json()["code"] == "tenant_suspended"


def test_a_tenant_that_does_not_exist_is_refused(door: Door) -> None:
    assert door.call(signed(sub="MCP_NOBODY"), "look_up").status_code == 403


def test_the_header_of_another_tenant_is_refused(door: Door) -> None:
    answer = door.call(door.token(SHOP), "look_up", X_SMOS_Tenant_ID=OTHER)

    assert (answer.status_code, answer.json()["code"]) == (403, "header_mismatch")


def test_another_tenants_conversation_gives_no_contact(door: Door) -> None:
    door.tenant(OTHER)
    door.heard(OTHER, 77, Contact(id=55, name="María", phone="+56911111111"))
    stolen = door.call(door.token(SHOP), "look_up", X_SMOS_Conversation_ID="77").json()["result"]
    own = door.call(door.token(OTHER), "look_up", X_SMOS_Conversation_ID="77").json()["result"]

    assert stolen["structuredContent"] == {"query": "hola", "tenant_id": SHOP, "contact_id": 0}
    assert own["structuredContent"]["contact_id"] == 55


@pytest.mark.parametrize("value", ["-1", "1e3", "9" * 40, "٤١", "41, 42"])
def test_a_conversation_that_is_no_number_is_400(door: Door, value: str) -> None:
    body, routing = modern("tools/list", {})
    headers = {**routing, "X-SMOS-Conversation-ID": value.encode()}
    answer = door.http.post("/mcp", json=body, headers={**headers, "Authorization": f"Bearer {door.token(SHOP)}"})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_header")


def test_another_tenants_texts_are_not_found(door: Door) -> None:
    door.tenant("MCP_READER")
    token = door.token("MCP_READER")

    assert "horarios.md" not in door.ask(token, "resources/list").text
    assert "error" in door.ask(token, "resources/read", {"uri": "smos://knowledge/horarios.md"}).json()


@pytest.mark.parametrize(
    "uri",
    [
        "smos://knowledge/../contracts/e2e_faq_quick",
        "file:///etc/passwd",
        "smos://contracts/../secrets.key",
        "x" * 9000,
    ],
)
def test_addresses_that_are_not_ours_are_not_found(door: Door, uri: str) -> None:
    answer = door.post(door.token(SHOP), *legacy("resources/read", {"uri": uri}))

    assert answer.json()["error"]["message"] == "Resource not found"


@pytest.mark.parametrize("wire", [modern, legacy])
def test_a_token_that_may_read_does_not_write_and_learns_which_scope_it_lacks(
    door: Door, wire: Callable[[str, dict[str, Any]], tuple[dict[str, Any], dict[str, str]]]
) -> None:
    request = wire("tools/call", {"name": "take_note", "arguments": {"query": "x"}})
    answer = door.post(door.token(SHOP), *request)

    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="tools:write"' in answer.headers["www-authenticate"]
    assert "tools:write" in answer.json()["error"]["message"]
    by_rest = door.rest(door.token(SHOP), "take_note", SHOP)
    assert (by_rest.status_code, by_rest.json()["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "look_up", "arguments": {"query": "x"}}),
        ("resources/list", {}),
        ("resources/read", {"uri": "smos://knowledge/horarios.md"}),
        ("prompts/get", {"name": "e2e_faq_quick", "arguments": {"message": "hola"}}),
    ],
)
def test_a_token_that_may_only_write_reads_nothing(door: Door, method: str, params: dict[str, Any]) -> None:
    assert door.ask(door.token(SHOP, WRITE), method, params).status_code == 403


def test_scopes_that_a_caller_invents_allow_nothing(door: Door) -> None:
    assert door.call(signed(scope="tools:* admin tools:READ"), "look_up").status_code == 403


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "evil.example", 421),
        ("Host", "127.0.0.1.evil.example", 421),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Content-Type", "text/plain", 400),
        ("Accept", "text/html", 406),
    ],
)
def test_what_a_foreign_page_could_send_is_refused(door: Door, header: str, value: str, status: int) -> None:
    body, routing = modern("tools/list", {})

    assert door.post(door.token(SHOP), body, routing | {header: value}).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Mcp-Method": "tools/list"},
        {"Mcp-Name": "take_note"},
        {"Mcp-Name": ""},
        {"MCP-Protocol-Version": "2099-01-01"},
    ],
)
def test_headers_that_say_something_else_than_the_body_are_400(door: Door, headers: dict[str, str]) -> None:
    body, routing = modern("tools/call", {"name": "look_up", "arguments": {"query": "x"}})

    assert door.post(door.token(SHOP), body, routing | headers).status_code == 400


def test_space_around_a_header_is_not_part_of_it(door: Door) -> None:
    body, routing = modern("tools/call", {"name": "look_up", "arguments": {"query": "x"}})
    head = {**routing, "Host": "127.0.0.1", "Authorization": f"Bearer {door.token(SHOP)} ", "Mcp-Name": " look_up \t"}
    sent = {**head, "Accept": "application/json", "Content-Type": "application/json", "Connection": "close"}
    raw = json.dumps(body).encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    address = urlsplit(door.url)
    with socket.create_connection((address.hostname, address.port), timeout=300) as connection:
        connection.sendall(f"POST /mcp HTTP/1.1\r\n{lines}Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
        answered = connection.recv(15)

    assert answered == b"HTTP/1.1 200 OK"


def test_a_version_nobody_knows_is_told_which_there_are(door: Door) -> None:
    body, routing = modern("tools/list", {})
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2099-01-01"
    answer = door.post(door.token(SHOP), body, routing | {"MCP-Protocol-Version": "2099-01-01"})

    assert (answer.status_code, answer.json()["error"]["data"]["supported"]) == (400, [MODERN])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 30_000,
        b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}',
        b"\xff\xfe\x00",
        json.dumps([modern("tools/list", {})[0]] * 3).encode(),
        b'{"jsonrpc":"2.0","id":1,"result":{}}',
        b'"hola"',
        b"null",
    ],
    ids=["empty", "cut", "deep list", "deep object", "huge number", "no text", "batch", "answer", "string", "null"],
)
@pytest.mark.parametrize("version", [MODERN, "2025-11-25"])
def test_a_body_that_is_no_request_gets_a_clear_answer(door: Door, body: bytes, version: str) -> None:
    answer = door.post(door.token(SHOP), body, {"MCP-Protocol-Version": version, "Mcp-Method": "tools/list"})

    # An answer to what was never asked is acknowledged and dropped in the older version.
    assert answer.status_code == (202 if b"result" in body and version != MODERN else 400)


def test_a_body_beyond_the_limit_is_413_unread(door: Door) -> None:
    assert door.post(door.token(SHOP), b" " * (MAX_BODY_BYTES + 1)).status_code == 413


def test_a_large_argument_is_refused_by_the_tool(door: Door) -> None:
    result = door.call(door.token(SHOP), "look_up", "x" * 100_000).json()["result"]

    assert result["isError"]
    assert len(result["content"][0]["text"]) < 300


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
def test_there_are_no_streams_and_no_sessions(door: Door, method: str) -> None:
    answer = door.http.request(method, "/mcp", headers={"Authorization": f"Bearer {door.token(SHOP)}"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_subscription_is_not_kept_open(door: Door) -> None:
    assert door.ask(door.token(SHOP), "subscriptions/listen", {"notifications": {}}).status_code in {400, 404}


@pytest.mark.parametrize("query", ["broken", "crash", "away"])
def test_an_error_behind_a_tool_tells_nothing_of_the_inside(door: Door, query: str, plain_traces: None) -> None:
    for answer in (door.call(door.token(SHOP), "look_up", query), door.rest(door.token(SHOP), "look_up", SHOP, query)):
        assert "10.0.0.7" not in answer.text
        assert "shpat" not in answer.text
        assert "Traceback" not in answer.text


def test_a_tenant_that_asks_too_often_is_told_when_to_come_again(door: Door) -> None:
    with open_door(door.database, per_minute=3, tenant_id="MCP_EAGER") as limited:
        limited.tenant("MCP_CALM")
        eager, calm = limited.token("MCP_EAGER"), limited.token("MCP_CALM")
        statuses = [limited.call(eager, "look_up").status_code, limited.rest(eager, "look_up", "MCP_EAGER").status_code]
        statuses += [limited.ask(eager, "tools/list").status_code]
        refused = [limited.call(eager, "look_up"), limited.rest(eager, "look_up", "MCP_EAGER")]

        assert statuses == [200, 200, 200]
        for answer in refused:
            assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
            assert 1 <= int(answer.headers["retry-after"]) <= 20
        assert limited.call(calm, "look_up").status_code == 200


def test_a_bearer_that_is_refused_uses_nobodys_share(door: Door) -> None:
    with open_door(door.database, per_minute=1, tenant_id="MCP_FRAMED") as limited:
        for _ in range(3):
            assert limited.call(signed(b"x" * 32, sub="MCP_FRAMED"), "look_up").status_code == 401

        assert limited.call(limited.token("MCP_FRAMED"), "look_up").status_code == 200


def test_a_token_lives_at_most_a_day_and_has_known_scopes_only() -> None:
    tokens = TenantTokens(KEY, SystemClock())
    for scopes, ttl in (((READ,), timedelta(days=2)), ((READ,), timedelta()), (("admin",), timedelta(minutes=1))):
        with pytest.raises(RejectedInputError):
            tokens.issue(TenantScope(tenant_id=SHOP), scopes, ttl)
