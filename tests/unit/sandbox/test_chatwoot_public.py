"""Playing a customer through the public client API: rows and webhooks look like the inbox's channel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .chatwoot_stand import PHONE, Receiver, Stand, receiving, running

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with running(tmp_path) as stand:
        yield stand


@pytest.fixture
def bot_url() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_whatsapp(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer("whatsapp")
    assert customer.contact["source_id"] == PHONE.removeprefix("+")
    customer.say("hola")
    [hook] = bot_url.wait_count(1, "message_created")
    body = hook.json
    assert body["source_id"].startswith("wamid.")
    assert body["conversation"]["channel"] == "Channel::Whatsapp"
    assert body["conversation"]["contact_inbox"]["source_id"] == PHONE.removeprefix("+")
    assert body["conversation"]["can_reply"] is True
    assert body["content_type"] == "text"
    assert body["content_attributes"] == {}
    assert "attachments" not in body
    assert "type" not in body["sender"]


def test_whatsapp_without_a_number_gets_a_scoped_id(stand: Stand) -> None:
    customer = stand.customer("whatsapp", phone_number=None, name="Sin número")
    assert customer.contact["source_id"].startswith("CL.")


def test_web_widget(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    stand.customer("webwidget").say("hola")
    [hook] = bot_url.wait_count(1, "message_created")
    body = hook.json
    assert body["source_id"] is None
    assert body["content_attributes"] == {"in_reply_to": None}
    assert body["conversation"]["additional_attributes"]["browser"]["browser_name"] == "Chrome"
    assert body["sender"]["phone_number"] is None
    assert body["sender"]["name"]


def test_email(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    text = "Adjunto mi factura.\n\nEl lun, 20 nov 2026, Tienda escribió:\n> gracias"
    stand.customer("email").say(text, subject="Factura 123")
    [hook] = bot_url.wait_count(1, "message_created")
    body = hook.json
    mail = body["content_attributes"]["email"]
    assert body["content_type"] == "incoming_email"
    assert body["source_id"] == mail["message_id"]
    assert body["content"] == text
    assert mail["text_content"]["reply"] == text
    assert mail["text_content"]["quoted"] == "Adjunto mi factura."
    assert mail["subject"] == body["conversation"]["additional_attributes"]["mail_subject"] == "Factura 123"
    assert mail["auto_reply"] is False
    assert body["conversation"]["messages"][0]["processed_message_content"] == "Adjunto mi factura."
    assert body["sender"]["phone_number"] is None


def test_an_automatic_reply_is_marked(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    stand.customer("email").say("Estoy de vacaciones", subject="Fuera de oficina", auto_reply=True)
    [hook] = bot_url.wait_count(1, "message_created")
    assert hook.json["content_attributes"]["email"]["auto_reply"] is True


def test_a_visitor_of_an_email_inbox_may_leave_the_address_out(stand: Stand) -> None:
    answer = stand.client.post("/public/api/v1/inboxes/email-1/contacts", json={"name": "Juan"})
    assert answer.status_code == 200
    assert answer.json()["source_id"].endswith("@visitor.invalid")


def test_the_same_customer_is_found_again(stand: Stand) -> None:
    first = stand.customer("whatsapp")
    second = stand.customer("whatsapp")
    assert first.contact["id"] == second.contact["id"]
    by_mail = stand.customer("email", phone_number=PHONE)
    assert by_mail.contact["id"] == first.contact["id"]


def test_the_customer_sees_replies_but_no_notes(stand: Stand) -> None:
    bot = stand.connect_bot()
    customer = stand.customer()
    customer.say("hola", echo_id="e1")
    path = f"/conversations/{customer.conversation_id}/messages"
    stand.ok("POST", path, bot["access_token"], json={"content": "respuesta"})
    stand.ok("POST", path, stand.agent_token(), json={"content": "nota", "private": True})
    assert [(entry["content"], entry["message_type"]) for entry in customer.sees()] == [
        ("hola", 0),
        ("respuesta", 1),
    ]
    shown = stand.client.get(customer.path).json()
    assert [entry["content"] for entry in shown["messages"]] == ["hola", "respuesta"]
    [listed] = stand.client.get(f"{customer.base}/conversations").json()
    assert listed["contact"]["name"] == "Juan Pérez"


def test_a_picture_without_caption(stand: Stand, bot_url: Receiver) -> None:
    stand.connect_bot(bot_url.url)
    customer = stand.customer()
    sent = customer.send_file("factura ñ.png", PNG, "image/png")
    [hook] = bot_url.wait_count(1, "message_created")
    assert sent["content"] is None
    assert hook.json["content"] is None
    [attachment] = hook.json["attachments"]
    assert attachment["file_type"] == "image"
    assert (attachment["width"], attachment["height"]) == (None, None)
    redirect = stand.client.get(attachment["data_url"], follow_redirects=False)
    assert redirect.status_code == 302
    file = stand.client.get(redirect.headers["location"])
    assert (file.content, file.headers["content-type"]) == (PNG, "image/png")
    assert stand.client.get(attachment["thumb_url"], follow_redirects=True).content == PNG
    forged = attachment["data_url"].replace("--", "--0")
    assert stand.client.get(forged).status_code == 404


def test_an_uploaded_page_is_not_shown_in_place(stand: Stand) -> None:
    sent = stand.customer().send_file("x.html", b"<script>1</script>", "text/html", "mira")
    file = stand.client.get(sent["attachments"][0]["data_url"], follow_redirects=True)
    assert file.headers["content-disposition"].startswith("attachment")
    assert sent["content"] == "mira"


def test_a_picture_may_arrive_later_than_its_webhook(stand: Stand) -> None:
    stand.faults.set("chatwoot", "attachment_404", times=1, value=300)
    url = stand.customer().send_file("f.png", PNG, "image/png")["attachments"][0]["data_url"]
    redirect = stand.client.get(url, follow_redirects=False)
    assert redirect.status_code == 302
    assert stand.client.get(redirect.headers["location"]).status_code == 404
    stand.until(lambda: stand.client.get(redirect.headers["location"]).status_code == 200)


def test_a_message_on_a_resolved_conversation_wakes_the_bot(stand: Stand) -> None:
    stand.connect_bot()
    customer = stand.customer()
    resolved = stand.client.post(f"{customer.path}/toggle_status")
    assert resolved.json()["status"] == "resolved"
    customer.say("otra cosa")
    assert stand.conversation(customer.conversation_id)["status"] == "pending"


def test_without_a_bot_conversations_are_open(stand: Stand) -> None:
    customer = stand.customer()
    stand.client.post(f"{customer.path}/toggle_status")
    customer.say("otra cosa")
    assert stand.conversation(customer.conversation_id)["status"] == "open"


def test_choosing_from_a_selection(stand: Stand, bot_url: Receiver) -> None:
    bot = stand.connect_bot(bot_url.url)
    customer = stand.customer("webwidget")
    customer.say("hola")
    items = [{"title": "Ventas", "value": "sales"}]
    question = stand.ok(
        "POST",
        f"/conversations/{customer.conversation_id}/messages",
        bot["access_token"],
        json={"content": "Elige", "content_type": "input_select", "content_attributes": {"items": items}},
    )
    stand.settle()
    answer = stand.client.patch(
        f"{customer.path}/messages/{question['id']}", json={"submitted_values": items[0] | {"x": 1}}
    )
    assert answer.json()["content_attributes"]["submitted_values"] == items
    stand.settle()
    last = bot_url.hooks("message_updated")[-1].json
    assert last["content_attributes"] == {"items": items, "submitted_values": items}


def test_nobody_reads_anothers_conversation(stand: Stand) -> None:
    mine = stand.customer()
    other = stand.customer("whatsapp", phone_number="+56911111111", name="Otra")
    path = f"{mine.base}/conversations/{other.conversation_id}"
    assert stand.client.get(path).status_code == 404
    assert stand.client.post(f"{path}/messages", json={"content": "x"}).status_code == 404
    assert stand.client.get("/public/api/v1/inboxes/unknown").status_code == 404


def test_the_inbox_contact_and_typing(stand: Stand) -> None:
    assert stand.client.get("/public/api/v1/inboxes/whatsapp-1").json()["identifier"] == "whatsapp-1"
    customer = stand.customer()
    changed = stand.client.patch(customer.base, json={"name": "Juana", "custom_attributes": {"talla": 42}})
    assert changed.json()["custom_attributes"] == {"talla": 42}
    assert stand.client.get(customer.base).json()["name"] == "Juana"
    assert stand.client.post(f"{customer.path}/toggle_typing", json={"typing_status": "on"}).status_code == 200


def test_a_second_start_continues(tmp_path: Path) -> None:
    with running(tmp_path) as stand:
        bot = stand.connect_bot()
        agent = stand.agent_token()
        customer = stand.customer()
        first = customer.send_file("f.png", PNG, "image/png", "antes")
        stand.settle()
    with running(tmp_path) as stand:
        assert stand.agent_token() == agent
        path = f"/conversations/{customer.conversation_id}/messages"
        [entry] = stand.ok("GET", path)["payload"]
        assert entry["content"] == "antes"
        assert stand.client.get(entry["attachments"][0]["data_url"], follow_redirects=True).content == PNG
        again = stand.ok("POST", path, bot["access_token"], json={"content": "después"})
        assert again["id"] > first["id"]
        assert stand.customer().conversation_id == customer.conversation_id + 1
