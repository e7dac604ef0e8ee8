"""Making ourselves the bot of a Chatwoot account. Done again it changes only what differs."""

from __future__ import annotations

from collections.abc import Collection

from smarteros.channels.chatwoot.client import ChatwootClient, answer_list, answer_object
from smarteros.channels.chatwoot.drafts import CHANNEL_OF_TYPE
from smarteros.channels.wild import Wild
from smarteros.domain.errors import ConfigError, RejectedInputError, TransientError
from smarteros.domain.messages import ChannelName
from smarteros.domain.model import Model
from smarteros.kit.http import HttpClient

DESCRIPTION = "SmarterOS"
# What the receiver makes something of; an account's webhook would tell of contacts and typing as well.
_SUBSCRIPTIONS = ["message_created", "message_updated", "conversation_status_changed", "conversation_updated"]


class ConnectedInbox(Model):
    """An inbox whose messages now come to us."""

    inbox_id: int
    channel: ChannelName


class Registration(Model):
    """What Chatwoot gave us. ``secret`` signs the bot's webhooks and is None before 4.13, which does not sign them.

    ``webhook_secret`` signs those of the account; None when no inbox needs them, or before 4.12.
    """

    bot_id: int
    bot_token: str
    secret: str | None
    webhook_secret: str | None = None
    inboxes: tuple[ConnectedInbox, ...]


def register(
    http: HttpClient,
    *,
    chatwoot_url: str,
    account_id: int,
    user_token: str,
    webhook_url: str,
    bot_name: str,
    starts_open: Collection[int] = (),
) -> Registration:
    """Find or create the agent bot, point it at ``webhook_url`` and connect all inboxes we can answer in.

    Those in ``starts_open`` get no bot: their messages come by the account's webhook. ``user_token`` is an
    administrator's. Raises ConfigError when it is refused or hides what we need.
    """
    client = ChatwootClient(http, chatwoot_url.rstrip("/"), account_id, user_token)
    try:
        bot = _find_bot(client, webhook_url, bot_name) or _create_bot(client, webhook_url, bot_name)
        if bot.text("outgoing_url") != webhook_url:
            bot = answer_object(client.ask("PATCH", f"/agent_bots/{bot.number('id')}", {"outgoing_url": webhook_url}))
        bot_id, token = bot.number("id"), bot.text("access_token")
        if bot_id is None or not token:
            raise ConfigError("bot_token_hidden", "Chatwoot hides the bot's token: is the user an administrator?")
        inboxes = tuple(_inboxes(client))
        for inbox in inboxes:
            if inbox.inbox_id not in starts_open:
                client.ask("POST", f"/inboxes/{inbox.inbox_id}/set_agent_bot", {"agent_bot": bot_id})
        return Registration(
            bot_id=bot_id,
            bot_token=token,
            secret=bot.text("secret") or None,
            webhook_secret=_account_webhook(client, webhook_url).text("secret") or None if starts_open else None,
            inboxes=inboxes,
        )
    except RejectedInputError as error:
        raise TransientError("chatwoot_unreadable", f"Chatwoot's answer: {error.operator_message}") from error


def _find_bot(client: ChatwootClient, webhook_url: str, bot_name: str) -> Wild | None:
    """The account's bot with our URL, else the one with our name (the URL has moved)."""
    bots = [bot for bot in answer_list(client.ask("GET", "/agent_bots")) if not bot.flag("system_bot")]
    ours = [bot for bot in bots if bot.text("outgoing_url") == webhook_url]
    ours = ours or [bot for bot in bots if bot.text("name") == bot_name]
    return min(ours, key=lambda bot: bot.number("id") or 0, default=None)


def _create_bot(client: ChatwootClient, webhook_url: str, bot_name: str) -> Wild:
    body: dict[str, object] = {
        "name": bot_name,
        "description": DESCRIPTION,
        "outgoing_url": webhook_url,
        "bot_type": "webhook",
        "bot_config": {},
    }
    return answer_object(client.ask("POST", "/agent_bots", body))


def _inboxes(client: ChatwootClient) -> list[ConnectedInbox]:
    """The inboxes of a kind we can answer in; an Instagram inbox, say, is left to people."""
    found: list[ConnectedInbox] = []
    for inbox in answer_list(client.ask("GET", "/inboxes"), "payload"):
        inbox_id, channel = inbox.number("id"), CHANNEL_OF_TYPE.get(inbox.text("channel_type") or "")
        if inbox_id is not None and channel is not None:
            found.append(ConnectedInbox(inbox_id=inbox_id, channel=channel))
    return found


def _account_webhook(client: ChatwootClient, webhook_url: str) -> Wild:
    """Find or create the account's webhook with our URL; it tells of every inbox."""
    listed = answer_object(client.ask("GET", "/webhooks")).child("payload")
    for webhook in answer_list(listed.fields, "webhooks"):
        if webhook.text("url") == webhook_url:
            return webhook
    body: dict[str, object] = {"url": webhook_url, "subscriptions": _SUBSCRIPTIONS}
    return answer_object(client.ask("POST", "/webhooks", body)).child("payload").child("webhook")
