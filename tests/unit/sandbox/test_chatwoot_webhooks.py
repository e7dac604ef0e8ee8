"""Webhooks of the stand-in Chatwoot: who gets what, signed how, retried when."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smarteros_sandbox.chatwoot.webhooks.signing import rails_json

from .chatwoot_stand import Hook, Receiver, Stand, receiving, running


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with running(tmp_path) as stand:
        yield stand


@pytest.fixture
def bot_url() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def account_url() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def signature_of(hook: Hook, secret: str) -> str:
    signed = hook.headers["X-Chatwoot-Timestamp"].encode() + b"." + hook.body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_both_paths_carry_a_message_each_signed_with_its_own_secret(
    stand: Stand, bot_url: Receiver, account_url: Receiver
) -> None:
    bot = stand.connect_bot(bot_url.url)
    hook = stand.add_webhook(account_url.url)
    stand.customer().say("¿Tienen <zapatillas> & botas talla 42?")
    [to_bot] = bot_url.wait_count(1, "message_created")
    [to_account] = account_url.wait_count(1, "message_created")
    assert to_bot.headers["X-Chatwoot-Signature"] == signature_of(to_bot, bot["secret"])
    assert to_account.headers["X-Chatwoot-Signature"] == signature_of(to_account, hook["secret"])
    assert to_bot.headers["X-Chatwoot-Delivery"] != to_account.headers["X-Chatwoot-Delivery"]
    assert abs(int(to_bot.headers["X-Chatwoot-Timestamp"]) - time.time()) < 60
    assert b"\\u003czapatillas\\u003e \\u0026" in to_bot.body
    assert "¿Tienen".encode() in to_bot.body


def test_bodies_have_the_bytes_of_rails() -> None:
    body = rails_json({"a": "<b>&\u2028\u2029ñ👟", "n": None, "f": 1795336215.123456})
    assert body == '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029ñ👟","n":null,"f":1795336215.123456}'.encode()


def test_a_bot_gets_no_conversation_created_and_an_account_webhook_no_opened(
    stand: Stand, bot_url: Receiver, account_url: Receiver
) -> None:
    stand.connect_bot(bot_url.url)
    stand.add_webhook(account_url.url)
    customer = stand.customer()
    customer.say("hola")
    stand.ok("POST", f"/conversations/{customer.conversation_id}/toggle_status", json={"status": "open"})
    stand.settle()
    to_bot = {hook.event for hook in bot_url.hooks()}
    to_account = {hook.event for hook in account_url.hooks()}
    assert to_bot == {
        "message_created",
        "conversation_opened",
        "conversation_status_changed",
        "conversation_updated",
    }
    assert to_account == {
        "contact_created",
        "conversation_created",
        "message_created",
        "conversation_status_changed",
        "conversation_updated",
    }


def test_notes_and_own_replies_are_echoed_activities_are_not(stand: Stand, bot_url: Receiver) -> None:
    bot = stand.connect_bot(bot_url.url)
    customer = stand.customer()
    customer.say("hola")
    path = f"/conversations/{customer.conversation_id}/messages"
    stand.ok(
        "POST", path, bot["access_token"], json={"content": "respuesta", "content_attributes": {"smos_reply_id": "01J"}}
    )
    stand.ok("POST", path, stand.agent_token(), json={"content": "ojo", "private": True})
    stand.ok("POST", f"/conversations/{customer.conversation_id}/toggle_status", json={"status": "resolved"})
    stand.settle()
    messages = [hook.json for hook in bot_url.hooks("message_created")]
    seen = {(entry["content"], entry["message_type"], entry["private"]) for entry in messages}
    assert seen == {("hola", "incoming", False), ("respuesta", "outgoing", False), ("ojo", "outgoing", True)}
    [reply] = [entry for entry in messages if entry["content"] == "respuesta"]
    assert reply["content_attributes"] == {"smos_reply_id": "01J"}
    assert reply["sender"] == {"id": bot["id"], "name": "SMOS", "type": "agent_bot"}
    history = stand.ok("GET", path)["payload"]
    assert any(entry["message_type"] == 2 for entry in history)


def test_one_message_updated_tells_of_the_delivery(stand: Stand, bot_url: Receiver) -> None:
    bot = stand.connect_bot(bot_url.url)
    customer = stand.customer()
    customer.say("hola")
    posted = stand.ok(
        "POST", f"/conversations/{customer.conversation_id}/messages", bot["access_token"], json={"content": "ya"}
    )
    assert posted["source_id"] is None
    stand.settle()
    [update] = [hook.json for hook in bot_url.hooks("message_updated")]
    assert update["id"] == posted["id"]
    assert update["source_id"].startswith("wamid.")
    assert update["conversation"]["messages"][0]["status"] == "delivered"
    customer.client.post(f"{customer.path}/update_last_seen")
    stand.settle()
    assert bot_url.hooks("message_updated")[-1].json["conversation"]["messages"][0]["status"] == "read"


@pytest.mark.parametrize("status", [429, 500])
def test_a_bot_webhook_is_tried_three_times_then_people_get_the_chat(
    stand: Stand, bot_url: Receiver, status: int
) -> None:
    bot = stand.connect_bot(bot_url.url)
    customer = stand.customer()
    bot_url.always = status
    customer.say("hola")
    attempts = bot_url.wait_count(3, "message_created")
    stand.settle()
    assert len(bot_url.hooks("message_created")) == 3
    assert len({hook.headers["X-Chatwoot-Delivery"] for hook in attempts}) == 1
    for hook in attempts:
        assert hook.headers["X-Chatwoot-Signature"] == signature_of(hook, bot["secret"])
    conversation = stand.conversation(customer.conversation_id)
    assert conversation["status"] == "open"
    assert "error with the agent bot" in conversation["messages"][0]["content"]
    assert conversation["messages"][0]["message_type"] == 2


def test_a_retry_that_succeeds_leaves_the_chat_with_the_bot(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    bot_url.statuses = [500, 500, 200]
    customer.say("hola")
    bot_url.wait_count(3, "message_created")
    stand.settle()
    assert stand.conversation(customer.conversation_id)["status"] == "pending"


@pytest.mark.parametrize("status", [401, 404, 503])
def test_other_failures_are_not_retried(stand: Stand, bot_url: Receiver, status: int) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    bot_url.statuses = [status]
    customer.say("hola")
    stand.settle()
    assert len(bot_url.hooks("message_created")) == 1
    assert stand.conversation(customer.conversation_id)["status"] == "open"


def test_the_account_can_keep_failed_conversations_pending(stand: Stand) -> None:
    stand.connect_bot("http://127.0.0.1:9/nobody-listens")
    stand.ok("PATCH", "", json={"keep_pending_on_bot_failure": True})
    customer = stand.customer()
    customer.say("hola")
    stand.settle()
    assert stand.conversation(customer.conversation_id)["status"] == "pending"


def test_an_account_webhook_is_tried_once(stand: Stand, account_url: Receiver) -> None:
    stand.add_webhook(account_url.url, subscriptions=["message_created"])
    account_url.always = 500
    customer = stand.customer()
    customer.say("hola")
    stand.settle()
    assert len(account_url.hooks()) == 1
    [entry] = stand.chatwoot.deliverer.log.entries(1)
    assert (entry["status"], entry["attempts"], entry["error"]) == (500, 1, "HTTP 500")


def test_a_bot_body_shows_the_moment_an_account_body_what_came_after(
    stand: Stand, bot_url: Receiver, account_url: Receiver
) -> None:
    stand.connect_bot(bot_url.url)
    stand.add_webhook(account_url.url, subscriptions=["message_created"])
    conversation = stand.chatwoot.store.conversation(1, stand.customer().conversation_id)
    assert conversation is not None

    def speak_and_label() -> None:
        stand.chatwoot.messages.receive(conversation, "hola")
        stand.chatwoot.conversations.update(conversation, label_list=["vip"])

    assert stand.client.portal is not None
    stand.client.portal.call(speak_and_label)
    stand.settle()
    assert bot_url.hooks("message_created")[0].json["conversation"]["labels"] == []
    assert account_url.hooks()[0].json["conversation"]["labels"] == ["vip"]


def test_drop_loses_exactly_the_next_customer_message(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    stand.faults.set("chatwoot", "drop", scope="1", times=1)
    customer.say("uno")
    customer.say("dos")
    stand.settle()
    assert [hook.json["content"] for hook in bot_url.hooks("message_created")] == ["dos"]
    assert stand.chatwoot.deliverer.log.entries(1)[0]["error"] == "dropped by fault"


def test_duplicate_sends_twice_with_other_delivery_ids(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    stand.faults.set("chatwoot", "duplicate", times=1)
    customer.say("hola")
    stand.settle()
    hooks = bot_url.hooks("message_created")
    assert len(hooks) == 2
    assert hooks[0].body == hooks[1].body
    assert hooks[0].headers["X-Chatwoot-Delivery"] != hooks[1].headers["X-Chatwoot-Delivery"]


def test_reorder_lets_the_next_message_overtake(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    stand.faults.set("chatwoot", "reorder", times=1)
    customer.say("uno")
    customer.say("dos")
    stand.settle()
    assert [hook.json["content"] for hook in bot_url.hooks("message_created")] == ["dos", "uno"]


def test_late_delays_a_delivery(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    stand.faults.set("chatwoot", "late", value=0.2, times=1)
    started = time.monotonic()
    customer.say("hola")
    bot_url.wait_count(1, "message_created")
    assert time.monotonic() - started >= 0.2


def test_changes_name_the_old_and_the_new_value(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    stand.ok("POST", f"/conversations/{customer.conversation_id}/assignments", json={"assignee_id": 11})
    stand.settle()
    [hook] = bot_url.hooks("conversation_updated")
    changes = {name: change for entry in hook.json["changed_attributes"] for name, change in entry.items()}
    assert changes["assignee_id"] == {"previous_value": None, "current_value": 11}
    assert hook.json["id"] == customer.conversation_id
    assert hook.json["meta"]["assignee_type"] == "User"


@pytest.mark.parametrize(
    ("profile", "bot_signed", "account_signed"),
    [("4.11", False, False), ("4.12", False, True), ("4.13", True, True), ("4.17", True, True)],
)
def test_older_versions_sign_less(
    tmp_path: Path, bot_url: Receiver, account_url: Receiver, profile: str, bot_signed: bool, account_signed: bool
) -> None:
    with running(tmp_path, profile=profile) as stand:
        stand.connect_bot(bot_url.url)
        stand.add_webhook(account_url.url)
        stand.customer().say("hola")
        stand.settle()
    [to_bot] = bot_url.hooks("message_created")
    [to_account] = account_url.hooks("message_created")
    assert ("X-Chatwoot-Signature" in to_bot.headers) is bot_signed
    assert ("X-Chatwoot-Timestamp" in to_account.headers) is account_signed
    assert ("account" in to_bot.json["conversation"]) is (profile == "4.17")


def test_the_seed_profile_signs_the_re_serialised_body(tmp_path: Path, bot_url: Receiver) -> None:
    with running(tmp_path, profile="seed") as stand:
        stand.connect_bot(bot_url.url)
        stand.customer().say("<hola> & adiós")
        stand.settle()
    [hook] = bot_url.hooks("message_created")
    again = json.dumps(hook.json, ensure_ascii=False, separators=(",", ":")).encode()
    assert "X-Chatwoot-Timestamp" not in hook.headers
    expected = hmac.new(b"legacy-secret", again, hashlib.sha256).hexdigest()
    assert hook.headers["X-Chatwoot-Signature"] == expected


def test_a_burst_reaches_the_bot_completely(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    ids = [customer.say(f"mensaje {number}")["id"] for number in range(30)]
    stand.settle()
    assert sorted(hook.json["id"] for hook in bot_url.hooks("message_created")) == ids
