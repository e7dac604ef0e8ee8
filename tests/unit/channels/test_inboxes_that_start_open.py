"""Inboxes whose conversations are open from the first message on: what is a sign of a person there, and what not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.support import MemorySecrets
from tests.unit.channels.conftest import Request, Site, aromo, as_json

from smarteros.channels.chatwoot.channel import ChatwootChannel
from smarteros.channels.chatwoot.events import InboundEvent, parse_event
from smarteros.domain.messages import ConversationState
from smarteros.domain.tenants import InboxSettings, Tenant
from smarteros.kit.http import HttpClient

FIXTURES = Path(__file__).parents[2] / "fixtures" / "chatwoot"
OPEN = (InboxSettings(inbox_id=52, channel="whatsapp", starts="open"),)
PENDING = (InboxSettings(inbox_id=52, channel="whatsapp"),)
BY_EVENT = "2026-06-03T14:05:41.870Z"


def read(name: str, inboxes: tuple[InboxSettings, ...] = OPEN, **changes: Any) -> InboundEvent:
    body: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_bytes())
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = body
        for parent in parents:
            target = target[parent]
        target[last] = value
    return parse_event(body, aromo("https://chat.example", inboxes=inboxes))


def changed(**fields: tuple[object, object]) -> list[dict[str, Any]]:
    """Chatwoot's ``changed_attributes``: before and after, by field."""
    return [{name: {"previous_value": before, "current_value": after}} for name, (before, after) in fields.items()]


def status_changed(status: str, before: str, after: str, **changes: Any) -> InboundEvent:
    """``status`` is the conversation's when the webhook is written; the change itself was from before to after."""
    told = changed(status=(before, after), updated_at=(BY_EVENT, BY_EVENT))
    nobody: dict[str, Any] = {"meta__assignee": None, "meta__assignee_type": None}
    return read("conversation_status_changed", status=status, changed_attributes=told, **(nobody | changes))


@pytest.mark.parametrize(
    ("status", "assignee_type", "reason"),
    [
        ("open", None, None),
        ("open", "AgentBot", None),
        ("pending", None, None),
        ("open", "User", "human_assigned"),
        ("snoozed", None, "conversation_snoozed"),
        ("resolved", None, "conversation_resolved"),
    ],
)
def test_a_message_in_an_open_conversation_is_answered_unless_somebody_is_assigned(
    status: str, assignee_type: str | None, reason: str | None
) -> None:
    where: dict[str, Any] = {"conversation__status": status, "conversation__meta__assignee_type": assignee_type}

    assert read("message_created.whatsapp_text", **where).ignore_reason == reason


@pytest.mark.parametrize("inboxes", [PENDING, (), (InboxSettings(inbox_id=53, channel="whatsapp", starts="open"),)])
def test_in_any_other_inbox_an_open_conversation_is_a_persons(inboxes: tuple[InboxSettings, ...]) -> None:
    verdict = read("message_created.whatsapp_text", inboxes, conversation__status="open")

    assert verdict.ignore_reason == "conversation_open"


def test_a_customer_who_taps_on_our_question_is_answered_where_conversations_are_open() -> None:
    inboxes = (InboxSettings(inbox_id=53, channel="webwidget", starts="open"),)

    assert read("message_updated.input_select_answer", inboxes, conversation__status="open").ignore_reason is None


@pytest.mark.parametrize(
    ("status", "before", "after"),
    [
        ("open", "snoozed", "open"),
        ("open", "open", "open"),
        ("open", "resolved", "open"),
        ("resolved", "open", "resolved"),
    ],
)
def test_an_open_status_is_no_sign_of_a_person(status: str, before: str, after: str) -> None:
    assert not status_changed(status, before, after).takeover


@pytest.mark.parametrize(
    ("status", "before", "led_by"), [("open", "pending", "handed_over"), ("snoozed", "open", "human_snoozed")]
)
def test_opening_a_pending_conversation_and_snoozing_one_are_signs_of_a_person(
    status: str, before: str, led_by: str
) -> None:
    event = status_changed(status, before, status)

    assert (event.takeover, event.gives_back, event.led_by) == (True, False, led_by)


@pytest.mark.parametrize(
    ("status", "before", "after"),
    [
        ("resolved", "open", "resolved"),
        ("open", "resolved", "open"),
        ("open", "open", "resolved"),  # written late: the customer has opened it again since
        ("pending", "open", "pending"),
    ],
)
def test_resolving_a_conversation_or_making_it_pending_gives_it_back(status: str, before: str, after: str) -> None:
    event = status_changed(status, before, after)

    assert (event.takeover, event.gives_back) == (False, True)


def test_a_conversation_that_is_opened_again_while_assigned_stays_its_persons() -> None:
    event = status_changed("open", "resolved", "open", meta__assignee_type="User")

    assert (event.takeover, event.led_by) == (True, "human_assigned")


@pytest.mark.parametrize(
    ("assignee_type", "assignee_id", "verdict"),
    [
        (None, (19, None), (False, True)),
        ("AgentBot", (19, None), (False, True)),
        ("User", (None, 19), (True, False)),
        ("User", (19, None), (True, False)),  # written late: somebody has been assigned since
        (None, (None, None), (False, False)),
    ],
)
def test_taking_a_person_off_a_conversation_gives_it_back(
    assignee_type: str | None, assignee_id: tuple[object, object], verdict: tuple[bool, bool]
) -> None:
    event = read(
        "conversation_updated.assigned",
        status="open",
        meta__assignee_type=assignee_type,
        changed_attributes=changed(assignee_id=assignee_id),
    )

    assert (event.takeover, event.gives_back) == verdict


def test_a_conversations_other_changes_give_nothing_back() -> None:
    event = read(
        "conversation_updated.assigned",
        status="open",
        meta__assignee_type=None,
        changed_attributes=changed(waiting_since=(None, BY_EVENT)),
    )

    assert (event.takeover, event.gives_back, event.happened_at) == (False, False, None)


def test_a_sign_has_the_instant_of_its_event_and_not_that_of_its_webhook() -> None:
    event = status_changed("open", "open", "resolved", updated_at=1_900_000_000.0)

    assert event.happened_at == datetime(2026, 6, 3, 14, 5, 41, 870_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first_reply", "replied_at"),
    [(None, None), (0, None), (BY_EVENT, datetime(2026, 6, 3, 14, 5, 41, 870_000, tzinfo=UTC))],
)
def test_a_message_tells_when_a_person_first_wrote(first_reply: object, replied_at: datetime | None) -> None:
    where: dict[str, Any] = {"conversation__status": "open", "conversation__first_reply_created_at": first_reply}

    assert read("message_created.whatsapp_text", **where).person_replied_at == replied_at
    assert read("message_created.whatsapp_text", PENDING, **where).person_replied_at == replied_at


@pytest.mark.parametrize(
    ("starts", "status", "assigned", "led_by"),
    [
        ("pending", "pending", False, None),
        ("pending", "open", False, "conversation_open"),
        ("open", "open", False, None),
        ("open", "pending", False, None),
        ("open", "open", True, "human_assigned"),
        ("open", "resolved", False, "conversation_resolved"),
        ("open", "snoozed", False, "conversation_snoozed"),
    ],
)
def test_the_state_of_a_conversation_says_whether_a_person_leads(
    starts: Literal["pending", "open"],
    status: Literal["pending", "open", "resolved", "snoozed"],
    assigned: bool,
    led_by: str | None,
) -> None:
    state = ConversationState(
        conversation_id=1, status=status, assigned_to_human=assigned, can_reply=True, starts=starts
    )

    assert state.led_by_person == led_by


class Desk:
    """A Chatwoot with one conversation in an inbox that starts open; keeps what is done to it."""

    def __init__(self, site: Site, http: HttpClient, *, status: str, user_token: bool) -> None:
        self.status = status
        self.messages: list[dict[str, Any]] = []
        self.told: list[tuple[int, datetime | None]] = []
        self.tenant: Tenant = aromo(site.url, inboxes=OPEN)
        site.answer = self._answer
        values = {("TENANT_AROMO", "chatwoot/api_token"): "bot"}
        if user_token:
            values["TENANT_AROMO", "chatwoot/user_token"] = "user"
        self.channel = ChatwootChannel(
            http, MemorySecrets(values), handed_over=lambda _tenant, number, at: self.told.append((number, at))
        )

    def _answer(self, request: Request) -> Any:
        if request.method == "POST" and request.path.endswith("/messages"):
            self.messages.append({"id": 900 + len(self.messages), "message_type": 1} | request.json())
            return as_json(self.messages[-1])
        if request.method == "POST":
            self.status = request.json()["status"]
            return as_json({"payload": {"current_status": self.status}})
        if request.path.endswith("/messages"):
            return as_json({"payload": self.messages})
        fields: dict[str, Any] = {
            "id": 208,
            "inbox_id": 52,
            "status": self.status,
            "updated_at": 1_780_000_000.5,
            "meta": {},
        }
        return as_json(fields | {"can_reply": True, "messages": []})


@pytest.fixture
def open_desk(site: Site, http: HttpClient) -> Callable[[str, bool], Desk]:
    return lambda status, user_token: Desk(site, http, status=status, user_token=user_token)


@pytest.mark.parametrize("user_token", [True, False])
def test_a_hand_over_of_an_open_conversation_is_noted_and_told(
    open_desk: Callable[[str, bool], Desk], user_token: bool
) -> None:
    desk = open_desk("open", user_token)
    desk.channel.hand_over(desk.tenant, 208, "**Resumen del bot**")

    assert [(m["content"], m["private"]) for m in desk.messages] == [("**Resumen del bot**", True)]
    assert (desk.status, desk.told) == ("open", [(208, datetime.fromtimestamp(1_780_000_000.5, UTC))])


def test_a_pending_conversation_of_such_an_inbox_is_opened_as_well(open_desk: Callable[[str, bool], Desk]) -> None:
    desk = open_desk("pending", True)
    desk.channel.hand_over(desk.tenant, 208, "**Resumen del bot**")

    assert (desk.status, len(desk.messages), len(desk.told)) == ("open", 1, 1)


def test_a_hand_over_that_is_repeated_is_noted_once(open_desk: Callable[[str, bool], Desk]) -> None:
    desk = open_desk("open", True)
    for _ in range(2):
        desk.channel.hand_over(desk.tenant, 208, "**Resumen del bot**")

    assert len(desk.messages) == 1
