"""A shop's own bot at Botpress: where it is and how it is spoken to."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from smarteros.domain.model import Model

CLOUD_URL = "https://chat.botpress.cloud"
BOT_KEY_PATH = "botpress/bot_key"
"""Secret that opens the bot: the Chat integration's encryption key (cloud) or a bearer token (v12). Not the key
``botpress/api_key``, which opens our own agent endpoint."""

# cloud: the Chat API of Botpress Cloud; v12: the converse API of a server of one's own.
BotpressDialect = Literal["cloud", "v12"]


class BotpressSettings(Model):
    """The bot of one tenant. What opens it is the secret ``botpress/bot_key``, never in here.

    ``bot`` is the webhook id of the bot's Chat integration (cloud) or the bot's id (v12). ``timeout_ms`` is shortened
    to what the flow's promise leaves.
    """

    dialect: BotpressDialect
    url: str = Field(default=CLOUD_URL, pattern=r"^https?://[^\s@?#]+[^\s@?#/]$")
    bot: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")
    timeout_ms: int = Field(default=4000, ge=100, le=20_000)

    @model_validator(mode="after")
    def _has_its_own_server(self) -> Self:
        if self.dialect == "v12" and self.url == CLOUD_URL:
            raise ValueError("v12 needs url, the address of your server")
        return self

    @property
    def name(self) -> str:
        """What books and operators call it: of a webhook id, by which anybody can speak to the bot, the beginning."""
        return f"{self.dialect}:{self.bot[:8]}"
