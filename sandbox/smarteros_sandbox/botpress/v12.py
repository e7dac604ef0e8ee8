"""Botpress v12's converse API (12.26 and later): open, or ``/secured`` by a bearer."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from smarteros_sandbox.botpress.bots import SandboxBot, as_text
from smarteros_sandbox.botpress.misbehaviour import SERVICE, misbehave, words_of
from smarteros_sandbox.botpress.records import ApiError
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.untyped import as_object
from smarteros_sandbox.shops.wire import BodyError, WireJson, read_json

LARGEST_BODY = 1024 * 1024
LONGEST_TEXT = 360
_TAKEN = frozenset({"type", "text", "includedContexts", "metadata"})


class ConverseApi:
    """The two endpoints."""

    def __init__(self, bots: Mapping[str, SandboxBot], faults: Faults) -> None:
        self._bots = bots
        self._faults = faults

    async def open(self, request: Request) -> Response:
        """``POST /api/v1/bots/{bot}/converse/{user}``: answers only if the bot has no key."""
        bot = self._bots.get(str(request.path_params["bot"]))
        if bot is not None and bot.key is not None:
            return PlainTextResponse(f"Unauthenticated Converse API is disabled for {bot.bot_id}", 403)
        return await self._converse(request, bot, checked=True)

    async def secured(self, request: Request) -> Response:
        """``…/secured``: for who brings the bot's bearer; the body's form is not looked at."""
        bot = self._bots.get(str(request.path_params["bot"]))
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bot is None or not hmac.compare_digest((bot.key or "").encode(), given.encode("utf-8", "replace")):
            return _error(401, "BP_0041", "Invalid authentication token")
        return await self._converse(request, bot, checked=False)

    async def _converse(self, request: Request, bot: SandboxBot | None, *, checked: bool) -> Response:
        try:
            if bot is None:
                raise ApiError(404, "NotFound", "Bot not found")
            if wrong := await misbehave(self._faults, bot.tenant_id):
                return wrong
            body = as_object(await read_json(request, LARGEST_BODY)) or {}
            return WireJson({"responses": await self._responses(bot, body, checked=checked)})
        except BodyError:
            return _error(400, "BP_0400", "Malformed JSON")
        except ApiError as error:
            return _error(error.code, f"BP_{error.code:04}", str(error))

    async def _responses(self, bot: SandboxBot, body: dict[str, Any], *, checked: bool) -> list[dict[str, Any]]:
        text = body.get("text")
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT or body.get("type", "text") != "text":
            raise ApiError(400, "InvalidParameter", "Text must be a valid string of less than 360 chars")
        if checked and not body.keys() <= _TAKEN:
            raise ApiError(400, "InvalidPayload", "Invalid payload")
        if self._faults.take(SERVICE, "silent", bot.tenant_id):
            return []
        said = words_of(self._faults, bot)
        if said is None:
            said = as_text(await asyncio.to_thread(bot.answers, as_object(body.get("metadata")) or {}))
        return [{"type": "typing", "value": True}, {"type": "text", "text": said, "markdown": True, "workflow": {}}]


def _error(status: int, code: str, message: str) -> Response:
    body: dict[str, Any] = {"statusCode": status, "errorCode": code, "type": "Error", "message": message}
    return WireJson(body, status)
