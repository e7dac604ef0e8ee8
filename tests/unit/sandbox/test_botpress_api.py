"""The stand-in Botpress by its edges; that a client can talk to it is proven by the official one (conformance)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from smarteros.agents.botpress.contract import read_answer
from smarteros_sandbox.botpress import SandboxBot, create_botpress_app
from smarteros_sandbox.botpress.bots import simple_answer
from smarteros_sandbox.faults import Faults

KEY = "a-key-of-a-bot-of-the-stand-in-tests"


@pytest.fixture(scope="module")
def stand() -> Iterator[TestClient]:
    bots = [
        SandboxBot("TENANT_A", "keyed", KEY, simple_answer),
        SandboxBot("TENANT_B", "open", None, simple_answer),
    ]
    with TestClient(create_botpress_app(bots, Faults())) as client:
        yield client


def converse(stand: TestClient, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    answer = stand.post(f"/api/v1/bots/{path}", json=body, headers=headers)
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("path", "bearer", "status"),
    [
        ("keyed/converse/u", None, 403),
        ("keyed/converse/u/secured", None, 401),
        ("keyed/converse/u/secured", "another", 401),
        ("keyed/converse/u/secured", KEY, 200),
        ("open/converse/u", None, 200),
        ("nobody/converse/u", None, 404),
    ],
)
def test_converse_answers_whom_the_bot_is_open_to(stand: TestClient, path: str, bearer: str | None, status: int):
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    assert converse(stand, path, {"type": "text", "text": "hola"}, **headers)[0] == status


@pytest.mark.parametrize(
    "body",
    [{"text": ""}, {"text": "a" * 361}, {"type": "image", "text": "x"}, {"text": "x", "channel": "api"}, [], "x"],
)
def test_converse_takes_only_what_v12_takes(stand: TestClient, body: Any):
    assert converse(stand, "open/converse/u", body)[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/nobody/hello", "ResourceNotFound"),
        ("POST", "/keyed/users", "Unauthorized"),
        ("GET", "/open/conversations/x/messages", "Unauthorized"),
        ("POST", "/open/messages", "Unauthorized"),
    ],
)
def test_refusals_of_the_cloud_have_the_form_its_client_reads(stand: TestClient, method: str, path: str, kind: str):
    answer = stand.request(method, path, content=b"{}")
    said = answer.json()
    assert said.keys() == {"id", "code", "type", "message"}
    assert (said["code"], said["type"]) == (answer.status_code, kind)


@pytest.mark.parametrize("path", ["/open/users", "/open/messages", "/api/v1/bots/open/converse/u"])
@pytest.mark.parametrize("junk", [b"", b"\xff", b"[" * 5_000, b'{"a": NaN}'], ids=len)
def test_junk_is_refused(stand: TestClient, path: str, junk: bytes):
    assert stand.post(path, content=junk).status_code in {400, 401}


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hola", "greeting"),
        ("quiero hablar con una persona", "human_request"),
        ("¿tienen zapatillas talla 42?", "product_query"),
        ("?", "ambiguous"),
    ],
)
def test_the_bot_of_the_demo_answers_by_the_contract(text: str, intent: str):
    assert read_answer(simple_answer({"message": {"content": text}})).intent == intent
