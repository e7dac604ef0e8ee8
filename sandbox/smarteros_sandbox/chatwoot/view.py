"""What the JSON shapes need to look up: rows, the clock, the public address and derived facts."""

from __future__ import annotations

from dataclasses import dataclass

from smarteros_sandbox.chatwoot.blobs import Blobs
from smarteros_sandbox.chatwoot.clock import AccountClock
from smarteros_sandbox.chatwoot.profiles import Profile
from smarteros_sandbox.chatwoot.records import (
    AgentBot,
    Contact,
    Conversation,
    Inbox,
    Message,
    MessageType,
    Team,
    User,
)
from smarteros_sandbox.chatwoot.store import Store

CHANNEL_CLASSES = {
    "whatsapp": "Channel::Whatsapp",
    "webwidget": "Channel::WebWidget",
    "email": "Channel::Email",
}
WHATSAPP_WINDOW_SECONDS = 24 * 3600
MAX_UNREAD = 10


@dataclass
class View:
    """Read access for the shapes. ``base_url`` is FRONTEND_URL, set once the port is known."""

    store: Store
    clock: AccountClock
    blobs: Blobs
    profile: Profile
    base_url: str = "http://127.0.0.1"

    def inbox(self, conversation: Conversation) -> Inbox:
        """The inbox of a conversation."""
        return self.store.inboxes[conversation.inbox_id]

    def channel_class(self, inbox: Inbox) -> str:
        """The Ruby class name, by which Chatwoot names channels."""
        return CHANNEL_CLASSES[inbox.channel]

    def contact(self, conversation: Conversation) -> Contact:
        """The customer of a conversation."""
        return self.store.contacts[conversation.contact_id]

    def team(self, conversation: Conversation) -> Team | None:
        """The team a conversation is assigned to."""
        return self.store.teams.get(conversation.team_id)

    def sender(self, message: Message) -> Contact | User | AgentBot | None:
        """Who wrote the message; None for templates, activities and removed senders."""
        match message.sender_type:
            case "Contact":
                return self.store.contacts.get(message.sender_id)
            case "User":
                return self.store.users.get(message.sender_id)
            case "AgentBot":
                return self.store.agent_bots.get(message.sender_id)
            case _:
                return None

    def assignee(self, conversation: Conversation) -> User | AgentBot | None:
        """The person the conversation is assigned to, else its bot."""
        user = self.store.users.get(conversation.assignee_id)
        return user or self.store.agent_bots.get(conversation.assignee_agent_bot_id)

    def can_reply(self, conversation: Conversation) -> bool:
        """Chatwoot app/services/conversations/message_window_service.rb: 24 h after the customer's last word."""
        if self.inbox(conversation).channel != "whatsapp":
            return True
        for message in reversed(self.store.messages_of(conversation)):
            if message.kind is MessageType.INCOMING:
                age = self.clock.now(conversation.account_id) - message.created_at
                return age < WHATSAPP_WINDOW_SECONDS
        return False

    def unread_count(self, conversation: Conversation) -> int:
        """Incoming messages the agents have not seen, at most ten as in ``unread_incoming_messages``."""
        seen = conversation.agent_last_seen_at or 0.0
        unread = 0
        for message in reversed(self.store.messages_of(conversation)):
            if message.created_at <= seen or unread == MAX_UNREAD:
                break
            unread += message.kind is MessageType.INCOMING
        return unread

    def last_message(self, conversation: Conversation, *, public: bool = False) -> Message | None:
        """The last message that is no activity; with ``public`` private notes do not count either."""
        for message in reversed(self.store.messages_of(conversation)):
            if message.kind is not MessageType.ACTIVITY and not (public and message.private):
                return message
        return None
