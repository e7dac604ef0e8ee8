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

    ``webhook_secret`` signs those of the account; None when no inbox needs them, or before 4.12. ``done`` names what
    was changed in Chatwoot, for the operator; a registration that finds everything in place has done nothing.
    """

    bot_id: int
    bot_token: str
    secret: str | None
    webhook_secret: str | None = None
    inboxes: tuple[ConnectedInbox, ...]
    done: tuple[str, ...] = ()


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
    done: list[str] = []
    try:
        bot = _pointed_at(client, webhook_url, bot_name, done)
        bot_id, token = bot.number("id"), bot.text("access_token")
        if bot_id is None or not token:
            raise ConfigError("bot_token_hidden", "Chatwoot hides the bot's token: is the user an administrator?")
        inboxes = tuple(_inboxes(client))
        for inbox in inboxes:
            if inbox.inbox_id not in starts_open:
                _connect(client, inbox.inbox_id, bot_id, done)
        return Registration(
            bot_id=bot_id,
            bot_token=token,
            secret=bot.text("secret") or None,
            webhook_secret=_account_webhook(client, webhook_url, done).text("secret") or None if starts_open else None,
            inboxes=inboxes,
            done=tuple(done),
        )
    except RejectedInputError as error:
        raise _unreadable(error) from error


def withdraw(
    http: HttpClient, *, chatwoot_url: str, account_id: int, user_token: str, webhook_url: str
) -> tuple[str, ...]:
    """Remove our bot and our webhook from an account, so that nobody calls us any more; returns what was removed.

    They are told by ``webhook_url``, or the end of it that no other tenant has. Raises what ``register`` raises.
    """
    client = ChatwootClient(http, chatwoot_url.rstrip("/"), account_id, user_token)
    done: list[str] = []
    try:
        for bot in own_bots(client, webhook_url):
            client.ask("DELETE", f"/agent_bots/{bot.number('id')}")
            done.append(f"removed bot {bot.number('id')}")
        for webhook in own_webhooks(client, webhook_url):
            client.ask("DELETE", f"/webhooks/{webhook.number('id')}")
            done.append(f"removed webhook {webhook.number('id')}")
    except RejectedInputError as error:
        raise _unreadable(error) from error
    return tuple(done)


def own_bots(client: ChatwootClient, webhook_url: str) -> list[Wild]:
    """List the account's bots that post to a URL with this end; those of an administrator have token and secret."""
    return [bot for bot in _bots(client) if (bot.text("outgoing_url") or "").endswith(webhook_url)]


def own_webhooks(client: ChatwootClient, webhook_url: str) -> list[Wild]:
    """List the account's webhooks that go to a URL with this end."""
    listed = answer_object(client.ask("GET", "/webhooks")).child("payload")
    webhooks = answer_list(listed.fields, "webhooks")
    return [webhook for webhook in webhooks if (webhook.text("url") or "").endswith(webhook_url)]


def bot_of_inbox(client: ChatwootClient, inbox_id: int) -> int | None:
    """Return the id of the agent bot an inbox is connected to."""
    return answer_object(client.ask("GET", f"/inboxes/{inbox_id}/agent_bot")).child("agent_bot").number("id")


def _unreadable(error: RejectedInputError) -> TransientError:
    return TransientError("chatwoot_unreadable", f"Chatwoot's answer: {error.operator_message}")


def _pointed_at(client: ChatwootClient, webhook_url: str, bot_name: str, done: list[str]) -> Wild:
    """Return the bot that posts to the URL: the one there is, the one of our name, or a new one."""
    bot = _find_bot(client, webhook_url, bot_name)
    if bot is None:
        bot = _create_bot(client, webhook_url, bot_name)
        done.append(f"created bot {bot.number('id')}")
    elif bot.text("outgoing_url") != webhook_url:
        bot = answer_object(client.ask("PATCH", f"/agent_bots/{bot.number('id')}", {"outgoing_url": webhook_url}))
        done.append(f"pointed bot {bot.number('id')} at the new address")
    return bot


def _connect(client: ChatwootClient, inbox_id: int, bot_id: int, done: list[str]) -> None:
    before = bot_of_inbox(client, inbox_id)
    if before == bot_id:
        return
    client.ask("POST", f"/inboxes/{inbox_id}/set_agent_bot", {"agent_bot": bot_id})
    done.append(f"connected inbox {inbox_id}" + (f" in the place of bot {before}" if before is not None else ""))


def _bots(client: ChatwootClient) -> list[Wild]:
    return [bot for bot in answer_list(client.ask("GET", "/agent_bots")) if not bot.flag("system_bot")]


def _find_bot(client: ChatwootClient, webhook_url: str, bot_name: str) -> Wild | None:
    """The account's bot with our URL, else the one with our name (the URL has moved)."""
    bots = _bots(client)
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


def _account_webhook(client: ChatwootClient, webhook_url: str, done: list[str]) -> Wild:
    """Find or create the account's webhook with our URL; it tells of every inbox."""
    found = next((each for each in own_webhooks(client, webhook_url) if each.text("url") == webhook_url), None)
    if found is not None:
        return found
    body: dict[str, object] = {"url": webhook_url, "subscriptions": _SUBSCRIPTIONS}
    created = answer_object(client.ask("POST", "/webhooks", body)).child("payload").child("webhook")
    done.append(f"created webhook {created.number('id')}")
    return created
