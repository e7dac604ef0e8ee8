"""``/api/v1/accounts/{account_id}/contacts``."""

from __future__ import annotations

from starlette.responses import Response

from smarteros_sandbox.chatwoot.errors import refused
from smarteros_sandbox.chatwoot.http.routing import Access, Call, RouteSpec, ok
from smarteros_sandbox.chatwoot.records import Contact, JsonObject
from smarteros_sandbox.chatwoot.shapes import api

PAGE = 15


async def index(call: Call) -> Response:
    """All contacts, 15 a page."""
    mine = [row for row in call.chatwoot.store.contacts if row.account_id == call.account.id]
    body, page = _page(call, mine)
    return ok({"meta": {"count": len(mine), "current_page": page}, "payload": body})


async def search(call: Call) -> Response:
    """By a part of the name, email, phone or identifier."""
    text = call.params.text("q")
    if not text:
        raise refused("Specify search string with parameter q")
    found = call.chatwoot.contacts.search(call.account, text)
    body, page = _page(call, found)
    more = page * PAGE < len(found)
    return ok({"meta": {"count": len(found), "current_page": page, "has_more": more}, "payload": body})


def _page(call: Call, rows: list[Contact]) -> tuple[list[JsonObject], int]:
    page = max(call.params.integer("page") or 1, 1)
    shown = rows[(page - 1) * PAGE : page * PAGE]
    return [api.contact_with_inboxes(call.chatwoot.view, row) for row in shown], page


async def create(call: Call) -> Response:
    """A contact, with an address when an inbox is named."""
    inbox_id = call.params.integer("inbox_id")
    inbox = None if inbox_id is None else call.inbox(inbox_id)
    contact = call.chatwoot.contacts.create(call.account, call.params)
    address = None
    if inbox is not None:
        address = call.chatwoot.contacts.add_to_inbox(contact, inbox, call.params.text("source_id"))
    view = call.chatwoot.view
    shown = None
    if inbox is not None and address is not None:
        shown = {"inbox": api.inbox_slim(view, inbox), "source_id": address.source_id}
    return ok({"payload": {"contact": api.contact_with_inboxes(view, contact), "contact_inbox": shown}})


async def show(call: Call) -> Response:
    """One contact."""
    contact = call.contact(call.path_id("contact_id"))
    return ok({"payload": api.contact_with_inboxes(call.chatwoot.view, contact)})


async def update(call: Call) -> Response:
    """Change fields; custom attributes are merged."""
    contact = call.contact(call.path_id("contact_id"))
    call.chatwoot.contacts.update(contact, call.params)
    return ok({"payload": api.contact_with_inboxes(call.chatwoot.view, contact)})


async def conversations(call: Call) -> Response:
    """The contact's conversations, newest first."""
    contact = call.contact(call.path_id("contact_id"))
    rows = [row for row in call.chatwoot.store.conversations_of(call.account.id) if row.contact_id == contact.id]
    return ok({"payload": [api.conversation(call.chatwoot.view, row) for row in reversed(rows[-20:])]})


ONE = "/contacts/{contact_id}"
ROUTES: list[RouteSpec] = [
    ("GET", "/contacts", index, Access.USER),
    ("POST", "/contacts", create, Access.USER),
    ("GET", "/contacts/search", search, Access.USER),
    ("GET", ONE, show, Access.USER),
    ("PUT", ONE, update, Access.USER),
    ("PATCH", ONE, update, Access.USER),
    ("GET", f"{ONE}/conversations", conversations, Access.USER),
]
