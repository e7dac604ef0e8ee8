"""The endpoints other orchestrators use: the agent contract and the tools."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.world import World
from tests.mcp_door import modern

SHOES, CLOTHES = "TENANT_DEMO", "TENANT_RUT_77123456"


def headers(world: World, tenant_id: str, bearer: str, **changes: str) -> dict[str, str]:
    return {
        "X-SMOS-Tenant-ID": tenant_id,
        "X-SMOS-Conversation-ID": "12345",
        "X-SMOS-Channel": "whatsapp",
        "X-SMOS-User-Role": "end_user",
        "X-Chatwoot-Signature": "0" * 64,
        "Authorization": f"Bearer {bearer}",
        **changes,
    }


def question(tenant_id: str, text: str = "¿Tienen zapatillas talla 42?") -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "channel": "whatsapp",
        "conversation_id": 12345,
        "contact": {"id": 9988, "name": "Juan Pérez", "phone": "+56979540471", "email": None},
        "message": {"id": 555, "type": "text", "content": text, "attachments": []},
        "context": {
            "language": "es-CL",
            "shopify_connected": True,
            "shopify_store_domain": "tienda-demo.myshopify.com",
        },
    }


def run(world: World, tenant_id: str, body: dict[str, Any], bearer: str | None = None, **changes: str) -> Any:
    ours = world.info["smarteros"]
    url = f"{world.url}/api/v1/workspaces/{ours['workspaces'][tenant_id]}/bots/sales/run"
    key = bearer or ours["agent_api_keys"][tenant_id]
    return world.http.post(url, json=body, headers=headers(world, tenant_id, key, **changes))


def call(world: World, tool: str, params: dict[str, Any], **changes: str) -> Any:
    token = world.info["smarteros"]["tool_tokens"][SHOES]
    return world.http.post(
        f"{world.url}/api/tools/{tool}", json=params, headers=headers(world, SHOES, token, **changes)
    )


def test_the_first_documents_request_gets_the_first_documents_response(world: World) -> None:
    answer = run(world, SHOES, question(SHOES))

    assert answer.status_code == 200
    decision = answer.json()
    assert (decision["intent"], decision["route"]) == ("product_query", "shopify_sales")
    assert decision["entities"]["category"] == "zapatillas"
    assert decision["entities"]["size"] == "42"
    assert decision["actions"][0]["type"] == "CALL_MCP"
    assert decision["actions"][0]["tool"] == "shopify_search_products"
    assert decision["reply_suggestion"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-SMOS-Tenant-ID", CLOTHES), ("X-SMOS-Conversation-ID", "54321"), ("X-SMOS-Channel", "email")],
)
def test_headers_that_contradict_the_body_are_403(world: World, name: str, value: str) -> None:
    answer = run(world, SHOES, question(SHOES), **{name: value})

    assert (answer.status_code, answer.json()["code"]) == (403, "header_mismatch")


def test_the_key_of_one_tenant_does_not_open_the_agent_of_another(world: World) -> None:
    foreign = world.info["smarteros"]["agent_api_keys"][CLOTHES]

    assert run(world, SHOES, question(SHOES), foreign).status_code == 401


def test_an_unknown_field_is_refused_by_name(world: World) -> None:
    answer = run(world, SHOES, question(SHOES) | {"surprise": 1})

    assert answer.status_code == 422
    assert "surprise" in answer.json()["error"]


def test_a_tool_finds_products_for_an_outside_caller(world: World) -> None:
    answer = call(world, "shopify_search_products", {"query": "zapatillas talla 42", "limit": 5})

    assert answer.status_code == 200
    first = answer.json()["products"][0]
    assert (first["price"], first["currency"]) == (39990, "CLP")


def test_the_same_tool_answers_by_mcp(world: World) -> None:
    body, routing = modern("tools/call", {"name": "shopify_search_products", "arguments": {"query": "zapatillas 42"}})
    token = world.info["smarteros"]["tool_tokens"][SHOES]
    sent = routing | {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    result = world.http.post(f"{world.url}/mcp", json=body, headers=sent).json()["result"]

    first = result["structuredContent"]["products"][0]
    assert (first["price"], first["currency"]) == (39990, "CLP")
    assert first["title"] in result["content"][0]["text"]


def test_wrong_parameters_of_a_tool_are_422(world: World) -> None:
    assert call(world, "shopify_search_products", {"query": "x", "limit": -1}).status_code == 422


def test_a_token_of_one_tenant_does_not_open_the_tools_of_another(world: World) -> None:
    answer = call(world, "shopify_search_products", {"query": "x"}, **{"X-SMOS-Tenant-ID": CLOTHES})

    assert (answer.status_code, answer.json()["code"]) == (403, "header_mismatch")


def test_a_shops_own_key_is_no_bearer_for_tools(world: World) -> None:
    own = world.shop(SHOES)["shopify"]["admin_token"]
    answer = call(world, "shopify_search_products", {"query": "x"}, Authorization=f"Bearer {own}")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_an_invoices_details_do_not_leave_for_a_caller_who_is_not_its_customer(world: World) -> None:
    answer = call(world, "odoo_find_invoice", {"invoice_number": "INV-2025-001"})

    assert answer.status_code == 200
    assert answer.json()["invoice"] is None
    assert "María" not in answer.text


def test_both_endpoints_are_in_the_openapi_description_with_typed_models(world: World) -> None:
    described = world.http.get(f"{world.url}/openapi.json").json()

    assert "/api/v1/workspaces/{workspace_id}/bots/{bot_id}/run" in described["paths"]
    assert "/api/tools/shopify_search_products" in described["paths"]
    assert {"AgentRequest", "Decision", "ProductList"} <= set(described["components"]["schemas"])


def test_health_names_every_dependency(world: World) -> None:
    for path in ("/health", "/api/v1/health"):
        health = world.http.get(world.url + path).json()
        assert health["status"] == "ok"
        assert set(health["checks"]) == {"store", "engine", "agent", "tools", "chatwoot", "shopify", "odoo"}


def test_metrics_speak_of_turns_and_steps(world: World) -> None:
    customer = world.customer(SHOES)
    customer.turn_of(customer.write("¿hacen envíos a Temuco?"))
    text = world.http.get(f"{world.url}/metrics").text

    assert 'smos_turns_total{flow="e2e_faq_quick",outcome="answered",tenant="TENANT_DEMO"}' in text
    for step in ("resolve", "decide", "call_tools", "reply", "audit"):
        assert f'smos_step_duration_seconds_count{{outcome="ok",step="{step}",tenant="TENANT_DEMO"}}' in text
