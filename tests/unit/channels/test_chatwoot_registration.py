"""Becoming the bot of a Chatwoot account, again and again without a second bot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smarteros.channels.chatwoot.registration import ConnectedInbox, Registration, register, withdraw
from smarteros.domain.errors import ConfigError, PermanentError, TransientError
from smarteros.kit.http import HttpClient

WEBHOOK = "https://bots.example/webhooks/chatwoot/abc"


class Account:
    """The administrator's side of one Chatwoot account."""

    def __init__(self, answer: Any) -> None:
        self.json = answer
        self.bots: list[dict[str, Any]] = []
        self.connected: dict[int, int] = {}
        self.webhooks: list[dict[str, Any]] = []
        self.writes: list[str] = []
        self.hidden = False

    def serve(self, request: Any) -> Any:
        if request.headers.get("api_access_token") != "admin":
            return self.json({"error": "Invalid Access Token"}, 401)
        path = request.path.removeprefix("/api/v1/accounts/31")
        if request.method != "GET":
            self.writes.append(f"{request.method} {path}")
        if path == "/inboxes":
            kinds = {1: "Channel::Whatsapp", 2: "Channel::WebWidget", 3: "Channel::Instagram", 4: "Channel::Email"}
            return self.json({"payload": [{"id": i, "channel_type": kind} for i, kind in kinds.items()]})
        if path == "/webhooks" and request.method == "POST":
            self.webhooks.append({"id": 5, "secret": "of the account", **request.json()})
            return self.json({"payload": {"webhook": self.webhooks[-1]}})
        if path == "/webhooks":
            return self.json({"payload": {"webhooks": self.webhooks}})
        if request.method == "DELETE":
            kind, number = path.strip("/").split("/")
            kept = self.bots if kind == "agent_bots" else self.webhooks
            kept[:] = [each for each in kept if each["id"] != int(number)]
            return self.json(None).__class__(200, b"")
        if path == "/agent_bots":
            return self.json([self._shown(bot) for bot in self.bots]) if request.method == "GET" else self._new(request)
        if path.startswith("/agent_bots/"):
            bot = next(bot for bot in self.bots if bot["id"] == int(path.rsplit("/", 1)[1]))
            bot.update(request.json())
            return self.json(self._shown(bot))
        inbox_id = int(path.split("/")[2])
        if request.method == "GET":
            return self.json({"agent_bot": {"id": self.connected[inbox_id]} if inbox_id in self.connected else {}})
        self.connected[inbox_id] = request.json()["agent_bot"]
        return self.json(None).__class__(200, b"")

    def _new(self, request: Any) -> Any:
        number = len(self.bots) + 7
        bot = {"id": number, "access_token": f"token{number}", "secret": f"secret{number}", **request.json()}
        self.bots.append(bot)
        return self.json(self._shown(bot))

    def _shown(self, bot: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in bot.items() if not (self.hidden and k in {"access_token", "secret"})}


@pytest.fixture
def account(site: Any, json_answer: Any) -> Account:
    account = Account(json_answer)
    site.answer = account.serve
    return account


def run(http: HttpClient, site: Any, **changes: Any) -> Registration:
    options: dict[str, Any] = {
        "chatwoot_url": site.url + "/",
        "account_id": 31,
        "user_token": "admin",
        "webhook_url": WEBHOOK,
        "bot_name": "SmarterOS",
        **changes,
    }
    return register(http, **options)


def test_the_first_registration_creates_the_bot_and_connects_what_we_can_answer(
    account: Account, http: HttpClient, site: Any
) -> None:
    assert run(http, site) == Registration(
        bot_id=7,
        bot_token="token7",
        secret="secret7",
        inboxes=(
            ConnectedInbox(inbox_id=1, channel="whatsapp"),
            ConnectedInbox(inbox_id=2, channel="webwidget"),
            ConnectedInbox(inbox_id=4, channel="email"),
        ),
        done=("created bot 7", "connected inbox 1", "connected inbox 2", "connected inbox 4"),
    )
    assert account.connected == {1: 7, 2: 7, 4: 7}
    assert account.bots[0]["outgoing_url"] == WEBHOOK
    assert account.bots[0]["bot_type"] == "webhook"


def test_a_second_registration_finds_the_same_bot_and_changes_nothing(
    account: Account, http: HttpClient, site: Any
) -> None:
    first = run(http, site)
    account.writes.clear()
    assert run(http, site) == first.model_copy(update={"done": ()})
    assert account.writes == []


def test_an_inbox_of_another_bot_becomes_ours_and_it_is_said(account: Account, http: HttpClient, site: Any) -> None:
    account.connected[2] = 99
    assert "connected inbox 2 in the place of bot 99" in run(http, site).done
    assert account.connected[2] == 7


def test_who_withdraws_leaves_the_bots_and_webhooks_of_others(account: Account, http: HttpClient, site: Any) -> None:
    run(http, site, starts_open={1})
    account.bots.append({"id": 9, "name": "Otro", "outgoing_url": "https://other.example"})
    account.webhooks.append({"id": 4, "url": "https://other.example/hook"})
    end = WEBHOOK.removeprefix("https://bots.example")
    gone = {"chatwoot_url": site.url, "account_id": 31, "user_token": "admin", "webhook_url": end}

    assert withdraw(http, **gone) == ("removed bot 7", "removed webhook 5")
    assert ([bot["id"] for bot in account.bots], [each["id"] for each in account.webhooks]) == ([9], [4])
    assert withdraw(http, **gone) == ()


def test_an_inbox_that_starts_open_gets_no_bot_but_the_accounts_webhook(
    account: Account, http: HttpClient, site: Any
) -> None:
    other = {"id": 4, "url": "https://other.example/hook", "secret": "of others"}
    account.webhooks.append(other)
    registration = run(http, site, starts_open={1})

    assert (registration.webhook_secret, account.connected) == ("of the account", {2: 7, 4: 7})
    assert [inbox.inbox_id for inbox in registration.inboxes] == [1, 2, 4]
    assert [webhook["url"] for webhook in account.webhooks] == ["https://other.example/hook", WEBHOOK]
    assert "message_created" in account.webhooks[1]["subscriptions"]

    assert run(http, site, starts_open={1}) == registration.model_copy(update={"done": ()})
    assert len(account.webhooks) == 2


def test_without_such_an_inbox_the_accounts_webhooks_are_nobodys_business(
    account: Account, http: HttpClient, site: Any
) -> None:
    assert run(http, site).webhook_secret is None
    assert account.webhooks == []


def test_a_webhook_that_moved_updates_the_bot_of_our_name(account: Account, http: HttpClient, site: Any) -> None:
    run(http, site)
    moved = run(http, site, webhook_url="https://new.example/hook")
    assert moved.bot_id == 7
    assert [bot["outgoing_url"] for bot in account.bots] == ["https://new.example/hook"]


def test_bots_of_others_are_left_alone(account: Account, http: HttpClient, site: Any) -> None:
    other = {"id": 2, "name": "Otro", "outgoing_url": "https://other.example", "access_token": "t", "secret": "s"}
    system = {**other, "id": 1, "name": "SmarterOS", "system_bot": True}
    account.bots += [dict(other), dict(system)]
    assert run(http, site).bot_id == 9
    assert account.bots[:2] == [other, system]


def test_a_chatwoot_that_does_not_sign_gives_no_secret(account: Account, http: HttpClient, site: Any) -> None:
    account.bots.append({"id": 3, "name": "SmarterOS", "outgoing_url": WEBHOOK, "access_token": "t"})
    assert run(http, site).secret is None


def test_a_hidden_token_is_the_operators_to_solve(account: Account, http: HttpClient, site: Any) -> None:
    account.hidden = True
    with pytest.raises(ConfigError, match="administrator"):
        run(http, site)


def test_a_refused_token_is_the_operators_to_solve(account: Account, http: HttpClient, site: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        run(http, site, user_token="bot")
    assert caught.value.code == "chatwoot_refused"


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"<html>login</html>", 200, ConfigError),
        (b"{}", 200, TransientError),
        (json.dumps([{"id": "x", "name": "SmarterOS", "outgoing_url": WEBHOOK}]).encode(), 200, TransientError),
        (b"", 502, TransientError),
        (b"{}", 404, PermanentError),
    ],
)
def test_an_answer_we_cannot_use_is_a_named_error(
    body: bytes, status: int, kind: type[Exception], http: HttpClient, site: Any, make_answer: Any
) -> None:
    site.answer = lambda _request: make_answer(status, body)
    with pytest.raises(kind):
        run(http, site)
