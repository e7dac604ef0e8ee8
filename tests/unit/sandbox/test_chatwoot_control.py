"""The sandbox's control surface."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from smarteros_sandbox.control import Sandbox, create_control_app
from smarteros_sandbox.faults import Faults

from .chatwoot_stand import Stand, demo_shop, running, small_shop

URLS = {name: f"http://{name}.example" for name in ("chatwoot", "shopify", "odoo", "vision", "control")}


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with running(tmp_path) as stand:
        yield stand


@pytest.fixture
def control(stand: Stand) -> Iterator[TestClient]:
    sandbox = Sandbox([small_shop()], stand.faults, stand.chatwoot, date(2025, 11, 1), URLS)
    with TestClient(create_control_app(sandbox)) as client:
        yield client


def test_info_names_everything(stand: Stand, control: TestClient) -> None:
    before = control.get("/sandbox/info").json()
    assert before["base_urls"] == URLS
    [tenant] = before["tenants"]
    assert tenant["tokens"] == {"chatwoot_administrator": stand.token, "chatwoot_bot": None}
    assert tenant["inbox_identifiers"]["whatsapp"] == "whatsapp-1"
    assert {agent["token"] for agent in tenant["agents"]} >= {stand.agent_token()}
    assert tenant["odoo"]["instance_url"] == URLS["odoo"]
    assert tenant["kb_url"].startswith("/sandbox/")
    assert tenant["catalogue"] == [product.title for product in demo_shop().products]
    for invoice in tenant["invoices"]:
        date.fromisoformat(invoice["date"])
        assert invoice["customer_name"]
    bot = stand.connect_bot("https://bot.example/hook")
    hook = stand.add_webhook("https://bot.example/account")
    [tenant] = control.get("/sandbox/info").json()["tenants"]
    assert tenant["tokens"]["chatwoot_bot"] == bot["access_token"]
    assert tenant["webhooks"] == [
        {"kind": "agent_bot", "url": "https://bot.example/hook", "secret": bot["secret"]},
        {"kind": "account", "url": "https://bot.example/account", "secret": hook["secret"]},
    ]


def test_documents_and_pictures(control: TestClient) -> None:
    [tenant] = control.get("/sandbox/info").json()["tenants"]
    documents = control.get(tenant["kb_url"]).json()["documents"]
    assert {entry["name"] for entry in documents} == set(demo_shop().kb)
    invoice = tenant["invoices"][0]
    sharp, blurred = (control.get(invoice[key]) for key in ("image_url", "blurred_image_url"))
    assert sharp.headers["content-type"] == "image/png"
    assert sharp.content.startswith(b"\x89PNG")
    assert sharp.content != blurred.content
    assert control.get("/sandbox/tenants/TENANT_1/invoices/NO-1.png").status_code == 404
    assert control.get("/sandbox/tenants/NOBODY/kb").status_code == 404


def test_faults_are_armed_used_up_and_cleared(stand: Stand, control: TestClient) -> None:
    fault = {"service": "chatwoot", "kind": "api_500", "scope": "1", "times": 1, "value": None}
    assert control.post("/sandbox/faults", json=fault).json() == {"faults": [fault]}
    assert stand.api("GET", "/inboxes").status_code == 500
    assert control.get("/sandbox/faults").json() == {"faults": []}
    control.post("/sandbox/faults", json=fault)
    control.post("/sandbox/faults", json=fault | {"service": "odoo", "scope": None})
    left = control.delete("/sandbox/faults", params={"service": "odoo"}).json()["faults"]
    assert [entry["service"] for entry in left] == ["chatwoot"]
    assert control.delete("/sandbox/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"service": "nobody", "kind": "x"},
        {"service": "odoo"},
        {"service": "odoo", "kind": "x", "times": 0},
        {"service": "odoo", "kind": "x", "times": "soon"},
        {"service": "odoo", "kind": "x", "value": True},
        {"service": "odoo", "kind": "x", "value": {"a": 1}},
    ],
)
def test_faults_that_make_no_sense_are_refused(control: TestClient, body: dict[str, Any]) -> None:
    assert control.post("/sandbox/faults", json=body).status_code == 422


def test_a_fault_of_one_account_does_not_hit_another() -> None:
    faults = Faults()
    faults.set("odoo", "http_500", scope="TENANT_1", times=2)
    assert faults.take("odoo", "http_500", "TENANT_2") is None
    assert faults.take("odoo", "http_500", "TENANT_1") is not None
    [left] = faults.list()
    assert left.times == 1
    with pytest.raises(ValueError, match="unknown service"):
        faults.set("nobody", "x")


def test_the_clock(stand: Stand, control: TestClient) -> None:
    now = "2025-11-01T12:00:00-03:00"
    assert control.post("/sandbox/clock", json={"account_id": 1, "now": now}).status_code == 200
    assert stand.customer().say("hola")["created_at"] == 1762009200
    control.post("/sandbox/clock", json={"account_id": 1, "now": None})
    assert stand.customer().say("hola")["created_at"] != 1762009200
    for wrong in ("2025-11-01T12:00:00", "soon", 5, "0001-01-01T00:00:00+14:00"):
        assert control.post("/sandbox/clock", json={"account_id": 1, "now": wrong}).status_code == 422
    assert control.post("/sandbox/clock", json={"account_id": 99, "now": None}).status_code == 404


def test_deliveries_are_listed(stand: Stand, control: TestClient) -> None:
    stand.add_webhook("http://127.0.0.1:1/nobody", subscriptions=["message_created"])
    stand.customer().say("hola")
    stand.settle()
    [entry] = control.get("/sandbox/webhook-deliveries?account_id=1").json()["deliveries"]
    assert (entry["event"], entry["status"], entry["attempts"], entry["done"]) == ("message_created", 0, 1, True)
    assert entry["error"].startswith("ConnectionRefusedError")
    assert control.get("/sandbox/webhook-deliveries?account_id=2").json() == {"deliveries": []}
