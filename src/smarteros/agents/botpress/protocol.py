"""What the brain needs of Botpress: somebody who carries one question to a bot and brings its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from smarteros.domain.botpress import BotpressSettings

PROVIDER = "botpress"
"""What ``llm_calls`` names the provider of a bot's answers."""

# Why there is no usable answer of a bot.
BotFaultKind = Literal[
    "timeout",        # it took longer than the flow's promise allows
    "unavailable",    # no connection, 5xx
    "rate_limited",   # 429
    "rejected",       # the request was refused: key, bot, address
    "malformed",      # an answer that is no contract JSON, or too long
    "misconfigured",  # it could not be asked: the address may not be asked, the secret store is away
]  # fmt: skip


class BotFault(Exception):
    """No usable answer came. The text is for operators: it names no address, key or words of a customer."""

    def __init__(self, kind: BotFaultKind, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind: BotFaultKind = kind


@dataclass(frozen=True)
class BotQuestion:
    """One message to a bot. ``user`` names the conversation to Botpress: ASCII, at most 70 characters, nobody's data.

    ``text`` is what the customer wrote, ``contract`` the request of the agent contract as JSON; personal data is hidden
    in both.
    """

    user: str
    text: str
    contract: dict[str, Any]


class Bots(Protocol):
    """Carries questions to bots."""

    def ask(
        self, settings: BotpressSettings, key: str | None, question: BotQuestion, timeout_s: float
    ) -> dict[str, Any]:
        """Return the JSON object the bot answered with, whatever is in it; BotFault when none came in time."""
        ...
