"""The endpoints another orchestrator leads turns by, asked as the generated workflows ask them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tests.conftest import RunningStack
from tests.e2e.orchestrating import back_to_our_workers, orchestrate, until_known
from tests.e2e.test_webhooks import hook, text_message
from tests.e2e.world import PATIENCE_S, Customer, World, as_bytes
from tests.support import serving

SHOP = "TENANT_RUT_77123456"


class Automation:
    """Whoever gets the shop's webhooks in our place: it keeps them, to bring them when the test says so."""

    def __init__(self) -> None:
        self._got: dict[int, tuple[bytes, dict[str, str]]] = {}
        self._news = threading.Condition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        body = json.loads(raw)
        if body["event"] == "message_created":
            headers = {name: value for name, value in request.headers.items() if name.startswith("x-chatwoot-")}
            with self._news:
                self._got[body["id"]] = raw, headers
                self._news.notify_all()
        await Response()(scope, receive, send)

    def webhook_of(self, message_id: int) -> tuple[bytes, dict[str, str]]:
        with self._news:
            assert self._news.wait_for(lambda: message_id in self._got, PATIENCE_S)
            return self._got[message_id]


@pytest.fixture(scope="module")
def automation(stack: RunningStack, world: World) -> Iterator[Automation]:
    """Leads the shop's turns, as the operator has said; afterwards our workers do."""
    taker = Automation()
    with serving(taker) as url:
        orchestrate(stack, SHOP, "--by", "n8n", "--webhook-url", f"{url}/webhook/chatwoot-events")
        until_known(world, SHOP)
        yield taker
        back_to_our_workers(stack, world, SHOP)


class Turn:
    """A customer's message, brought to the endpoint as the workflows bring it."""

    def __init__(self, world: World, automation: Automation, text: str) -> None:
        self.world = world
        self.customer: Customer = world.customer(SHOP)
        self.sent = self.customer.write(text)
        self.webhook = automation.webhook_of(self.sent)
        self.key = self.begin()["turn"]["key"]

    def begin(self) -> dict[str, Any]:
        raw, headers = self.webhook
        return self.world.http.post(f"{self.world.url}/api/v1/turns", content=raw, headers=headers).json()

    def post(self, step: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        bearer = {"Authorization": f"Bearer {self.key}"}
        return self.world.http.post(f"{self.world.url}/api/v1/turns/{step}", json=body, headers=bearer | headers)

    def resolve(self) -> dict[str, Any]:
        answer = self.post("resolve")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def decide(self, question: dict[str, Any], **changes: str) -> Any:
        headers = {
            "Authorization": f"Bearer {self.key}",
            "X-SMOS-Tenant-ID": SHOP,
            "X-SMOS-Conversation-ID": str(question["request"]["conversation_id"]),
            "X-SMOS-Channel": question["request"]["channel"],
            "X-SMOS-User-Role": "end_user",
            "X-Chatwoot-Signature": "0" * 64,
        }
        url = f"{self.world.url}/api/v1/workspaces/{question['workspace_id']}/bots/{question['bot']}/run"
        return self.world.http.post(url, json=question["request"], headers=headers | changes)


@pytest.fixture(scope="module", autouse=True)
def left_alone(world: World, automation: Automation) -> Turn:
    """A turn that is begun before all others and gone on with by nobody: its eight seconds pass meanwhile."""
    return Turn(world, automation, "¿A qué hora abren?")


def led(world: World, automation: Automation, text: str) -> tuple[Turn, dict[str, Any]]:
    """Let new customers write until one's turn is had before our workers take it, and return its question."""
    deadline = time.monotonic() + 5 * PATIENCE_S
    while time.monotonic() < deadline:
        turn = Turn(world, automation, text)
        question = turn.resolve()
        if question["status"] == "decide":
            return turn, question
    raise AssertionError("our workers have taken every turn")


def test_a_turn_is_led_from_its_webhook_to_its_reply(world: World, automation: Automation) -> None:
    turn, question = led(world, automation, "¿Tienen poleras talla L?")
    decision = turn.decide(question).json()
    called = turn.post("call_tools", {"story": question["story"], "decision": decision}).json()
    done = turn.post("reply", {"story": called["story"]}).json()

    assert (question["status"], question["request"]["message"]["content"]) == ("decide", "¿Tienen poleras talla L?")
    assert (called["flow_id"], called["results"][0]["outcome"]) == ("e2e_shopify_sales", "ok")
    assert done == {"outcome": "answered", "reason": None}
    (reply,) = turn.customer.replies()
    assert "CLP" in reply
    assert [event["intent"] for event in world.audit(SHOP, conversation_id=str(turn.customer.conversation_id))] == [
        "product_query"
    ]


def test_the_same_webhook_again_gives_no_second_turn(world: World, automation: Automation) -> None:
    turn, question = led(world, automation, "¿A qué hora abren?")
    again = turn.begin()

    assert (again["status"], again["turn"]) == ("duplicate", None)
    decision = turn.decide(question).json()
    assert turn.post("reply", {"story": question["story"], "decision": decision}).json()["outcome"] == "answered"
    assert turn.post("reply", {"story": question["story"], "decision": decision}).status_code == 409
    assert len(turn.customer.replies()) == 1


def test_a_wrong_signature_gets_no_turn(world: World) -> None:
    answer = world.post_webhook(f"{world.url}/api/v1/turns", as_bytes(text_message(world, SHOP)), "another-secret")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_signature")


def test_a_key_opens_its_own_turn_only(world: World, automation: Automation) -> None:
    turn, question = led(world, automation, "¿A qué hora abren?")
    other, foreign = led(world, automation, "¿Dónde quedan?")

    assert turn.post("give_up", {"story": foreign["story"]}).status_code == 401
    assert turn.post("give_up", {"story": question["story"][:-4] + "AAAA"}).status_code == 401
    assert turn.post("resolve", Authorization="Bearer eyJhbGciOiJub25lIn0.e30.").status_code == 401
    assert turn.decide(foreign).status_code == 401
    assert turn.post("give_up", {"story": question["story"]}).json()["outcome"] == "answered"
    other.post("give_up", {"story": foreign["story"]})


def test_the_story_is_no_key_and_the_key_no_story(world: World, automation: Automation) -> None:
    turn, question = led(world, automation, "¿A qué hora abren?")

    assert turn.post("give_up", {"story": turn.key}).status_code == 401
    key, turn.key = turn.key, question["story"]
    assert turn.post("give_up", {"story": question["story"]}).status_code == 401
    turn.key = key
    turn.post("give_up", {"story": question["story"]})


def test_a_shop_our_workers_lead_gives_no_turn_away(world: World) -> None:
    other = "TENANT_RUT_78987654"
    begun = world.post_webhook(
        f"{world.url}/api/v1/turns", as_bytes(text_message(world, other)), hook(world, other)[1]
    ).json()

    assert (begun["status"], begun["turn"]) == ("accepted", None)


def test_a_message_nobody_leads_is_answered_by_our_workers_after_all(left_alone: Turn) -> None:
    assert "11:00 a 20:00" in left_alone.customer.reply_to(left_alone.sent, within_s=60)
