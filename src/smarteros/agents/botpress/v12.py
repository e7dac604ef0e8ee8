"""Botpress v12's converse API: one request, one answer.

``POST /api/v1/bots/{bot}/converse/{user}``, with a bearer ``…/secured``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from smarteros.agents.botpress.places import Places
from smarteros.agents.botpress.protocol import BotFault, BotQuestion
from smarteros.agents.botpress.wire import Wire, contract_in, objects_in
from smarteros.domain.botpress import BotpressSettings
from smarteros.tools.deadline import Deadline

# The server refuses longer ones; the whole of it is in the metadata.
_LONGEST_TEXT = 360
_NO_ANSWER = frozenset({"typing"})


@dataclass
class V12:
    """Asks bots of Botpress v12.

    The server collects a user's responses until he is answered. After a fault another user is named, so that what
    comes late is not taken for the next answer.
    """

    wire: Wire
    _names: Places[str] = field(default_factory=Places[str])

    def answer(
        self, settings: BotpressSettings, key: str | None, question: BotQuestion, deadline: Deadline
    ) -> dict[str, Any]:
        """Return the JSON of the bot's first response; see ``Bots.ask``. DeadlineError when time is up."""
        known = (settings.url, settings.bot, question.user)
        name = self._names.take(known) or question.user
        try:
            contract = self._converse(settings, key, name, question, deadline)
        except Exception:
            self._names.put(known, f"{question.user}-{secrets.token_hex(4)}")
            raise
        self._names.put(known, name)
        return contract

    def _converse(
        self, settings: BotpressSettings, key: str | None, name: str, question: BotQuestion, deadline: Deadline
    ) -> dict[str, Any]:
        answer = self.wire.exchange(
            "POST",
            f"{settings.url}/api/v1/bots/{settings.bot}/converse/{name}{'/secured' if key else ''}",
            deadline,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            body={"type": "text", "text": question.text[:_LONGEST_TEXT], "metadata": question.contract},
        )
        responses = objects_in(answer, "responses")
        first = next((each for each in responses if each.get("type") not in _NO_ANSWER), None)
        if first is None:
            raise BotFault("malformed", "the bot said nothing")
        return contract_in(first.get("metadata"), first.get("text"))
