"""What programs connect with: agent bots and account webhooks."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from smarteros_sandbox.chatwoot.errors import invalid
from smarteros_sandbox.chatwoot.http.params import Params
from smarteros_sandbox.chatwoot.http.routing import Access, Call, RouteSpec, ok
from smarteros_sandbox.chatwoot.records import AgentBot, JsonObject, User, Webhook
from smarteros_sandbox.chatwoot.shapes import api
from smarteros_sandbox.chatwoot.tokens import base58_token
from smarteros_sandbox.chatwoot.webhooks.dispatch import ALLOWED_SUBSCRIPTIONS, DEFAULT_SUBSCRIPTIONS

MAX_URL = 2048


def is_http_url(url: str) -> bool:
    """Whether something can be posted there."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    printable = url.isprintable() and " " not in url
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= MAX_URL and printable


async def agent_bots(call: Call) -> Response:
    """All bots."""
    rows = [row for row in call.chatwoot.store.agent_bots if row.account_id == call.account.id]
    return ok([_bot_json(call, row) for row in rows])


async def agent_bot(call: Call) -> Response:
    """One bot."""
    return ok(_bot_json(call, _bot(call)))


async def create_agent_bot(call: Call) -> Response:
    """A bot with its own access token and signing secret."""
    row = AgentBot(account_id=call.account.id, access_token=base58_token(), secret=base58_token())
    _assign_bot(row, call.params.nested("agent_bot"))
    if not row.name:
        raise invalid("Name can't be blank", "name")
    return ok(_bot_json(call, call.chatwoot.store.agent_bots.add(row)))


async def update_agent_bot(call: Call) -> Response:
    """Change a bot."""
    row = _bot(call)
    _assign_bot(row, call.params.nested("agent_bot"))
    call.chatwoot.store.agent_bots.save(row)
    return ok(_bot_json(call, row))


async def delete_agent_bot(call: Call) -> Response:
    """Remove a bot, also from its inboxes and conversations."""
    row, store = _bot(call), call.chatwoot.store
    for inbox in store.inboxes:
        if inbox.agent_bot_id == row.id:
            inbox.agent_bot_id = None
            store.inboxes.save(inbox)
    for conversation in store.conversations_of(call.account.id):
        if conversation.assignee_agent_bot_id == row.id:
            conversation.assignee_agent_bot_id = None
            store.conversations.save(conversation)
    store.agent_bots.delete(row)
    return ok()


async def reset_secret(call: Call) -> Response:
    """A new signing secret; the old one is void at once."""
    row = _bot(call)
    row.secret = base58_token()
    call.chatwoot.store.agent_bots.save(row)
    return ok(_bot_json(call, row))


async def reset_access_token(call: Call) -> Response:
    """A new access token; the old one is void at once."""
    row = _bot(call)
    row.access_token = base58_token()
    call.chatwoot.store.agent_bots.save(row)
    return ok(_bot_json(call, row))


def _bot(call: Call) -> AgentBot:
    return call.own(call.chatwoot.store.agent_bots, call.path_id("agent_bot_id"))


def _assign_bot(row: AgentBot, params: Params) -> None:
    url = params.text("outgoing_url")
    if url and not is_http_url(url):
        raise invalid("Outgoing url is invalid", "outgoing_url")
    if "name" in params:
        row.name = params.text("name") or row.name
    if "description" in params:
        row.description = params.text("description")
    if "outgoing_url" in params:
        row.outgoing_url = url or ""
    if "bot_config" in params:
        row.bot_config = params.object("bot_config")


def _bot_json(call: Call, row: AgentBot) -> JsonObject:
    is_administrator = isinstance(call.actor, User) and call.actor.role == "administrator"
    data = api.agent_bot(row, with_secrets=is_administrator)
    if not call.chatwoot.profile.signs_bot_webhooks:
        data.pop("secret", None)
    return data


async def webhooks(call: Call) -> Response:
    """All account webhooks."""
    rows = [row for row in call.chatwoot.store.webhooks if row.account_id == call.account.id]
    return ok({"payload": {"webhooks": [api.webhook(call.chatwoot.view, row) for row in rows]}})


async def create_webhook(call: Call) -> Response:
    """A webhook with its own signing secret."""
    row = Webhook(account_id=call.account.id, secret=base58_token(), subscriptions=list(DEFAULT_SUBSCRIPTIONS))
    _assign_webhook(call, row)
    call.chatwoot.store.webhooks.add(row)
    return ok({"payload": {"webhook": api.webhook(call.chatwoot.view, row)}})


async def update_webhook(call: Call) -> Response:
    """Change URL, name or subscriptions; the secret stays."""
    row = _webhook(call)
    _assign_webhook(call, row)
    call.chatwoot.store.webhooks.save(row)
    return ok({"payload": {"webhook": api.webhook(call.chatwoot.view, row)}})


async def delete_webhook(call: Call) -> Response:
    """Remove one."""
    call.chatwoot.store.webhooks.delete(_webhook(call))
    return ok()


def _webhook(call: Call) -> Webhook:
    return call.own(call.chatwoot.store.webhooks, call.path_id("webhook_id"))


def _assign_webhook(call: Call, row: Webhook) -> None:
    """Chatwoot app/models/webhook.rb: url present, http(s), unique in the account; known subscriptions."""
    params = call.params.nested("webhook")
    url = params.text("url") if "url" in params else row.url
    if not url or not is_http_url(url):
        raise invalid("Url can't be blank" if not url else "Url is invalid", "url")
    for other in call.chatwoot.store.webhooks:
        if other.account_id == call.account.id and other.url == url and other is not row:
            raise invalid("Url has already been taken", "url")
    subscriptions = params.texts("subscriptions") if "subscriptions" in params else row.subscriptions
    if not subscriptions or set(subscriptions) - ALLOWED_SUBSCRIPTIONS:
        raise invalid("Subscriptions is invalid", "subscriptions")
    row.url, row.subscriptions = url, list(subscriptions)
    if "name" in params:
        row.name = params.text("name")


ROUTES: list[RouteSpec] = [
    ("GET", "/agent_bots", agent_bots, Access.USER),
    ("POST", "/agent_bots", create_agent_bot, Access.ADMINISTRATOR),
    ("GET", "/agent_bots/{agent_bot_id}", agent_bot, Access.USER),
    ("PATCH", "/agent_bots/{agent_bot_id}", update_agent_bot, Access.ADMINISTRATOR),
    ("DELETE", "/agent_bots/{agent_bot_id}", delete_agent_bot, Access.ADMINISTRATOR),
    ("POST", "/agent_bots/{agent_bot_id}/reset_secret", reset_secret, Access.ADMINISTRATOR),
    ("POST", "/agent_bots/{agent_bot_id}/reset_access_token", reset_access_token, Access.ADMINISTRATOR),
    ("GET", "/webhooks", webhooks, Access.ADMINISTRATOR),
    ("POST", "/webhooks", create_webhook, Access.ADMINISTRATOR),
    ("PATCH", "/webhooks/{webhook_id}", update_webhook, Access.ADMINISTRATOR),
    ("DELETE", "/webhooks/{webhook_id}", delete_webhook, Access.ADMINISTRATOR),
]
