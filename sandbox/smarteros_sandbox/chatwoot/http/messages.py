"""``/api/v1/accounts/{account_id}/conversations/{conversation_id}/messages``."""

from __future__ import annotations

from typing import cast

from starlette.responses import Response

from smarteros_sandbox.chatwoot.errors import ApiError, not_found, refused
from smarteros_sandbox.chatwoot.http.routing import API_ERROR_BODY, Access, Call, RouteSpec, ok
from smarteros_sandbox.chatwoot.messages import Draft, as_account_api_error
from smarteros_sandbox.chatwoot.records import (
    CONTENT_TYPES,
    AgentBot,
    JsonObject,
    Message,
    MessageType,
    User,
)
from smarteros_sandbox.chatwoot.shapes import api
from smarteros_sandbox.chatwoot.values import as_integer, as_object

PAGE = 20
PAGE_AFTER = 100
PAGE_BETWEEN = 1000
# Chatwoot app/models/concerns/content_attribute_validator.rb
ITEM_KEYS = {
    "input_select": frozenset({"title", "value"}),
    "cards": frozenset({"title", "description", "media_url", "actions"}),
    "form": frozenset(
        {
            "type",
            "placeholder",
            "label",
            "name",
            "options",
            "default",
            "required",
            "pattern",
            "title",
            "pattern_error",
        }
    ),
    "article": frozenset({"title", "description", "link"}),
}


async def index(call: Call) -> Response:
    """The last 20, 20 before an id, or up to 100 after one (message_finder.rb)."""
    conversation = call.conversation()
    found = call.chatwoot.store.messages_of(conversation)
    if call.params.flag("filter_internal_messages"):
        found = [row for row in found if not row.private and row.kind is not MessageType.ACTIVITY]
    found = page_of(found, call.params.get("before"), call.params.get("after"))
    return ok(
        {
            "meta": api.messages_meta(call.chatwoot.view, conversation),
            "payload": [api.message(call.chatwoot.view, row) for row in found],
        }
    )


def page_of(rows: list[Message], before: object, after: object) -> list[Message]:
    """Oldest first. Junk counts as 0, as Ruby's ``to_i`` makes it."""
    if after is not None:
        rows = [row for row in rows if row.id > (as_integer(after) or 0)]
        if before is None:
            return rows[:PAGE_AFTER]
        return [row for row in rows if row.id < (as_integer(before) or 0)][:PAGE_BETWEEN]
    if before is not None:
        rows = [row for row in rows if row.id < (as_integer(before) or 0)]
    return rows[-PAGE:]


async def create(call: Call) -> Response:
    """Write to the customer, or a private note (message_builder.rb)."""
    conversation = call.conversation()
    try:
        message = call.chatwoot.messages.post(conversation, _sender(call), _draft(call))
    except ApiError as error:
        raise as_account_api_error(error) from None
    if call.chatwoot.faults.take("chatwoot", "save_then_500", str(call.account.id)):
        # What rack-timeout does: the row is there, the client hears of a failure (chatwoot#6446).
        raise ApiError(500, API_ERROR_BODY)
    return ok(api.message(call.chatwoot.view, message))


def _sender(call: Call) -> User | AgentBot:
    """A user's token may post as one of the account's bots."""
    if isinstance(call.actor, User) and call.params.text("sender_type") == "AgentBot":
        bot = call.chatwoot.store.agent_bots.get(call.params.integer("sender_id"))
        if bot is not None and bot.account_id == call.account.id:
            return bot
    return call.actor


def _draft(call: Call) -> Draft:
    params = call.params
    kind = params.text("message_type") or "outgoing"
    if kind == "incoming":
        raise refused("Incoming messages are only allowed in Api inboxes")
    if kind not in {"outgoing", "template"}:
        raise refused(f"'{kind}' is not a valid message_type")
    content_type = params.text("content_type") or "text"
    if content_type not in CONTENT_TYPES:
        raise refused(f"'{content_type}' is not a valid content_type")
    attributes = params.object("content_attributes")
    _check_items(content_type, attributes)
    template = params.object("template_params")
    return Draft(
        content=params.text("content"),
        content_type=content_type,
        content_attributes=attributes,
        private=params.flag("private"),
        kind=MessageType.OUTGOING if kind == "outgoing" else MessageType.TEMPLATE,
        source_id=params.text("source_id"),
        echo_id=params.text("echo_id"),
        template_params=template or None,
        uploads=params.uploads,
    )


def _check_items(content_type: str, attributes: JsonObject) -> None:
    """Buttons, cards, forms and articles need items with known keys only."""
    allowed = ITEM_KEYS.get(content_type)
    if allowed is None:
        return
    items = attributes.get("items")
    if not isinstance(items, list) or not items:
        raise refused("Validation failed: Content attributes At least one item is required.")
    for item in cast("list[object]", items):
        keys = set(as_object(item)) or {""}
        if keys - allowed:
            raise refused("Validation failed: Content attributes contains invalid keys for items : " + str(keys))
        if content_type == "cards" and "actions" not in keys:
            raise refused("Validation failed: Content attributes actions are required for cards")


async def delete(call: Call) -> Response:
    """Empty the message."""
    conversation = call.conversation()
    message = call.chatwoot.store.messages.get(call.path_id("message_id"))
    if message is None or message.conversation_id != conversation.id:
        raise not_found()
    call.chatwoot.messages.delete(message)
    return ok(api.message(call.chatwoot.view, message))


ALL = "/conversations/{conversation_id}/messages"
ROUTES: list[RouteSpec] = [
    ("GET", ALL, index, Access.USER),
    ("POST", ALL, create, Access.BOT),
    ("DELETE", f"{ALL}/{{message_id}}", delete, Access.USER),
]
