"""What the channel vouches for, and how a visitor tries to be taken for somebody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smarteros.channels.chatwoot.events import parse_event
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import InboxSettings, Tenant

FIXTURES = Path(__file__).parents[2] / "fixtures" / "chatwoot"
MakeTenant = Callable[..., Tenant]
VICTIM_PHONE, VICTIM_EMAIL = "+56912345678", "maria@example.cl"


@pytest.fixture
def tenant(make_tenant: MakeTenant) -> Tenant:
    return make_tenant("https://chat.aromo.example")


def contact(name: str, tenant: Tenant, *, sender: dict[str, Any] | None = None, **inbox: Any) -> Contact:
    """The contact of a fixture's message, with changed fields of its sender and of its address in the inbox."""
    body = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    body["sender"].update(sender or {})
    body["conversation"].setdefault("contact_inbox", {}).update(inbox)
    message = parse_event(body).message(tenant)
    assert message is not None
    return message.contact


def test_whatsapp_vouches_for_the_number_the_message_came_from(tenant: Tenant) -> None:
    assert contact("message_created.whatsapp_text", tenant).proven == "+56922334455"


def test_a_phone_somebody_wrote_into_a_whatsapp_contact_is_not_believed(tenant: Tenant) -> None:
    changed = contact("message_created.whatsapp_text", tenant, sender={"phone_number": VICTIM_PHONE})
    assert (changed.phone, changed.proven) == (VICTIM_PHONE, "+56922334455")


def test_a_whatsapp_sender_without_a_number_is_vouched_for_by_nobody(tenant: Tenant) -> None:
    sender = {"phone_number": VICTIM_PHONE}
    assert contact("message_created.whatsapp_text", tenant, sender=sender, source_id="CL.1ab2").proven is None


def test_an_answer_to_a_mail_reaches_only_the_owner_of_its_address(tenant: Tenant) -> None:
    assert contact("message_created.email", tenant).proven == "camila@correo.example"


@pytest.mark.parametrize("claimed", [{"email": VICTIM_EMAIL}, {"phone_number": VICTIM_PHONE}])
def test_a_web_chat_vouches_for_nothing_its_visitor_says(tenant: Tenant, claimed: dict[str, str]) -> None:
    assert contact("message_created.webwidget_text", tenant, sender=claimed).proven is None


def test_identity_validation_confirms_the_identifier_and_nothing_sent_along_with_it(tenant: Tenant) -> None:
    sender = {"identifier": "ana@correo.example", "email": VICTIM_EMAIL, "phone_number": VICTIM_PHONE}
    validated = contact("message_created.webwidget_text", tenant, sender=sender, hmac_verified=True)
    assert validated.proven == "ana@correo.example"
    assert contact("message_created.webwidget_text", tenant, sender=sender, hmac_verified=False).proven is None


def bare(tenant: Tenant, inbox_channel: str | None) -> Contact:
    body = json.loads((FIXTURES / "message_created.bare.json").read_text("utf-8"))
    inbox = body["conversation"]["inbox_id"]
    inboxes = (InboxSettings(inbox_id=inbox, channel=inbox_channel),) if inbox_channel else ()  # type: ignore[arg-type]
    message = parse_event(body).message(tenant.model_copy(update={"inboxes": inboxes}))
    assert message is not None
    return message.contact


def test_of_a_bare_body_the_operators_setting_of_the_inbox_vouches(tenant: Tenant) -> None:
    assert bare(tenant, "whatsapp").proven == bare(tenant, "whatsapp").phone
    assert bare(tenant, "webwidget").proven is None
    assert bare(tenant, None).proven is None, "that it is WhatsApp is only supposed"
