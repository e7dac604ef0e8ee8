"""Messages in the account API of the stand-in Chatwoot: posting, listing, refusing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from .chatwoot_stand import Stand, running


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with running(tmp_path, accounts=2) as stand:
        yield stand


def test_display_ids_are_per_account_message_ids_are_global(stand: Stand) -> None:
    first = stand.customer()
    base = "/public/api/v1/inboxes/whatsapp-2/contacts"
    contact = stand.client.post(base, json={"name": "Otra", "phone_number": "+56911111111"}).json()
    second = stand.client.post(f"{base}/{contact['source_id']}/conversations", json={}).json()
    assert (first.conversation_id, second["id"]) == (1, 1)
    mine = first.say("hola")
    path = f"{base}/{contact['source_id']}/conversations/1/messages"
    theirs = stand.client.post(path, json={"content": "hola"}).json()
    assert theirs["id"] == mine["id"] + 1


def test_history_pages(stand: Stand) -> None:
    customer = stand.customer()
    ids = [customer.say(str(number))["id"] for number in range(30)]
    path = f"/conversations/{customer.conversation_id}/messages"

    def listed(query: str) -> list[int]:
        return [entry["id"] for entry in stand.ok("GET", path + query)["payload"]]

    assert listed("") == ids[-20:]
    assert listed(f"?before={ids[25]}") == ids[5:25]
    assert listed(f"?after={ids[4]}") == ids[5:]
    assert listed(f"?after={ids[4]}&before={ids[8]}") == ids[5:8]
    assert listed("?after=junk") == ids


def test_internal_messages_can_be_left_out(stand: Stand) -> None:
    customer = stand.customer()
    customer.say("hola")
    stand.post(customer.conversation_id, content="nota", private=True)
    stand.ok("POST", f"/conversations/{customer.conversation_id}/toggle_status", json={"status": "resolved"})
    path = f"/conversations/{customer.conversation_id}/messages"
    assert len(stand.ok("GET", path)["payload"]) == 3
    shown = stand.ok("GET", f"{path}?filter_internal_messages=true")["payload"]
    assert [entry["content"] for entry in shown] == ["hola"]


def test_liquid_is_executed_and_visible(stand: Stand) -> None:
    customer = stand.customer("email")
    texts = {
        "tu correo {{ contact.email }}": "tu correo juan@cliente.example",
        "[{{no_existe}}]": "[]",
        "a{% assign x = 'secreto' %}b{{ x | upcase }}": "absecreto",
        "{% raw %}{{ contact.email }}{% endraw %}": "{{ contact.email }}",
        "usa `{{ contact.email }}` así": "usa `{{ contact.email }}` así",
        "abierto {{ contact.email": "abierto {{ contact.email",
        "{\u200b{ contact.email }}": "{\u200b{ contact.email }}",
    }
    for written, expected in texts.items():
        assert stand.post(customer.conversation_id, content=written)["content"] == expected


def test_flooding_is_refused(stand: Stand) -> None:
    customer = stand.customer()
    path = f"/conversations/{customer.conversation_id}/messages"
    for _ in range(200):
        customer.say("x")
    answer = stand.api("POST", path, json={"content": "y"})
    assert (answer.status_code, answer.json()) == (422, {"error": "Validation failed: Too many messages"})
    as_customer = stand.client.post(f"{customer.path}/messages", json={"content": "y"})
    assert as_customer.json() == {"message": "Too many messages", "attributes": ["base"]}


def test_outside_24_hours_a_text_fails_later_and_a_template_does_not(stand: Stand) -> None:
    customer = stand.customer()
    customer.say("hola")
    message = stand.chatwoot.store.messages[customer.sees()[0]["id"]]
    message.created_at -= 24 * 3600 + 1
    number = customer.conversation_id
    assert stand.conversation(number)["can_reply"] is False
    text = stand.post(number, content="tarde")
    template = stand.post(
        number, content="plantilla", template_params={"name": "aviso", "category": "UTILITY", "language": "es"}
    )
    assert text["status"] == "sent"
    stand.settle()
    history = {entry["id"]: entry for entry in stand.ok("GET", f"/conversations/{number}/messages")["payload"]}
    assert history[text["id"]]["status"] == "failed"
    assert "24-hour window" in history[text["id"]]["content_attributes"]["external_error"]
    assert history[template["id"]]["status"] == "delivered"


def test_a_user_may_post_as_the_bot(stand: Stand) -> None:
    bot = stand.connect_bot()
    number = stand.customer().conversation_id
    message = stand.post(number, content="hola", sender_type="AgentBot", sender_id=bot["id"])
    assert message["sender"]["type"] == "agent_bot"


def test_buttons_need_items_with_title_and_value(stand: Stand) -> None:
    path = f"/conversations/{stand.customer().conversation_id}/messages"
    good = {"content": "Elige", "content_type": "input_select"}
    items = [{"title": "Ventas", "value": "sales"}]
    answer = stand.ok("POST", path, json=good | {"content_attributes": {"items": items}})
    assert answer["content_attributes"] == {"items": items}
    for attributes in ({}, {"items": []}, {"items": [{"title": "x", "id": 1}]}, {"items": "x"}):
        assert stand.api("POST", path, json=good | {"content_attributes": attributes}).status_code == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"content": "x", "message_type": "incoming"},
        {"content": "x", "message_type": "strange"},
        {"content": "x", "content_type": "strange"},
        {"content": "x" * 150_001},
    ],
)
def test_messages_that_are_refused(stand: Stand, fields: dict[str, Any]) -> None:
    answer = stand.api("POST", f"/conversations/{stand.customer().conversation_id}/messages", json=fields)
    assert answer.status_code == 422
    assert set(answer.json()) == {"error"}


def test_an_attachment_by_multipart(stand: Stand) -> None:
    path = f"/conversations/{stand.customer().conversation_id}/messages"
    answer = stand.ok(
        "POST",
        path,
        data={"content": "boleta", "content_attributes": '{"smos_reply_id":"01J"}', "private": "false"},
        files=[("attachments[]", ("boleta ñ.pdf", b"%PDF-1.7", "application/pdf"))],
    )
    assert answer["content_attributes"] == {"smos_reply_id": "01J"}
    [attachment] = answer["attachments"]
    assert (attachment["file_type"], attachment["extension"], attachment["file_size"]) == ("file", "pdf", 8)
    download = stand.client.get(attachment["data_url"], follow_redirects=True)
    assert download.content == b"%PDF-1.7"
    many = [("attachments[]", (f"{number}.txt", b"x", "text/plain")) for number in range(16)]
    assert stand.api("POST", path, data={"content": "x"}, files=many).status_code == 422


def test_a_deleted_message_is_emptied(stand: Stand) -> None:
    number = stand.customer().conversation_id
    message = stand.post(number, content="error mío")
    stand.ok("DELETE", f"/conversations/{number}/messages/{message['id']}")
    [entry] = stand.ok("GET", f"/conversations/{number}/messages")["payload"]
    assert entry["content"] == "This message was deleted"
    assert entry["content_attributes"] == {"deleted": True}


def test_the_account_clock_dates_new_rows_only(stand: Stand) -> None:
    instant = datetime.fromisoformat("2025-11-01T12:00:00-03:00")
    stand.chatwoot.clock.set(1, instant)
    customer = stand.customer()
    assert customer.say("hola")["created_at"] == int(instant.timestamp())
    stand.chatwoot.clock.set(1, None)
    assert abs(customer.say("hola")["created_at"] - time.time()) < 60


def test_save_then_500_keeps_the_message(stand: Stand) -> None:
    number = stand.customer("webwidget").conversation_id
    stand.faults.set("chatwoot", "save_then_500", scope="1", times=1)
    path = f"/conversations/{number}/messages"
    body = {"content": "hola", "content_attributes": {"smos_reply_id": "01J"}}
    assert stand.api("POST", path, json=body).status_code == 500
    [saved] = stand.ok("GET", path)["payload"]
    assert saved["content_attributes"] == {"smos_reply_id": "01J"}
