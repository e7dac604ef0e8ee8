"""Conversations: creating, changing, and the events and activity lines that follow from a change."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from smarteros_sandbox.chatwoot.clock import iso_milliseconds
from smarteros_sandbox.chatwoot.records import (
    AgentBot,
    Contact,
    ContactInbox,
    Conversation,
    Inbox,
    JsonObject,
    Message,
    MessageType,
    Team,
    User,
)
from smarteros_sandbox.chatwoot.shapes import webhook
from smarteros_sandbox.chatwoot.view import View
from smarteros_sandbox.chatwoot.webhooks.dispatch import Dispatcher, Event

UPDATE_EVENT_FIELDS = frozenset(
    {
        "team_id",
        "assignee_id",
        "assignee_agent_bot_id",
        "status",
        "snoozed_until",
        "custom_attributes",
        "label_list",
        "waiting_since",
        "first_reply_created_at",
        "priority",
    }
)
"""Chatwoot app/models/conversation.rb#list_of_keys: only these fire ``conversation_updated``."""
TIME_FIELDS = frozenset({"snoozed_until", "waiting_since", "first_reply_created_at", "updated_at"})
STATUS_WORDS = {
    "open": "reopened",
    "resolved": "marked resolved",
    "pending": "marked as pending",
    "snoozed": "snoozed",
}
BOT_FAILURE_TEXT = "Conversation was marked open by system due to an error with the agent bot"


class Conversations:
    """Chatwoot app/models/conversation.rb with its activity message handler."""

    def __init__(self, view: View, dispatcher: Dispatcher) -> None:
        self._view = view
        self._dispatcher = dispatcher

    def create(
        self,
        address: ContactInbox,
        *,
        custom_attributes: JsonObject | None = None,
        additional_attributes: JsonObject | None = None,
        status: str | None = None,
        assignee_id: int | None = None,
    ) -> Conversation:
        """A new conversation: pending when the inbox has an active bot, since 4.16.2 assigned to it."""
        inbox = self._view.store.inboxes[address.inbox_id]
        now = self._view.clock.now(inbox.account_id)
        if inbox.agent_bot_id is not None:
            status = "pending"
        if self._view.store.contacts[address.contact_id].blocked:
            status = "resolved"
        assigned_bot = inbox.agent_bot_id if self._view.profile.assigns_bot_on_create else None
        conversation = self._view.store.add_conversation(
            Conversation(
                account_id=inbox.account_id,
                inbox_id=inbox.id,
                contact_id=address.contact_id,
                contact_inbox_id=address.id,
                uuid=str(uuid4()),
                status=status or "open",
                assignee_id=assignee_id,
                assignee_agent_bot_id=None if assignee_id else assigned_bot,
                custom_attributes=custom_attributes or {},
                additional_attributes=additional_attributes or {},
                waiting_since=now,
                last_activity_at=now,
                created_at=now,
                updated_at=now,
            )
        )
        self._emit("conversation_created", conversation)
        return conversation

    def update(self, conversation: Conversation, **changes: Any) -> bool:
        """Set fields, store the row and send what Chatwoot sends for the difference. False: nothing changed."""
        differences: list[JsonObject] = []
        for name, value in changes.items():
            previous = getattr(conversation, name)
            if previous == value:
                continue
            setattr(conversation, name, value)
            shown = [_shown(name, entry) for entry in (previous, value)]
            differences.append({name: {"previous_value": shown[0], "current_value": shown[1]}})
        if not differences:
            return False
        before = conversation.updated_at
        conversation.updated_at = self._view.clock.now(conversation.account_id)
        stamps = [iso_milliseconds(before), iso_milliseconds(conversation.updated_at)]
        differences.append({"updated_at": {"previous_value": stamps[0], "current_value": stamps[1]}})
        self._view.store.conversations.save(conversation)
        changed = {name for entry in differences for name in entry}
        extra = {"changed_attributes": differences}
        if "status" in changed:
            if conversation.status in ("open", "resolved"):
                name = "conversation_opened" if conversation.status == "open" else "conversation_resolved"
                self._emit(name, conversation)
            self._emit("conversation_status_changed", conversation, extra)
        if changed & UPDATE_EVENT_FIELDS:
            self._emit("conversation_updated", conversation, extra)
        return True

    def set_status(
        self, conversation: Conversation, status: str, by: str | None, snoozed_until: float | None = None
    ) -> None:
        """Change the status; ``by`` is the name in the activity line (None: no line)."""
        until = snoozed_until if status == "snoozed" else None
        if self.update(conversation, status=status, snoozed_until=until) and by is not None:
            self.add_activity(conversation, f"Conversation was {STATUS_WORDS[status]} by {by}")

    def assign(self, conversation: Conversation, assignee: User | AgentBot | None, by: str) -> None:
        """Assign to a person or a bot, or to nobody."""
        bot_had_it = conversation.assignee_agent_bot_id is not None
        changes: JsonObject = {
            "assignee_id": assignee.id if isinstance(assignee, User) else None,
            "assignee_agent_bot_id": assignee.id if isinstance(assignee, AgentBot) else None,
        }
        if self._view.profile.assignment_moves_status:
            if isinstance(assignee, AgentBot):
                changes["status"] = "pending"
            elif isinstance(assignee, User) and bot_had_it and conversation.status == "pending":
                changes["status"] = "open"
        if self.update(conversation, **changes):
            target = "unassigned" if assignee is None else f"Assigned to {assignee.name}"
            text = f"Conversation {target} by {by}" if assignee is None else f"{target} by {by}"
            self.add_activity(conversation, text)

    def assign_team(self, conversation: Conversation, team: Team | None, by: str) -> None:
        """Assign to a team or to none; nobody of it is chosen, as in a team without people of the inbox."""
        former = self._view.team(conversation)
        if not self.update(conversation, team_id=None if team is None else team.id):
            return
        if team is not None:
            self.add_activity(conversation, f"Assigned to {team.name} by {by}")
        elif former is not None:
            self.add_activity(conversation, f"Unassigned from {former.name} by {by}")

    def open_after_bot_failure(self, conversation: Conversation) -> None:
        """Chatwoot lib/webhooks/trigger.rb: a pending conversation goes to people when its bot fails."""
        account = self._view.store.accounts[conversation.account_id]
        if conversation.status != "pending" or account.settings.get("keep_pending_on_bot_failure"):
            return
        self.update(conversation, status="open")
        self.add_activity(conversation, BOT_FAILURE_TEXT)

    def add_activity(self, conversation: Conversation, text: str) -> None:
        """A grey line in the history. Activities never reach a webhook."""
        now = self._view.clock.now(conversation.account_id)
        self._view.store.add_message(
            Message(
                account_id=conversation.account_id,
                inbox_id=conversation.inbox_id,
                conversation_id=conversation.id,
                message_type=MessageType.ACTIVITY,
                content=text,
                created_at=now,
                updated_at=now,
            )
        )
        conversation.last_activity_at = now
        self._view.store.conversations.save(conversation)

    def typing(self, conversation: Conversation, who: Contact | User | AgentBot, *, on: bool, private: bool) -> None:
        """Somebody types, or stops to."""
        name = "conversation_typing_on" if on else "conversation_typing_off"
        self._dispatcher.emit(
            Event(
                name,
                conversation.account_id,
                lambda: webhook.typing(self._view, conversation, who, private=private),
                conversation,
            )
        )

    def _emit(self, name: str, conversation: Conversation, extra: JsonObject | None = None) -> None:
        self._dispatcher.emit(
            Event(
                name,
                conversation.account_id,
                lambda: webhook.conversation(self._view, conversation),
                conversation,
                extra=extra or {},
            )
        )


def initial_attributes(inbox: Inbox, *, subject: str | None, language: str, now: float) -> JsonObject:
    """``additional_attributes`` of a conversation that a customer starts, per channel."""
    match inbox.channel:
        case "email":
            return {
                "in_reply_to": None,
                "source": "email",
                "auto_reply": False,
                "mail_subject": subject,
                "initiated_at": {"timestamp": iso_milliseconds(now)},
            }
        case "webwidget":
            return {
                "browser_language": language,
                "browser": {
                    "browser_name": "Chrome",
                    "browser_version": "142.0",
                    "device_name": "Unknown",
                    "platform_name": "Windows",
                    "platform_version": "10.0",
                },
                "initiated_at": {"timestamp": iso_milliseconds(now)},
                "referer": inbox.address,
            }
        case _:
            return {}


def _shown(name: str, value: object) -> object:
    return iso_milliseconds(value) if name in TIME_FIELDS and isinstance(value, float) else value
