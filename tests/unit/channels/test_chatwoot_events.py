"""What each webhook body means, one fixture per situation, and that no body whatever crashes the reader."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarteros.channels.chatwoot.events import InboundEvent, parse_event
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import InboxSettings, Tenant

FIXTURES = Path(__file__).parents[2] / "fixtures" / "chatwoot"
# name -> (reason, take-over)
VERDICTS: dict[str, tuple[str | None, bool]] = {
    "conversation_created": ("not_a_message_event", False),
    "conversation_status_changed": ("not_a_message_event", True),
    "conversation_updated.assigned": ("not_a_message_event", True),
    "message_created.bare": (None, False),
    "message_created.email": (None, False),
    "message_created.outgoing_by_bot": ("own_reply", False),
    "message_created.outgoing_by_human": ("human_reply", True),
    "message_created.private_note": ("private_note", False),
    "message_created.template_greeting": ("template", False),
    "message_created.webwidget_text": (None, False),
    "message_created.whatsapp_app_echo": ("whatsapp_app_echo", True),
    "message_created.whatsapp_image_no_caption": (None, False),
    "message_created.whatsapp_text": (None, False),
    "message_updated.input_select_answer": (None, False),
    "message_updated.send_failed_24h": ("delivery_failed", False),
    "webwidget_triggered": ("not_a_message_event", False),
}
MakeTenant = Callable[..., Tenant]


def load(name: str, folder: Path = FIXTURES) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_bytes())


def changed(name: str, **fields: Any) -> InboundEvent:
    """The verdict on a fixture with some fields replaced; ``a__b`` means ``body["a"]["b"]``."""
    body = copy.deepcopy(load(name))
    for path, value in fields.items():
        *parents, last = path.split("__")
        target = body
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = value
    return parse_event(body)


@pytest.fixture
def tenant(make_tenant: MakeTenant) -> Tenant:
    return make_tenant("https://chat.aromo.example")


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_each_fixture_has_its_verdict(name: str) -> None:
    event = parse_event(load(name))
    assert (event.ignore_reason, event.takeover) == VERDICTS[name]
    assert event.account_id == 31
    assert event.conversation_id == (None if name == "webwidget_triggered" else 208)


def test_every_fixture_file_has_an_expected_verdict() -> None:
    assert {path.stem for path in FIXTURES.glob("*.json")} == {*VERDICTS, "signatures"}


def test_the_recorded_deliveries_have_the_same_verdicts(shared_dir: Path) -> None:
    folder = shared_dir / "fixtures" / "chatwoot"
    for path in folder.glob("*_*.json"):
        event = parse_event(load(path.stem, folder))
        assert (event.ignore_reason, event.takeover) == VERDICTS[path.stem], path.stem


def test_a_whatsapp_text_becomes_a_message_with_its_sender_and_instant(tenant: Tenant) -> None:
    message = parse_event(load("message_created.whatsapp_text")).message(tenant)
    assert message is not None
    assert (message.id, message.tenant_id, message.account_id) == (905311, "TENANT_AROMO", 31)
    assert (message.conversation_id, message.inbox_id, message.channel) == (208, 52, "whatsapp")
    assert message.contact == Contact(id=4410, name="Camila Rojas", phone="+56922334455", proven="+56922334455")
    assert message.text == "¿Les queda la polera negra en L?"
    assert message.created_at == datetime(2026, 6, 3, 14, 5, 41, 870_000, tzinfo=UTC)


def test_a_photo_without_caption_is_an_empty_text_with_an_attachment(tenant: Tenant) -> None:
    message = parse_event(load("message_created.whatsapp_image_no_caption")).message(tenant)
    assert message is not None
    assert message.text == ""
    (photo,) = message.attachments
    assert (photo.id, photo.kind, photo.content_type, photo.file_size) == (6021, "image", "image/jpeg", 240118)
    assert photo.url.startswith("https://chat.aromo.example/rails/active_storage/blobs/redirect/")


def test_of_a_mail_only_the_new_words_are_the_message(tenant: Tenant) -> None:
    message = parse_event(load("message_created.email")).message(tenant)
    assert message is not None
    assert message.channel == "email"
    assert message.text == "Buenas tardes, ¿cuánto demora el despacho a Temuco?"
    assert message.contact.email == "camila@correo.example"


def test_a_tapped_option_is_answered_as_if_its_title_had_been_written(tenant: Tenant) -> None:
    message = parse_event(load("message_updated.input_select_answer")).message(tenant)
    assert message is not None
    assert message.text == "Cambios"
    assert message.contact.id == 4410
    assert message.created_at == datetime.fromtimestamp(1780495541.870412, UTC)


def test_a_bare_body_gets_the_same_positive_id_every_time(tenant: Tenant) -> None:
    first, again = parse_event(load("message_created.bare")), parse_event(load("message_created.bare"))
    assert first.message_id == again.message_id
    assert first.message_id is not None
    assert 0 < first.message_id < 10**12
    other = changed("message_created.bare", content="otra cosa")
    assert other.message_id != first.message_id
    message = first.message(tenant)
    assert message is not None
    assert (message.channel, message.created_at) == ("whatsapp", datetime(2026, 6, 3, 14, 5, 41, tzinfo=UTC))


def test_our_own_echoed_reply_carries_its_marker() -> None:
    assert parse_event(load("message_created.outgoing_by_bot")).reply_id == "f3a91c0b7d2e4856a1c9d0e2b4"


def test_a_failed_delivery_says_why() -> None:
    event = parse_event(load("message_updated.send_failed_24h"))
    assert event.external_error == "Message outside the 24-hour window"


INCOMING = "message_created.whatsapp_text"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sender__blocked": True}, "blocked_contact"),
        ({"sender__type": "user"}, "not_a_contact"),
        ({"content_attributes__deleted": True}, "deleted"),
        ({"content_attributes__is_unsupported": True}, "unsupported"),
        ({"content": "\u200b ", "attachments": []}, "unsupported"),
        ({"content_type": "input_csat"}, "csat"),
        ({"content_attributes__email": {"auto_reply": True}}, "auto_reply_mail"),
        ({"private": True}, "private_note"),
        ({"message_type": "activity"}, "activity"),
        ({"message_type": 2}, "activity"),
        ({"conversation__meta__assignee_type": "User"}, "human_assigned"),
        ({"conversation__status": "open"}, "conversation_open"),
        ({"conversation__status": "resolved"}, "conversation_resolved"),
        ({"conversation__status": "snoozed"}, "conversation_snoozed"),
        ({"conversation__status": "a_new_one"}, "conversation_open"),
        ({"event": "conversation_typing_on"}, "not_a_message_event"),
        ({"event": "message_exploded"}, "unknown_event"),
    ],
)
def test_an_incoming_message_is_not_answered_when(fields: dict[str, Any], reason: str) -> None:
    assert changed(INCOMING, **fields).ignore_reason == reason


def test_a_mail_answered_by_a_machine_is_ignored_by_its_conversation_too() -> None:
    event = changed("message_created.email", conversation__additional_attributes={"auto_reply": True})
    assert event.ignore_reason == "auto_reply_mail"


def test_a_muted_message_can_still_be_kept(tenant: Tenant) -> None:
    event = changed(INCOMING, conversation__status="open")
    message = event.message(tenant)
    assert message is not None
    assert message.text == "¿Les queda la polera negra en L?"


def test_an_ignored_event_has_no_message(tenant: Tenant) -> None:
    assert parse_event(load("message_created.private_note")).message(tenant) is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"content_attributes__deleted": True}, "deleted"),
        ({"content_type": "input_csat"}, "csat"),
        ({"content_attributes__submitted_values": []}, "message_updated"),
        ({"content_type": "text"}, "message_updated"),
        ({"conversation__meta__assignee_type": "User"}, "human_assigned"),
    ],
)
def test_an_update_is_not_answered_when(fields: dict[str, Any], reason: str) -> None:
    assert changed("message_updated.input_select_answer", **fields).ignore_reason == reason


@pytest.mark.parametrize(
    ("sender", "source_id", "reason"),
    [
        ({"type": "captain_assistant", "id": 1}, None, "outgoing"),
        (None, None, "outgoing"),
        (None, "wamid.x", "whatsapp_app_echo"),
        ({"type": "user", "id": 19}, None, "human_reply"),
    ],
)
def test_an_outgoing_message_tells_who_wrote_it(sender: Any, source_id: str | None, reason: str) -> None:
    event = changed("message_created.outgoing_by_bot", sender=sender, source_id=source_id, content_attributes={})
    assert event.ignore_reason == reason
    assert event.takeover == (reason in {"human_reply", "whatsapp_app_echo"})


def test_a_satisfaction_question_is_named_as_such() -> None:
    assert changed("message_created.template_greeting", content_type="input_csat").ignore_reason == "csat"


@pytest.mark.parametrize(
    ("channel_type", "configured", "contact", "channel"),
    [
        ("Channel::Whatsapp", "email", {}, "whatsapp"),
        ("Channel::TwilioSms", None, {}, "whatsapp"),
        ("Channel::Api", None, {}, "webwidget"),
        ("Channel::Api", "whatsapp", {}, "whatsapp"),
        ("Channel::Telegram", "webwidget", {}, "webwidget"),
        ("Channel::Telegram", None, {"phone_number": "+569"}, "whatsapp"),
        (None, None, {"phone_number": None, "email": "c@correo.example"}, "email"),
        (None, None, {"phone_number": None, "email": None}, "webwidget"),
    ],
)
def test_the_channel_is_known_by_type_then_setting_then_contact(
    make_tenant: MakeTenant, channel_type: str | None, configured: Any, contact: dict[str, Any], channel: str
) -> None:
    inboxes = (InboxSettings(inbox_id=52, channel=configured),) if configured else ()
    event = changed(
        INCOMING, conversation__channel=channel_type, **{f"sender__{key}": value for key, value in contact.items()}
    )
    message = event.message(make_tenant("https://chat.aromo.example", inboxes=inboxes))
    assert message is not None
    assert message.channel == channel


def test_a_body_without_account_belongs_to_the_first_account_of_its_url(tenant: Tenant) -> None:
    message = changed(INCOMING, account=None).message(tenant)
    assert message is not None
    assert message.account_id == 31


def test_text_no_database_can_hold_is_cleaned_and_cut(tenant: Tenant) -> None:
    message = changed(INCOMING, content="a\x00b\ud800c" + "x" * 30_000).message(tenant)
    assert message is not None
    assert message.text.startswith("ab?c")
    assert len(message.text) < 20_001


@pytest.mark.parametrize(
    "fields",
    [
        {"event": None},
        {"event": 7},
        {"event": ""},
        {"account": []},
        {"account__id": "31"},
        {"account__id": True},
        {"account__id": -1},
        {"account__id": 2**70},
        {"conversation": "208"},
        {"conversation__id": None},
        {"conversation__id": 1.5},
        {"content": {"a": 1}},
        {"created_at": None},
        {"created_at": "tomorrow"},
        {"created_at": 1e300},
        {"created_at": "0001-01-01T00:00:00+14:00"},
        {"created_at": [1]},
        {"message_type": "shout"},
        {"message_type": None},
        {"private": "no"},
        {"attachments": {}},
        {"attachments": [3]},
        {"sender": 4, "conversation__meta": {}},
        {"sender": None, "conversation__meta": {}},
        {"inbox": None, "conversation__inbox_id": None},
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_in_one_sentence(fields: dict[str, Any]) -> None:
    with pytest.raises(RejectedInputError) as caught:
        changed(INCOMING, **fields)
    assert caught.value.code == "malformed_event"
    assert caught.value.operator_message.startswith("body")


def test_a_body_too_deep_to_hash_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(200_000):
        deep = {"x": deep}
    body = {**load("message_created.bare"), "more": deep}
    with pytest.raises(RejectedInputError):
        parse_event(body)
    while deep:  # taken apart by hand: freeing it at once recurses as deeply
        deep = deep["x"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=20,
)


def accept_or_refuse(body: Any, tenant: Tenant) -> None:
    try:
        parse_event(body).message(tenant)
    except RejectedInputError as error:
        assert error.operator_message


ANY_TENANT = Tenant(
    tenant_id="TENANT_ANY",
    name="Any",
    rut="1-9",
    tenant_key="k" * 16,
    chatwoot_url="https://c.example",
    chatwoot_account_ids=(1,),
)


@settings(max_examples=150, deadline=None)
@given(body=JSON)
def test_any_json_whatever_is_read_or_refused(body: Any) -> None:
    accept_or_refuse(body, ANY_TENANT)


@st.composite
def damaged_fixture(draw: st.DrawFn) -> Any:
    """A real body with one to three values anywhere in it replaced by arbitrary JSON."""
    body = load(draw(st.sampled_from(sorted(VERDICTS))))
    for _ in range(draw(st.integers(1, 3))):
        node = body
        while True:
            key = draw(st.sampled_from(sorted(node)))
            value = node[key]
            if not (isinstance(value, dict) and value and draw(st.booleans())):
                node[key] = draw(JSON)
                break
            node = value
    return body


@settings(max_examples=250, deadline=None)
@given(body=damaged_fixture())
def test_a_damaged_real_body_is_read_or_refused(body: Any) -> None:
    accept_or_refuse(body, ANY_TENANT)
