"""How a conversation that was handed over is found by the right people: its labels, team and priority in Chatwoot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import structlog

from smarteros.channels.chatwoot.client import ChatwootClient, answer_list
from smarteros.domain.errors import PermanentError, SmosError
from smarteros.domain.messages import Desk
from smarteros.kit.http import HttpFault

_log = structlog.get_logger()

# Each request is tried once and for so long: a person waits for the conversation itself.
_WITHIN_S = 5.0


def put_on_desk(bot: ChatwootClient, user: ChatwootClient | None, conversation_id: int, desk: Desk) -> None:
    """Set what the desk says, each by itself. Raises nothing: what Chatwoot does not take is logged and left out.

    Only an administrator's token can list the teams, so without ``user`` no team is set.
    """
    path = f"/conversations/{conversation_id}"
    for mark, work in _marks(bot, user, path, desk):
        try:
            work()
        except (HttpFault, SmosError) as error:
            _log.warning(
                "hand_over_mark_not_set",
                account=bot.account_id,
                conversation=conversation_id,
                mark=mark,
                detail=str(error),
            )


def _marks(
    bot: ChatwootClient, user: ChatwootClient | None, path: str, desk: Desk
) -> Iterator[tuple[str, Callable[[], object]]]:
    if desk.labels:
        yield "labels", lambda: _label(bot, path, desk.labels)
    if desk.team is not None:
        name = desk.team
        yield "team", lambda: _assign(bot, user, path, name)
    if desk.priority is not None:
        body = {"priority": desk.priority}
        yield "priority", lambda: bot.call("POST", f"{path}/toggle_priority", body, timeout_s=_WITHIN_S)


def _label(bot: ChatwootClient, path: str, labels: tuple[str, ...]) -> None:
    """Add labels to those people gave: Chatwoot replaces the whole list."""
    answer = bot.call("GET", f"{path}/labels", timeout_s=_WITHIN_S)
    listed = cast("dict[str, Any]", answer).get("payload") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise PermanentError("chatwoot_unreadable", "Chatwoot's answer holds no labels")
    there = [label for label in cast("list[object]", listed) if isinstance(label, str)]
    wanted = list(dict.fromkeys((*there, *labels)))
    if wanted != there:
        bot.call("POST", f"{path}/labels", {"labels": wanted}, timeout_s=_WITHIN_S)


def _assign(bot: ChatwootClient, user: ChatwootClient | None, path: str, name: str) -> None:
    if user is None:
        raise PermanentError("user_token_missing", "teams are listed with secret chatwoot/user_token only")
    number = teams_of(user).get(name.lower())
    if number is None:
        raise PermanentError("team_missing", f"account {user.account_id} has no team {name!r}")
    bot.call("POST", f"{path}/assignments", {"team_id": number}, timeout_s=_WITHIN_S)


def teams_of(user: ChatwootClient) -> dict[str, int]:
    """Return an account's teams by name; Chatwoot keeps names in small letters. Raises HttpFault, TransientError."""
    listed = answer_list(user.call("GET", "/teams", timeout_s=_WITHIN_S))
    return {(team.text("name") or "").lower(): number for team in listed if (number := team.number("id")) is not None}


def labels_of(user: ChatwootClient) -> frozenset[str]:
    """Return the labels people can see in an account. Raises HttpFault, TransientError."""
    listed = answer_list(user.call("GET", "/labels", timeout_s=_WITHIN_S), "payload")
    return frozenset(title for label in listed if (title := label.text("title")) is not None)
