"""The public client API: how a program plays a customer. No token; the inbox identifier is the key.

A real Chatwoot serves it for API inboxes only. Here it opens every inbox, and what a customer does through it
leaves rows and webhooks that look like that inbox's channel.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smarteros_sandbox.chatwoot.attributes import check_custom_attributes
from smarteros_sandbox.chatwoot.conversations import initial_attributes
from smarteros_sandbox.chatwoot.errors import not_found
from smarteros_sandbox.chatwoot.http.messages import page_of
from smarteros_sandbox.chatwoot.http.params import Params, read_params
from smarteros_sandbox.chatwoot.http.routing import ok, path_id
from smarteros_sandbox.chatwoot.installation import Installation
from smarteros_sandbox.chatwoot.messages import MailFields
from smarteros_sandbox.chatwoot.records import Contact, ContactInbox, Conversation, Inbox, JsonObject, Message
from smarteros_sandbox.chatwoot.shapes import public
from smarteros_sandbox.chatwoot.values import as_list, as_object, as_text

CONTACT_FIELDS = ("identifier", "name", "email", "phone_number", "custom_attributes", "source_id")
SUBMITTED_FIELDS = ("name", "title", "value")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a customer."""

    chatwoot: Installation
    request: Request
    inbox: Inbox
    params: Params

    def address(self) -> ContactInbox:
        """The contact in the path, by the source id it got at creation."""
        found = self.chatwoot.store.contact_inbox(self.inbox, str(self.request.path_params["source_id"]))
        if found is None:
            raise not_found()
        return found

    def contact(self) -> Contact:
        """The customer."""
        return self.chatwoot.store.contacts[self.address().contact_id]

    def conversation(self) -> Conversation:
        """The conversation in the path, if it is this customer's."""
        display_id = path_id(self.request, "conversation_id")
        found = self.chatwoot.store.conversation(self.inbox.account_id, display_id)
        if found is None or found.contact_inbox_id != self.address().id:
            raise not_found()
        return found

    def contact_fields(self) -> JsonObject:
        """The parameters a contact may be given."""
        return {name: self.params[name] for name in CONTACT_FIELDS if name in self.params}


async def show_inbox(visit: Visit) -> Response:
    """The inbox."""
    return ok(public.inbox(visit.inbox))


async def create_contact(visit: Visit) -> Response:
    """A customer, known or new; keep ``source_id``, it names him from now on."""
    address = visit.chatwoot.contacts.find_or_create(visit.inbox, visit.contact_fields())
    return ok(public.contact(visit.chatwoot.store.contacts[address.contact_id], address))


async def show_contact(visit: Visit) -> Response:
    """The customer."""
    return ok(public.contact(visit.contact(), visit.address()))


async def update_contact(visit: Visit) -> Response:
    """Change the customer."""
    contact = visit.contact()
    visit.chatwoot.contacts.update(contact, visit.contact_fields())
    return ok(public.contact_record(contact) | {"source_id": visit.address().source_id})


async def list_conversations(visit: Visit) -> Response:
    """The customer's conversations in this inbox."""
    address = visit.address()
    rows = visit.chatwoot.store.conversations_of(visit.inbox.account_id)
    mine = [row for row in rows if row.contact_inbox_id == address.id]
    return ok([public.conversation(visit.chatwoot.view, row) for row in mine])


async def create_conversation(visit: Visit) -> Response:
    """A new conversation; mail inboxes also take ``subject``."""
    language = visit.request.headers.get("accept-language", "es").partition(",")[0].partition("-")[0]
    attributes = initial_attributes(
        visit.inbox,
        subject=visit.params.text("subject"),
        language=language if language.isascii() and language.isalpha() else "es",
        now=visit.chatwoot.clock.now(visit.inbox.account_id),
    )
    conversation = visit.chatwoot.conversations.create(
        visit.address(),
        custom_attributes=check_custom_attributes(visit.params.object("custom_attributes")),
        additional_attributes=attributes,
    )
    return ok(public.conversation(visit.chatwoot.view, conversation))


async def show_conversation(visit: Visit) -> Response:
    """One conversation with what the customer may see of it."""
    return ok(public.conversation(visit.chatwoot.view, visit.conversation()))


async def toggle_status(visit: Visit) -> Response:
    """The customer ends the conversation; an ended one stays so."""
    conversation = visit.conversation()
    name = visit.contact().name
    if conversation.status != "resolved":
        visit.chatwoot.conversations.set_status(conversation, "resolved", name)
    return ok(public.conversation(visit.chatwoot.view, conversation))


async def toggle_typing(visit: Visit) -> Response:
    """The customer types, or stops to."""
    conversation, status = visit.conversation(), visit.params.text("typing_status")
    if status in {"on", "off"}:
        visit.chatwoot.conversations.typing(conversation, visit.contact(), on=status == "on", private=False)
    return ok()


async def update_last_seen(visit: Visit) -> Response:
    """The customer has read everything."""
    visit.chatwoot.messages.mark_read(visit.conversation())
    return ok()


async def list_messages(visit: Visit) -> Response:
    """The last 20 the customer may see, or 20 before an id; replies of the bot appear here."""
    rows = public.visible_messages(visit.chatwoot.view, visit.conversation())
    shown = page_of(rows, visit.params.get("before"), None)
    return ok([public.message(visit.chatwoot.view, row) for row in shown])


async def create_message(visit: Visit) -> Response:
    """The customer writes. Mail inboxes also take ``subject``, ``auto_reply`` and ``cc``."""
    params = visit.params
    message = visit.chatwoot.messages.receive(
        visit.conversation(),
        params.text("content"),
        params.uploads,
        echo_id=params.text("echo_id"),
        mail=MailFields(params.text("subject"), params.flag("auto_reply"), params.text("cc")),
    )
    return ok(public.message(visit.chatwoot.view, message))


async def update_message(visit: Visit) -> Response:
    """The customer answers a form or chooses from a selection."""
    conversation = visit.conversation()
    message: Message | None = visit.chatwoot.store.messages.get(path_id(visit.request, "message_id"))
    if message is None or message.conversation_id != conversation.id or message.private:
        raise not_found()
    given = visit.params.get("submitted_values")
    entries = [as_object(entry) for entry in (as_list(given) or [given])]
    submitted = [
        {name: value for name in SUBMITTED_FIELDS if (value := as_text(entry.get(name))) is not None}
        for entry in entries
    ]
    answers = {"submitted_values": [entry for entry in submitted if entry]}
    visit.chatwoot.messages.update(message, content_attributes=message.content_attributes | answers)
    return ok(public.message(visit.chatwoot.view, message))


VisitEndpoint = Callable[[Visit], Awaitable[Response]]
CONTACT = "/contacts/{source_id}"
CONVERSATION = f"{CONTACT}/conversations/{{conversation_id}}"
ROUTES: list[tuple[str, str, VisitEndpoint]] = [
    ("GET", "", show_inbox),
    ("POST", "/contacts", create_contact),
    ("GET", CONTACT, show_contact),
    ("PATCH", CONTACT, update_contact),
    ("GET", f"{CONTACT}/conversations", list_conversations),
    ("POST", f"{CONTACT}/conversations", create_conversation),
    ("GET", CONVERSATION, show_conversation),
    ("POST", f"{CONVERSATION}/toggle_status", toggle_status),
    ("POST", f"{CONVERSATION}/toggle_typing", toggle_typing),
    ("POST", f"{CONVERSATION}/update_last_seen", update_last_seen),
    ("GET", f"{CONVERSATION}/messages", list_messages),
    ("POST", f"{CONVERSATION}/messages", create_message),
    ("PATCH", f"{CONVERSATION}/messages/{{message_id}}", update_message),
]


def public_routes(chatwoot: Installation) -> list[Route]:
    """All routes of the public client API."""
    prefix = "/public/api/v1/inboxes/{identifier}"
    return [Route(prefix + path, _visited(chatwoot, endpoint), methods=[method]) for method, path, endpoint in ROUTES]


def _visited(chatwoot: Installation, endpoint: VisitEndpoint) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        inbox = chatwoot.store.inbox_by_identifier(str(request.path_params["identifier"]))
        if inbox is None:
            raise not_found()
        return await endpoint(Visit(chatwoot, request, inbox, await read_params(request)))

    return handle
