"""What both dialects have in common on the wire: bounded JSON, sorted faults, the answer inside a message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from smarteros.agents.botpress.protocol import BotFault, BotFaultKind
from smarteros.kit.http import BodyTooLargeError, HttpClient, HttpFault
from smarteros.tools.deadline import Deadline

# An answer of the contract is some kilobytes; a page of a conversation has twenty messages.
LARGEST_ANSWER = 256 * 1024


@dataclass(frozen=True)
class Wire:
    """One request, one JSON object."""

    http: HttpClient

    def exchange(
        self,
        method: str,
        url: str,
        deadline: Deadline,
        *,
        headers: Mapping[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object of a 2xx answer; BotFault for anything else. Redirects are not followed."""
        try:
            answer = self.http.short_json(
                url,
                method=method,
                headers=headers or {},
                json=body,
                max_bytes=LARGEST_ANSWER,
                timeout_s=deadline.remaining_s(),
            )
        except BodyTooLargeError:
            raise BotFault("malformed", f"an answer of more than {LARGEST_ANSWER} bytes") from None
        except HttpFault as fault:
            raise _sorted(fault, deadline) from fault
        return as_object(answer)


def as_object(value: object) -> dict[str, Any]:
    """Return a JSON object; BotFault ``malformed`` for any other value."""
    if not isinstance(value, dict):
        raise BotFault("malformed", "not the JSON object the API describes")
    return cast("dict[str, Any]", value)


def objects_in(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the list of JSON objects of an answer; BotFault ``malformed`` when it is none."""
    value = answer.get(name)
    if not isinstance(value, list):
        raise BotFault("malformed", f"no {name} where the API describes them")
    return [as_object(each) for each in cast("list[object]", value)]


def kind_of_status(status: int) -> BotFaultKind:
    """Sort an HTTP status that is no success."""
    if status == 429:
        return "rate_limited"
    return "unavailable" if status >= 500 or status == 408 else "rejected"


def contract_in(metadata: object, text: object) -> dict[str, Any]:
    """Return the contract JSON of a bot's message: its metadata if they have an intent, else its text.

    BotFault ``malformed`` when neither is an object with an intent.
    """
    if isinstance(metadata, dict) and "intent" in metadata:
        return cast("dict[str, Any]", metadata)
    try:
        said: object = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or "intent" not in said:
        raise BotFault("malformed", "the bot's message is no JSON of the agent contract")
    return cast("dict[str, Any]", said)


def _sorted(fault: HttpFault, deadline: Deadline) -> BotFault:
    """Sort a fault; its own text names the address, which for the cloud lets anybody speak to the bot."""
    if fault.status is None:
        if not fault.transient:
            return BotFault("misconfigured", str(fault))  # where the request would have led: a host, no path
        return BotFault("timeout" if deadline.passed else "unavailable", "no answer")
    if fault.status < 300:
        return BotFault("malformed", "the answer is not JSON")
    return BotFault(kind_of_status(fault.status), f"HTTP {fault.status}")
