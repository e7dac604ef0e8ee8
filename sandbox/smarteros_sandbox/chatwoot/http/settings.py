"""The account's settings: inboxes, people, canned responses, and the account itself."""

from __future__ import annotations

import re

from starlette.responses import Response

from smarteros_sandbox.chatwoot.clock import iso_milliseconds
from smarteros_sandbox.chatwoot.errors import invalid
from smarteros_sandbox.chatwoot.http.routing import Access, Call, RouteSpec, ok
from smarteros_sandbox.chatwoot.records import CannedResponse, JsonObject, Label, Team
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
        call.own(call.chatwoot.store.agent_bots, bot_id)
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


async def teams(call: Call) -> Response:
    """All teams."""
    rows = [row for row in call.chatwoot.store.teams if row.account_id == call.account.id]
    return ok([api.team(row, is_member=False) for row in rows])


async def create_team(call: Call) -> Response:
    """A new one; Chatwoot writes its name in small letters."""
    params, store = call.params.nested("team"), call.chatwoot.store
    name = (params.text("name") or "").lower()
    if not name:
        raise invalid("Name can't be blank", "name")
    if any(row.account_id == call.account.id and row.name == name for row in store.teams):
        raise invalid("Name has already been taken", "name")
    now = call.chatwoot.clock.now(call.account.id)
    team = Team(
        account_id=call.account.id,
        name=name,
        description=params.text("description"),
        allow_auto_assign=params.flag("allow_auto_assign") if "allow_auto_assign" in params else True,
        created_at=now,
        updated_at=now,
    )
    return ok(api.team(store.teams.add(team), is_member=False))


async def labels(call: Call) -> Response:
    """The labels people may choose; a conversation may have others."""
    rows = [row for row in call.chatwoot.store.labels if row.account_id == call.account.id]
    return ok({"payload": [api.label(row) for row in rows]})


async def create_label(call: Call) -> Response:
    """A new one; letters, digits, hyphens and underscores, in small letters."""
    params, store = call.params.nested("label"), call.chatwoot.store
    title = (params.text("title") or "").lower()
    if not re.fullmatch(r"[\w-]+", title):
        raise invalid("Title is invalid" if title else "Title can't be blank", "title")
    if any(row.account_id == call.account.id and row.title == title for row in store.labels):
        raise invalid("Title has already been taken", "title")
    label = Label(account_id=call.account.id, title=title, description=params.text("description"))
    return ok(api.label(store.labels.add(label)))


async def canned_responses(call: Call) -> Response:
    """Ready-made answers, all at once; with ``search`` those whose code begins so come first."""
    text = (call.params.text("search") or "").lower()
    rows = [row for row in call.chatwoot.store.canned_responses if row.account_id == call.account.id]
    found = [row for row in rows if text in row.short_code.lower() or text in row.content.lower()]
    if text:  # CannedResponse.order_by_search
        found.sort(key=lambda row: (not row.short_code.lower().startswith(text), text not in row.short_code.lower()))
    return ok([api.canned_response(row) for row in found])


async def create_canned_response(call: Call) -> Response:
    """A new one; the short code is unique in the account."""
    row = CannedResponse(account_id=call.account.id, created_at=call.chatwoot.clock.now(call.account.id))
    _assign_canned_response(call, row)
    return ok(api.canned_response(call.chatwoot.store.canned_responses.add(row)))


async def update_canned_response(call: Call) -> Response:
    """Change one."""
    row = _canned_response(call)
    _assign_canned_response(call, row)
    call.chatwoot.store.canned_responses.save(row)
    return ok(api.canned_response(row))


async def delete_canned_response(call: Call) -> Response:
    """Remove one."""
    call.chatwoot.store.canned_responses.delete(_canned_response(call))
    return ok()


def _canned_response(call: Call) -> CannedResponse:
    return call.own(call.chatwoot.store.canned_responses, call.path_id("canned_response_id"))


def _assign_canned_response(call: Call, row: CannedResponse) -> None:
    params = call.params.nested("canned_response")
    short_code = params.text("short_code") if "short_code" in params else row.short_code
    content = params.text("content") if "content" in params else row.content
    if not short_code or not content:
        missing = "Content" if short_code else "Short code"
        raise invalid(f"{missing} can't be blank", missing.lower().replace(" ", "_"))
    for other in call.chatwoot.store.canned_responses:
        if other.account_id == call.account.id and other.short_code == short_code and other is not row:
            raise invalid("Short code has already been taken", "short_code")
    row.short_code, row.content = short_code, content
    row.updated_at = call.chatwoot.clock.now(call.account.id)


ROUTES: list[RouteSpec] = [
    ("GET", "", show_account, Access.USER),
    ("PATCH", "", update_account, Access.ADMINISTRATOR),
    ("GET", "/inboxes", inboxes, Access.USER),
    ("GET", "/inboxes/{inbox_id}", inbox, Access.USER),
    ("GET", "/inboxes/{inbox_id}/agent_bot", inbox_agent_bot, Access.USER),
    ("POST", "/inboxes/{inbox_id}/set_agent_bot", set_agent_bot, Access.ADMINISTRATOR),
    ("GET", "/inboxes/{inbox_id}/message_templates", message_templates, Access.USER),
    ("GET", "/agents", agents, Access.USER),
    ("GET", "/teams", teams, Access.USER),
    ("POST", "/teams", create_team, Access.ADMINISTRATOR),
    ("GET", "/labels", labels, Access.USER),
    ("POST", "/labels", create_label, Access.ADMINISTRATOR),
    ("GET", "/canned_responses", canned_responses, Access.USER),
    ("POST", "/canned_responses", create_canned_response, Access.USER),
    ("PATCH", "/canned_responses/{canned_response_id}", update_canned_response, Access.USER),
    ("DELETE", "/canned_responses/{canned_response_id}", delete_canned_response, Access.ADMINISTRATOR),
]
