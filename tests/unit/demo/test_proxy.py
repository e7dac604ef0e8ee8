"""What passes through to the sandbox and to Chatwoot, and what does not."""

from __future__ import annotations

import http.client

import httpx2
import pytest
from starlette.responses import JSONResponse, Response
from tests.unit.demo.conftest import Upstream, info

from smarteros.demo.proxy import MAX_ANSWER_BYTES

CUSTOMER_API = "/demo/chatwoot/public/api/v1"
MIB = 1024 * 1024


def raw_status(page: httpx2.Client, path: str) -> int:
    """Ask for a path exactly as it is written; a client library would tidy it up first."""
    connection = http.client.HTTPConnection(page.base_url.host, page.base_url.port or 80, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_request_to_the_sandbox_arrives_with_method_query_and_body(page: httpx2.Client, upstream: Upstream) -> None:
    answer = page.post("/sandbox/faults?x=1&y=a%20b", json={"service": "shopify", "kind": "timeout"})

    [seen] = upstream.seen
    assert answer.status_code == 200
    assert (seen.method, seen.target) == ("POST", "/sandbox/faults?x=1&y=a%20b")
    assert seen.body == b'{"service":"shopify","kind":"timeout"}'
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["host"] == upstream.url.removeprefix("http://")


def test_the_answers_status_and_type_come_back(page: httpx2.Client, upstream: Upstream) -> None:
    upstream.answer = lambda _seen: Response(b"\x89PNG", 404, media_type="image/png")

    answer = page.get("/sandbox/tenants/T/invoices/none.png")

    assert (answer.status_code, answer.headers["content-type"], answer.content) == (404, "image/png", b"\x89PNG")


def test_headers_of_one_leg_stay_on_it(page: httpx2.Client, upstream: Upstream) -> None:
    upstream.answer = lambda _seen: JSONResponse(
        {}, headers={"Connection": "x-private", "X-Private": "1", "X-Kept": "1", "Set-Cookie": "session=1"}
    )

    answer = page.get(
        "/sandbox/faults", headers={"Connection": "X-Mine", "X-Mine": "1", "TE": "trailers", "Cookie": "a=b"}
    )

    assert not {"x-mine", "te", "cookie"} & set(upstream.seen[0].headers)
    assert answer.headers["x-kept"] == "1"
    assert "x-private" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_what_the_other_server_sends_cannot_be_a_page_of_ours(page: httpx2.Client, upstream: Upstream) -> None:
    upstream.answer = lambda _seen: Response("<script>alert(1)</script>", media_type="text/html")

    answer = page.get("/sandbox/anything")

    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/sandbox/../api/v1/profile",
        "/sandbox/%2e%2e/api/v1/profile",
        "/sandbox/..%2fapi",
        "/sandbox/a/%2E%2E/%2E%2E/api",
        "/sandbox/%252e%252e/api",
        "/sandbox/..%5capi",
        "/sandbox/a//b",
        "/sandbox/a%00b",
        "/sandbox/a%0d%0aX-Evil:1",
        "/sandbox/",
        f"{CUSTOMER_API}/../../../api/v1/accounts/1/conversations",
        f"{CUSTOMER_API}/%2e%2e/%2e%2e/%2e%2e/api/v1/accounts/1/conversations",
        f"{CUSTOMER_API}/inboxes/..%2f..%2f..%2fapi",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(page: httpx2.Client, upstream: Upstream, path: str) -> None:
    assert raw_status(page, path) in (400, 404)
    assert upstream.seen == []


@pytest.mark.parametrize("path", ["/demo/chatwoot/api/v1/accounts/1/conversations", "/demo/chatwoot/health"])
def test_nothing_but_the_customers_api_of_chatwoot_is_reachable(
    page: httpx2.Client, upstream: Upstream, path: str
) -> None:
    assert page.get(path).status_code == 404
    assert upstream.seen == []


def test_a_customers_mail_address_keeps_its_meaning_in_the_path(page: httpx2.Client, upstream: Upstream) -> None:
    page.get(f"{CUSTOMER_API}/inboxes/mail/contacts/a+b%3D%3F%23ñ@example.cl")

    assert upstream.seen[0].target == "/public/api/v1/inboxes/mail/contacts/a+b%3D%3F%23%C3%B1@example.cl"


def test_a_photo_reaches_chatwoot_byte_for_byte(page: httpx2.Client, upstream: Upstream) -> None:
    photo = bytes(range(256)) * 8192  # 2 MiB: more than the sandbox would take

    page.post(f"{CUSTOMER_API}/inboxes/wa/contacts/1/conversations/2/messages", files={"attachments[]": photo})

    [seen] = upstream.seen
    assert photo in seen.body
    assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")


def test_a_body_beyond_the_bound_is_refused(page: httpx2.Client, upstream: Upstream) -> None:
    to_sandbox = page.post("/sandbox/faults", content=b"x" * (MIB + 1))
    to_chatwoot = page.post(f"{CUSTOMER_API}/inboxes/wa/contacts", content=b"x" * (45 * MIB + 1))

    assert (to_sandbox.status_code, to_sandbox.json()["code"]) == (413, "body_too_large")
    assert (to_chatwoot.status_code, to_chatwoot.json()["code"]) == (413, "body_too_large")
    assert upstream.seen == []


def test_an_answer_beyond_the_bound_is_a_bad_gateway(page: httpx2.Client, upstream: Upstream) -> None:
    upstream.answer = lambda _seen: Response(b"x" * (MAX_ANSWER_BYTES + 1))

    answer = page.get("/sandbox/huge")

    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_answer_too_large")


@pytest.mark.parametrize("path", ["/sandbox/info", "/sandbox/faults", "/demo/shops", f"{CUSTOMER_API}/inboxes/wa"])
def test_a_server_that_is_away_is_a_bad_gateway_in_json(lonely_page: httpx2.Client, path: str) -> None:
    answer = lonely_page.get(path)

    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_away")
    assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize("path", ["/sandbox/info", "/demo/shops", f"{CUSTOMER_API}/inboxes/wa"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_gets_nothing(page: httpx2.Client, upstream: Upstream, path: str, site: str) -> None:
    answer = page.get(path, headers={"Sec-Fetch-Site": site})

    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert upstream.seen == []


def test_the_page_itself_may_ask(page: httpx2.Client, upstream: Upstream) -> None:
    upstream.answer = info()

    assert page.get("/demo/shops", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
