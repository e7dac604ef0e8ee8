"""The last word before a POST, and opening a conversation for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import MemorySecrets

from smarteros.channels.chatwoot.channel import ChatwootChannel
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient

REPLY = OutgoingReply(reply_id="r" * 26, conversation_id=208, account_id=31, text="Sí, queda")


class StopError(Exception):
    """What a fence would raise."""


@pytest.fixture
def channel(http: HttpClient, tenant: Tenant) -> ChatwootChannel:
    secrets = MemorySecrets({(tenant.tenant_id, "chatwoot/api_token"): "bot-token"})
    return ChatwootChannel(http, secrets, sleep=lambda _seconds: None)


def test_what_the_last_word_raises_ends_the_call_before_anything_is_sent(
    channel: ChatwootChannel, tenant: Tenant, site: Any
) -> None:
    def stop() -> None:
        raise StopError

    with pytest.raises(StopError):
        channel.post(tenant, REPLY, before_post=stop)
    assert site.seen == []


def test_the_last_word_is_asked_before_every_attempt(
    channel: ChatwootChannel, tenant: Tenant, site: Any, json_answer: Callable[..., Any]
) -> None:
    words: list[int] = []

    def answer(request: Any) -> Any:
        posts = [seen for seen in site.seen if seen.method == "POST"]
        if request.method == "GET":
            return json_answer({"id": 208, "messages": []})
        return json_answer({"id": 1}) if len(posts) > 1 else json_answer({}, 500)

    site.answer = answer
    channel.post(tenant, REPLY, before_post=lambda: words.append(len(site.seen)))

    assert len(words) == 2


def test_opening_a_conversation_sets_its_status(
    channel: ChatwootChannel, tenant: Tenant, site: Any, json_answer: Callable[..., Any]
) -> None:
    site.answer = lambda _request: json_answer({"payload": {"success": None}})
    channel.open_conversation(tenant, 208, account_id=31)
    (request,) = site.seen

    assert (request.method, request.path) == ("POST", "/api/v1/accounts/31/conversations/208/toggle_status")
    assert request.json() == {"status": "open"}
