"""The stand-in's database: rows in memory, every change written through to SQLite.

Reads are plain dictionary look-ups, which keeps a whole demo answer below a millisecond. Writes go to a WAL
file without waiting for the disk: killing the process loses nothing, and that is all a stand-in must survive.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from smarteros_sandbox.chatwoot.records import (
    Account,
    AgentBot,
    Article,
    Attachment,
    CannedResponse,
    Category,
    Contact,
    ContactInbox,
    Conversation,
    Inbox,
    Label,
    Message,
    Portal,
    Row,
    Team,
    User,
    Webhook,
)

RowT = TypeVar("RowT", bound=Row)
UNIQUE_CONTACT_FIELDS = ("identifier", "email", "phone_number")


class Table(Generic[RowT]):
    """All rows of one kind by id, in id order."""

    def __init__(self, database: sqlite3.Connection, name: str, row_type: type[RowT], first_id: int) -> None:
        self._database = database
        self._name = name
        self._next_id = first_id
        self._rows: dict[int, RowT] = {}
        database.execute(f"CREATE TABLE IF NOT EXISTS {name} (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        query = f"SELECT body FROM {name} ORDER BY id"  # noqa: S608 - the name is one of ours
        for (body,) in database.execute(query):
            row = row_type(**json.loads(body))
            self._rows[row.id] = row
            self._next_id = max(self._next_id, row.id + 1)

    def __iter__(self) -> Iterator[RowT]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, row_id: int | None) -> RowT | None:
        """The row, or None."""
        return None if row_id is None else self._rows.get(row_id)

    def __getitem__(self, row_id: int) -> RowT:
        return self._rows[row_id]

    def add(self, row: RowT) -> RowT:
        """Store a new row; it gets the next id unless it brings one."""
        if not row.id:
            row.id = self._next_id
        self._next_id = max(self._next_id, row.id + 1)
        self._rows[row.id] = row
        self.save(row)
        return row

    def save(self, row: RowT) -> None:
        """Write a changed row."""
        body = json.dumps(row.__dict__, ensure_ascii=False, separators=(",", ":"))
        query = f"INSERT OR REPLACE INTO {self._name} (id, body) VALUES (?, ?)"  # noqa: S608
        self._database.execute(query, (row.id, body))

    def delete(self, row: RowT) -> None:
        """Remove a row; its id is never given again while the process lives."""
        self._rows.pop(row.id, None)
        self._database.execute(f"DELETE FROM {self._name} WHERE id = ?", (row.id,))  # noqa: S608


class Store:
    """The tables and the look-ups that need an index."""

    def __init__(self, path: Path | str) -> None:
        # Tests drive the application from another thread than the one that built it; never from two at once.
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        database = self._database
        self.accounts = Table(database, "accounts", Account, 1)
        self.inboxes = Table(database, "inboxes", Inbox, 1)
        self.users = Table(database, "users", User, 1)
        self.agent_bots = Table(database, "agent_bots", AgentBot, 1)
        self.webhooks = Table(database, "webhooks", Webhook, 1)
        self.contacts = Table(database, "contacts", Contact, 9001)
        self.contact_inboxes = Table(database, "contact_inboxes", ContactInbox, 501)
        self.conversations = Table(database, "conversations", Conversation, 2001)
        self.messages = Table(database, "messages", Message, 70001)
        self.attachments = Table(database, "attachments", Attachment, 801)
        self.canned_responses = Table(database, "canned_responses", CannedResponse, 1)
        self.portals = Table(database, "portals", Portal, 1)
        self.categories = Table(database, "categories", Category, 1)
        self.articles = Table(database, "articles", Article, 1)
        self.teams = Table(database, "teams", Team, 1)
        self.labels = Table(database, "labels", Label, 1)
        self._messages_of: dict[int, list[Message]] = defaultdict(list)
        self._attachments_of: dict[int, list[Attachment]] = defaultdict(list)
        self._conversation_by_display_id: dict[tuple[int, int], Conversation] = {}
        self._conversations_of: dict[int, list[Conversation]] = defaultdict(list)
        self._contact_inbox_by_source: dict[tuple[int, str], ContactInbox] = {}
        self._contact_by_field: dict[tuple[int, str, str], Contact] = {}
        self._build_indexes()

    def _build_indexes(self) -> None:
        for contact in self.contacts:
            self._index_contact(contact)
        for conversation in self.conversations:
            self._index_conversation(conversation)
        for message in self.messages:
            self._messages_of[message.conversation_id].append(message)
        for attachment in self.attachments:
            self._attachments_of[attachment.message_id].append(attachment)
        for contact_inbox in self.contact_inboxes:
            self._contact_inbox_by_source[contact_inbox.inbox_id, contact_inbox.source_id] = contact_inbox

    def _index_conversation(self, conversation: Conversation) -> None:
        self._conversation_by_display_id[conversation.account_id, conversation.display_id] = conversation
        self._conversations_of[conversation.account_id].append(conversation)

    def _index_contact(self, contact: Contact) -> None:
        for name in UNIQUE_CONTACT_FIELDS:
            value = getattr(contact, name)
            if value:
                self._contact_by_field[contact.account_id, name, value] = contact

    def close(self) -> None:
        """Close the database file."""
        self._database.close()

    def add_conversation(self, conversation: Conversation) -> Conversation:
        """Store a new conversation under the next display id of its account."""
        account = self.accounts[conversation.account_id]
        conversation.display_id = account.next_display_id
        account.next_display_id += 1
        self.accounts.save(account)
        self.conversations.add(conversation)
        self._index_conversation(conversation)
        return conversation

    def add_message(self, message: Message) -> Message:
        """Store a new message at the end of its conversation."""
        self.messages.add(message)
        self._messages_of[message.conversation_id].append(message)
        return message

    def add_attachment(self, attachment: Attachment) -> Attachment:
        """Store a new attachment of a stored message."""
        self.attachments.add(attachment)
        self._attachments_of[attachment.message_id].append(attachment)
        return attachment

    def remove_attachments(self, message: Message) -> None:
        """Drop the attachments of a deleted message."""
        for attachment in self._attachments_of.pop(message.id, []):
            self.attachments.delete(attachment)

    def add_contact_inbox(self, contact_inbox: ContactInbox) -> ContactInbox:
        """Store a contact's address in an inbox."""
        self.contact_inboxes.add(contact_inbox)
        self._contact_inbox_by_source[contact_inbox.inbox_id, contact_inbox.source_id] = contact_inbox
        return contact_inbox

    def add_contact(self, contact: Contact) -> Contact:
        """Store a new contact."""
        self.contacts.add(contact)
        self._index_contact(contact)
        return contact

    def replace_contact(self, contact: Contact, changed: Contact) -> None:
        """Give a stored contact the values of another one with the same id."""
        for name in UNIQUE_CONTACT_FIELDS:
            self._contact_by_field.pop((contact.account_id, name, getattr(contact, name) or ""), None)
        contact.__dict__.update(changed.__dict__)
        self._index_contact(contact)
        self.contacts.save(contact)

    def contact_with(self, account_id: int, field: str, value: str) -> Contact | None:
        """The contact whose identifier, email or phone_number is ``value``."""
        return self._contact_by_field.get((account_id, field, value))

    def messages_of(self, conversation: Conversation) -> list[Message]:
        """All messages of a conversation, oldest first."""
        return self._messages_of.get(conversation.id, [])

    def attachments_of(self, message: Message) -> list[Attachment]:
        """The files of a message."""
        return self._attachments_of.get(message.id, [])

    def conversation(self, account_id: int, display_id: int) -> Conversation | None:
        """A conversation as the API names it."""
        return self._conversation_by_display_id.get((account_id, display_id))

    def conversations_of(self, account_id: int) -> list[Conversation]:
        """All conversations of an account, oldest first."""
        return self._conversations_of.get(account_id, [])

    def contact_inbox(self, inbox: Inbox, source_id: str) -> ContactInbox | None:
        """A contact's address in an inbox, as the public API names a contact."""
        return self._contact_inbox_by_source.get((inbox.id, source_id))

    def inbox_by_identifier(self, identifier: str) -> Inbox | None:
        """An inbox as the public API names it."""
        return next((inbox for inbox in self.inboxes if inbox.identifier == identifier), None)

    def token_owner(self, token: str) -> User | AgentBot | None:
        """Whose access token this is."""
        for owner in (*self.users, *self.agent_bots):
            if owner.access_token == token:
                return owner
        return None
