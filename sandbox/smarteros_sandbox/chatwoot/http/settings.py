"""The account's settings: inboxes, people, canned responses, and the account itself."""

from __future__ import annotations

from starlette.responses import Response

from smarteros_sandbox.chatwoot.clock import iso_milliseconds
from smarteros_sandbox.chatwoot.errors import invalid, not_found
from smarteros_sandbox.chatwoot.http.routing import Access, Call, RouteSpec, ok
from smarteros_sandbox.chatwoot.records import CannedResponse, JsonObject
from smarteros_sandbox.chatwoot.shapes import api


async def show_account(call: Call) -> Response:
    """The account."""
    return ok(_account(call))


async def update_account(call: Call) -> Response:
    """Of the settings only the one that concerns bots is kept (chatwoot#13512)."""
    account, params = call.account, call.params
    if name := params.text("name"):
        account.name = name
    if "keep_pending_on_bot_failure" in params:
        keep = params.flag("keep_pending_on_bot_failure")
        account.settings = account.settings | {"keep_pending_on_bot_failure": keep}
    call.chatwoot.store.accounts.save(account)
    return ok(_account(call))


def _account(call: Call) -> JsonObject:
    account = call.account
    return {
        "id": account.id,
        "name": account.name,
        "locale": "es",
        "domain": account.domain,
        "support_email": f"contacto@{account.domain}",
        "status": "active",
        "created_at": iso_milliseconds(account.created_at),
        "cache_keys": {},
        "features": {"agent_bots": True},
        "settings": account.settings,
        "custom_attributes": {},
        "latest_chatwoot_version": None,
        "subscribed_features": [],
    }


async def inboxes(call: Call) -> Response:
    """All inboxes."""
    view = call.chatwoot.view
    rows = [row for row in call.chatwoot.store.inboxes if row.account_id == call.account.id]
    return ok({"payload": [api.inbox(view, row) for row in rows]})


async def inbox(call: Call) -> Response:
    """One inbox."""
    return ok(api.inbox(call.chatwoot.view, call.inbox(call.path_id("inbox_id"))))


async def inbox_agent_bot(call: Call) -> Response:
    """The inbox's bot, or an empty object."""
    bot = call.chatwoot.store.agent_bots.get(call.inbox(call.path_id("inbox_id")).agent_bot_id)
    return ok({"agent_bot": {} if bot is None else api.agent_bot(bot, with_secrets=False)})


async def set_agent_bot(call: Call) -> Response:
    """Connect a bot to the inbox; null disconnects."""
    row = call.inbox(call.path_id("inbox_id"))
    bot_id = call.params.integer("agent_bot")
    if bot_id is not None:
        bot = call.chatwoot.store.agent_bots.get(bot_id)
        if bot is None or bot.account_id != call.account.id:
            raise not_found()
    row.agent_bot_id = bot_id
    call.chatwoot.store.inboxes.save(row)
    return ok()


async def message_templates(call: Call) -> Response:
    """WhatsApp templates (4.17); the demo shops have none."""
    call.inbox(call.path_id("inbox_id"))
    return ok({"payload": [], "meta": {"last_sync_attempt_at": None}})


async def agents(call: Call) -> Response:
    """All people of the account."""
    rows = [row for row in call.chatwoot.store.users if row.account_id == call.account.id]
    return ok([api.agent(row) for row in rows])


async def empty_array(_call: Call) -> Response:
    """What the demo shops have none of."""
    return ok([])


async def labels(call: Call) -> Response:
    """The labels in use."""
    rows = call.chatwoot.store.conversations_of(call.account.id)
    titles = dict.fromkeys(label for row in rows for label in row.label_list)
    payload = [
        {
            "id": position,
            "title": title,
            "description": None,
            "color": "#1f93ff",
            "show_on_sidebar": True,
        }
        for position, title in enumerate(titles, start=1)
    ]
    return ok({"payload": payload})


async def canned_responses(call: Call) -> Response:
    """Ready-made answers, all at once."""
    text = (call.params.text("search") or "").lower()
    rows = [row for row in call.chatwoot.store.canned_responses if row.account_id == call.account.id]
    found = [row for row in rows if text in row.short_code.lower() or text in row.content.lower()]
    return ok([api.canned_response(row) for row in found])


async def create_canned_response(call: Call) -> Response:
    """A new one; the short code is unique in the account."""
    params = call.params.nested("canned_response")
    short_code, content = params.text("short_code"), params.text("content")
    if not short_code or not content:
        missing = "Content" if short_code else "Short code"
        raise invalid(f"{missing} can't be blank", missing.lower().replace(" ", "_"))
    store = call.chatwoot.store
    if any(row.account_id == call.account.id and row.short_code == short_code for row in store.canned_responses):
        raise invalid("Short code has already been taken", "short_code")
    now = call.chatwoot.clock.now(call.account.id)
    row = CannedResponse(
        account_id=call.account.id,
        short_code=short_code,
        content=content,
        created_at=now,
        updated_at=now,
    )
    return ok(api.canned_response(store.canned_responses.add(row)))


async def delete_canned_response(call: Call) -> Response:
    """Remove one."""
    row = call.chatwoot.store.canned_responses.get(call.path_id("canned_response_id"))
    if row is None or row.account_id != call.account.id:
        raise not_found()
    call.chatwoot.store.canned_responses.delete(row)
    return ok()


ROUTES: list[RouteSpec] = [
    ("GET", "", show_account, Access.USER),
    ("PATCH", "", update_account, Access.ADMINISTRATOR),
    ("GET", "/inboxes", inboxes, Access.USER),
    ("GET", "/inboxes/{inbox_id}", inbox, Access.USER),
    ("GET", "/inboxes/{inbox_id}/agent_bot", inbox_agent_bot, Access.USER),
    ("POST", "/inboxes/{inbox_id}/set_agent_bot", set_agent_bot, Access.ADMINISTRATOR),
    ("GET", "/inboxes/{inbox_id}/message_templates", message_templates, Access.USER),
    ("GET", "/agents", agents, Access.USER),
    ("GET", "/teams", empty_array, Access.USER),
    ("GET", "/labels", labels, Access.USER),
    ("GET", "/canned_responses", canned_responses, Access.USER),
    ("POST", "/canned_responses", create_canned_response, Access.USER),
    ("DELETE", "/canned_responses/{canned_response_id}", delete_canned_response, Access.ADMINISTRATOR),
]
