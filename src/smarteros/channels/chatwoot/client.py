"""The few calls of Chatwoot's REST API that are used, with their faults already sorted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from smarteros.channels.wild import Wild
from smarteros.domain.errors import ConfigError, PermanentError, RejectedInputError, SmosError, TransientError
from smarteros.kit.http import HttpClient, HttpFault

PAGE_SIZE = 20  # messages per page of the history, fixed by Chatwoot


@dataclass(frozen=True)
class ChatwootClient:
    """One account seen with one token. ``base_url`` has no trailing slash."""

    http: HttpClient
    base_url: str
    account_id: int
    token: str

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """Send a request below the account; None for an answer without body. Raises HttpFault."""
        url = f"{self.base_url}/api/v1/accounts/{self.account_id}{path}"
        headers = {"api_access_token": self.token}
        response = self.http.request(method, url, headers=headers, json=body, params=params, timeout_s=timeout_s)
        if not response.content.strip():
            return None
        try:
            return response.json()
        except ValueError as error:
            raise HttpFault(f"{method} {path}: not JSON", status=200, transient=False, sent=True) from error

    def ask(self, method: str, path: str, body: Any = None, *, params: Mapping[str, str] | None = None) -> Any:
        """Like ``call`` for requests that may be repeated freely; raises the domain's errors."""
        try:
            return self.call(method, path, body, params=params)
        except HttpFault as fault:
            raise sorted_error(fault) from fault


def sorted_error(fault: HttpFault) -> SmosError:
    """Say who must act on a fault of the API."""
    text = f"Chatwoot: {fault}"
    if fault.status in (401, 403):
        return ConfigError("chatwoot_refused", f"{text}: the token is wrong or may not do this")
    if fault.status == 404:
        return PermanentError("conversation_gone", text)
    # The flood limit of a conversation (200 messages a minute) is a 422 too, and it passes.
    if fault.status == 422 and "Too many messages" not in fault.body:
        return PermanentError("chatwoot_rejected", f"{text}: {fault.body[:200]}")
    if fault.status == 200 or (fault.status is not None and 300 <= fault.status < 400):
        return ConfigError("chatwoot_url_wrong", f"{text}: this is not Chatwoot's API")
    if fault.transient or fault.status == 422:
        return TransientError("chatwoot_unavailable", text)
    return PermanentError("chatwoot_rejected", text)


def answer_object(answer: Any) -> Wild:
    """Tame an answer that must be an object: an unreadable one is the server's fault and may pass."""
    try:
        return Wild.root(answer)
    except RejectedInputError as error:
        raise TransientError("chatwoot_unreadable", f"Chatwoot's answer: {error.operator_message}") from error


def answer_list(answer: Any, key: str | None = None) -> list[Wild]:
    """The objects of a list, or of the list under ``key``; anything else in it is left out."""
    items: Any = answer_object(answer).fields.get(key) if key else answer
    if not isinstance(items, list):
        raise TransientError("chatwoot_unreadable", "Chatwoot's answer holds no list")
    objects = cast("list[object]", items)
    return [Wild(cast("dict[str, object]", item), "answer") for item in objects if isinstance(item, dict)]
