"""Whatever a stranger sends, the stand-in answers with a status below 500, and soon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from smarteros_sandbox.chatwoot.http.app import create_chatwoot_app

from .chatwoot_stand import Stand, running

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
WORDS = """content content_type content_attributes message_type private status snoozed_until labels
custom_attributes assignee_id assignee_type team_id priority typing_status inbox_id contact_id source_id name
email phone_number identifier agent_bot outgoing_url bot_config url subscriptions webhook short_code q page
before after updated_within submitted_values subject auto_reply cc template_params sender_type sender_id
message slug title content status locale category_slug category_id author_id config archived portal article"""
FIELDS = st.sampled_from(WORDS.split())
BODIES = st.dictionaries(FIELDS, JSON, max_size=6)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with running(tmp_path_factory.mktemp("junk")) as stand:
        stand.connect_bot()
        stand.customer().say("hola")
        stand.customer("email").say("hola")
        stand.help_center("ayuda", {"¿Cómo pago?": "Con débito."})
        yield stand


def all_routes(stand: Stand) -> list[tuple[str, str]]:
    """Every method and path, with plausible ids in it."""
    values = {
        "account_id": "1",
        "conversation_id": "1",
        "message_id": "70001",
        "contact_id": "9001",
        "inbox_id": "7",
        "agent_bot_id": "1",
        "webhook_id": "1",
        "canned_response_id": "1",
        "portal_slug": "ayuda",
        "article_id": "1",
        "identifier": "whatsapp-1",
        "source_id": "56979540471",
        "signed_id": "eyJ--00",
        "variation": "x",
        "name": "f.png",
    }
    found: list[tuple[str, str]] = []
    for route in create_chatwoot_app(stand.chatwoot).routes:
        assert isinstance(route, Route)
        path = route.path.format(**values)
        found += [(method, path) for method in sorted(route.methods or ()) if method != "DELETE"]
    return found


def send(stand: Stand, method: str, path: str, **options: Any) -> None:
    answer = stand.client.request(method, path, headers={"api_access_token": stand.token}, **options)
    assert answer.status_code < 500, (method, path, options, answer.text)
    if answer.status_code >= 400 and method != "HEAD":
        assert answer.json()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_json_of_any_shape(stand: Stand, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(all_routes(stand)))
    body = data.draw(BODIES)
    send(stand, method, path, json=body)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_query(stand: Stand, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for method, path in all_routes(stand) if method == "GET"]))
    query = data.draw(st.dictionaries(FIELDS, st.text(max_size=20), max_size=4))
    send(stand, "GET", path, params=query)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_id(stand: Stand, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(all_routes(stand)))
    parts = path.split("/")
    parts[data.draw(st.integers(1, len(parts) - 1))] = quote(data.draw(st.text(max_size=10)), safe="")
    send(stand, method, "/".join(parts), json={})


WRONG_BODIES = {
    "no JSON": (b"{", "application/json"),
    "NaN": (b'{"content": NaN}', "application/json"),
    "infinite": (b'{"content_attributes": {"a": 1e999}}', "application/json"),
    "lone surrogate": (b'{"content": "\\ud800"}', "application/json"),
    "deep": (b'{"content_attributes":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "application/json"),
    "101 levels": (b'{"content_attributes":' + b"[" * 101 + b"]" * 101 + b"}", "application/json"),
    "huge number": (b'{"content": ' + b"9" * 5000 + b"}", "application/json"),
    "not UTF-8": (b'{"content": "\xff"}', "application/json"),
    "form without boundary": (b"--x", "multipart/form-data"),
    "form field without name": (
        b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n",
        "multipart/form-data; boundary=x",
    ),
}


@pytest.mark.parametrize("name", WRONG_BODIES)
def test_bodies_that_cannot_be_read(stand: Stand, name: str) -> None:
    body, content_type = WRONG_BODIES[name]
    for path in ("/api/v1/accounts/1/conversations/1/messages", "/public/api/v1/inboxes/whatsapp-1/contacts"):
        headers = {"api_access_token": stand.token, "content-type": content_type}
        answer = stand.client.post(path, content=body, headers=headers)
        assert answer.status_code == 400, answer.text
        assert answer.json()["status"] == 400


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null", b""])
def test_json_that_is_no_object_counts_as_no_parameters(stand: Stand, body: bytes) -> None:
    headers = {"api_access_token": stand.token, "content-type": "application/json"}
    answer = stand.client.post("/api/v1/accounts/1/webhooks", content=body, headers=headers)
    assert answer.json() == {"message": "Url can't be blank", "attributes": ["url"]}


def test_form_texts_in_a_strange_charset(stand: Stand) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="content"\r\n\r\n\\ud800\r\n'
        b'--x\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nraw_unicode_escape\r\n--x--\r\n'
    )
    content_type = "multipart/form-data; boundary=x; charset=raw_unicode_escape"
    headers = {"api_access_token": stand.token, "content-type": content_type}
    path = "/api/v1/accounts/1/conversations/1/messages"
    answer = stand.client.post(path, content=body, headers=headers)
    assert answer.status_code == 200, answer.text


def test_bodies_above_50_megabytes_are_refused(stand: Stand) -> None:
    path = "/api/v1/accounts/1/conversations/1/messages"
    headers = {"api_access_token": stand.token, "content-type": "application/json"}
    declared = stand.client.post(path, content=b"{}", headers=headers | {"content-length": str(51 * 2**20)})
    assert declared.status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(51):
            yield b" " * 2**20

    streamed = stand.client.post(path, content=endless(), headers=headers)
    assert streamed.status_code == 413
