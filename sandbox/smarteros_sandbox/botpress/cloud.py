"""The Chat API of Botpress Cloud, as far as a client needs it to talk: users, conversations, messages, listening."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from smarteros_sandbox.botpress.bots import SandboxBot
from smarteros_sandbox.botpress.misbehaviour import SERVICE, misbehave, words_of
from smarteros_sandbox.botpress.records import ApiError, Records, Talk
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.untyped import as_object
from smarteros_sandbox.shops.wire import BodyError, WireJson, read_json

LARGEST_BODY = 1024 * 1024
PAGE = 20
Json = dict[str, Any]
Operation = Callable[[Records, Request, Json], Awaitable[Response]]


class ChatApi:
    """The operations under ``/{webhook id}``."""

    def __init__(self, bots: Mapping[str, SandboxBot], faults: Faults) -> None:
        self._records = {bot_id: Records(bot) for bot_id, bot in bots.items()}
        self._faults = faults
        self._answering: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """The routes of all bots."""
        talk = "/{bot}/conversations/{id}"
        operations: list[tuple[str, str, Operation]] = [
            ("GET", "/{bot}/hello", self._hello),
            ("GET", "/{bot}/hello/", self._hello),  # as the official client asks
            ("POST", "/{bot}/users", self._create_user),
            ("POST", "/{bot}/users/get-or-create", self._get_or_create_user),
            ("GET", "/{bot}/users/me", self._user),
            ("POST", "/{bot}/conversations", self._create_conversation),
            ("POST", "/{bot}/conversations/get-or-create", self._get_or_create_conversation),
            ("GET", talk, self._conversation),
            ("GET", f"{talk}/messages", self._messages),
            ("GET", f"{talk}/listen", self._listen),
            ("POST", "/{bot}/messages", self._create_message),
        ]
        return [Route(path, self._endpoint(each), methods=[method]) for method, path, each in operations]

    def _endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            records = self._records.get(str(request.path_params["bot"]))
            try:
                if records is None:
                    raise ApiError(404, "ResourceNotFound", "Webhook not found")
                if wrong := await misbehave(self._faults, records.bot.tenant_id):
                    return wrong
                body = {} if request.method == "GET" else as_object(await read_json(request, LARGEST_BODY))
                return await operation(records, request, body or {})
            except BodyError:
                return _failed(ApiError(400, "InvalidPayload", "The body is not JSON"))
            except ApiError as error:
                return _failed(error)

        return answer

    async def _hello(self, records: Records, request: Request, body: Json) -> Response:
        del records, request, body
        return WireJson({})

    async def _create_user(self, records: Records, request: Request, body: Json) -> Response:
        del request
        user, key = records.new_user(_optional_text(body, "id"))
        return WireJson({"user": user, "key": key}, 201)

    async def _get_or_create_user(self, records: Records, request: Request, body: Json) -> Response:
        del body
        return WireJson({"user": records.add_user(_user(records, request, may_be_new=True))})

    async def _user(self, records: Records, request: Request, body: Json) -> Response:
        del body
        return WireJson({"user": records.users[_user(records, request)]})

    async def _create_conversation(self, records: Records, request: Request, body: Json) -> Response:
        begun = records.begin(_user(records, request), _optional_text(body, "id"))
        return WireJson({"conversation": begun}, 201)

    async def _get_or_create_conversation(self, records: Records, request: Request, body: Json) -> Response:
        user, wanted = _user(records, request), _optional_text(body, "id")
        if wanted is None:
            raise ApiError(400, "InvalidPayload", "id is required")
        known = wanted in records.talks
        return WireJson({"conversation": records.talk(wanted, user).begun if known else records.begin(user, wanted)})

    async def _conversation(self, records: Records, request: Request, body: Json) -> Response:
        del body
        return WireJson({"conversation": _talk(records, request).begun})

    async def _messages(self, records: Records, request: Request, body: Json) -> Response:
        """The newest page first."""
        del body
        return WireJson({"messages": _talk(records, request).messages[: -PAGE - 1 : -1], "meta": {}})

    async def _create_message(self, records: Records, request: Request, body: Json) -> Response:
        user, conversation_id = _user(records, request), _optional_text(body, "conversationId")
        payload = as_object(body.get("payload"))
        if payload is None or payload.get("type") != "text" or not isinstance(payload.get("text"), str):
            raise ApiError(400, "InvalidPayload", "payload must be a message; the stand-in takes texts")
        records.talk(conversation_id or "", user)
        metadata = as_object(body.get("metadata"))
        message = records.say(conversation_id or "", user, payload, metadata)
        task = asyncio.create_task(self._answer(records, conversation_id or "", metadata or {}))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return WireJson({"message": message}, 201)

    async def _answer(self, records: Records, conversation_id: str, asked: Json) -> None:
        """Let the bot say something, some time after its user has his answer."""
        if self._faults.take(SERVICE, "silent", records.bot.tenant_id):
            return
        told = words_of(self._faults, records.bot)
        answer = told if told is not None else await asyncio.to_thread(records.bot.answers, asked)
        text = answer if isinstance(answer, str) else "…"
        metadata = None if isinstance(answer, str) else answer
        if conversation_id in records.talks:
            records.say(conversation_id, records.bot_user, {"type": "text", "text": text}, metadata)

    async def _listen(self, records: Records, request: Request, body: Json) -> Response:
        del body
        events = _events(_talk(records, request))
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(talk: Talk) -> AsyncIterator[str]:
    with talk.heard() as queue:
        yield "event: message\ndata: ping\n\n"
        while True:
            yield f"event: message\ndata: {json.dumps(await queue.get(), ensure_ascii=False)}\n\n"


def _user(records: Records, request: Request, *, may_be_new: bool = False) -> str:
    return records.user_of(request.headers.get("x-user-key"), may_be_new=may_be_new)


def _talk(records: Records, request: Request) -> Talk:
    return records.talk(str(request.path_params["id"]), _user(records, request))


def _optional_text(body: Json, name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ApiError(400, "InvalidPayload", f"{name} must be a text")
    return value


def _failed(error: ApiError) -> Response:
    return WireJson(error.body, error.code)
