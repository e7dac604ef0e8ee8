"""A message is answered once although its webhook was lost, or although we were away when it was written."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e.process import DemoProcess
from tests.e2e.world import PATIENCE_S, Customer, World, as_bytes

SHOES, CLOTHES = "TENANT_DEMO", "TENANT_RUT_77123456"
FIXTURE = Path(__file__).parents[1] / "fixtures" / "chatwoot" / "message_created.whatsapp_text.json"


def write_unheard(world: World, customer: Customer, text: str) -> int:
    """Write a message a minute ago whose webhook gets lost."""
    account = world.shop(customer.tenant_id)["account_id"]
    fault = {"service": "chatwoot", "kind": "drop", "scope": str(account), "times": 1}
    world.http.post(f"{world.url}/sandbox/faults", json=fault).raise_for_status()
    hold = {"account_id": account, "now": (datetime.now(UTC) - timedelta(minutes=1)).isoformat()}
    world.http.post(f"{world.url}/sandbox/clock", json=hold).raise_for_status()
    try:
        return customer.write(text)
    finally:
        world.http.post(f"{world.url}/sandbox/clock", json=hold | {"now": None}).raise_for_status()


def reconcile(world: World, tenant_id: str) -> dict[str, Any]:
    """Ask for a run; one that goes on already is waited for."""
    headers = {"Authorization": f"Bearer {world.info['smarteros']['operator_token']}"}
    url = f"{world.info['smarteros']['url']}/api/v1/reconcile"
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = world.http.post(url, params={"tenant_id": tenant_id}, headers=headers).raise_for_status().json()
        if answer["outcome"] != "busy":
            return answer
    raise AssertionError("another run never ended")


def test_a_message_whose_webhook_was_lost_is_answered_once(world: World) -> None:
    customer = world.customer(SHOES)
    written = write_unheard(world, customer, "¿cuál es el horario de atención?")
    report = reconcile(world, SHOES)

    assert report["outcome"] == "done"
    assert "10:00" in customer.reply_to(written)
    assert customer.turn_of(written)["outcome"] == "answered"
    # The operator's run or the background one: whoever came first has written it down, once.
    events = [e for e in world.audit(SHOES) if e["kind"] == "reconciled" and e["details"]["message_id"] == written]
    assert [event["details"]["outcome"] for event in events] == ["accepted"]

    body = json.loads(FIXTURE.read_text())
    body |= {"id": written, "account": {"id": world.shop(SHOES)["account_id"], "name": "x"}}
    bot = next(w for w in world.shop(SHOES)["webhooks"] if w["kind"] == "agent_bot")
    assert world.post_webhook(bot["url"], as_bytes(body), bot["secret"]).json()["status"] == "duplicate"
    assert reconcile(world, SHOES)["found"] == {}
    assert len(customer.replies(after=written)) == 1


def test_a_question_a_person_has_answered_meanwhile_is_left_to_him(world: World) -> None:
    customer = world.customer(CLOTHES)
    written = write_unheard(world, customer, "¿tienen estacionamiento?")
    shop = world.shop(CLOTHES)
    chatwoot = f"{world.info['base_urls']['chatwoot']}/api/v1/accounts/{shop['account_id']}"
    headers = {"api_access_token": shop["tokens"]["chatwoot_administrator"]}
    messages = f"{chatwoot}/conversations/{customer.conversation_id}/messages"
    world.http.post(messages, json={"content": "Sí, al frente."}, headers=headers).raise_for_status()
    reconcile(world, CLOTHES)

    assert reconcile(world, CLOTHES)["found"] == {}
    assert customer.replies(after=written) == ["Sí, al frente."]


def test_what_was_written_while_we_were_away_is_answered_once_after_the_start(tmp_path: Path) -> None:
    demo = DemoProcess(tmp_path, "--port", "0")
    with demo, World(demo.url) as world:
        customer = world.customer(SHOES)
        assert customer.ask("hola")
        # Chatwoot opens the conversation when a webhook of it fails, as one would that is under way when we die.
        world.until_received(SHOES, customer.messages()[-1]["id"])
        written = write_unheard(world, customer, "¿cuál es el horario de atención?")
        demo.kill()
        path = customer.messages_url.removeprefix(world.info["base_urls"]["chatwoot"])

    with DemoProcess(tmp_path, "--port", "0") as again, World(again.url) as world:
        customer.world = world
        customer.messages_url = world.info["base_urls"]["chatwoot"] + path
        assert "10:00" in customer.reply_to(written)
        assert reconcile(world, SHOES)["found"] == {}
        assert len(customer.replies(after=written)) == 1
