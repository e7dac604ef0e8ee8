"""A server on loopback that speaks like OpenAI, Anthropic and Google, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.support import serving

INPUT_TOKENS, OUTPUT_TOKENS = 321, 45


@dataclass
class Received:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    raw: str
    body: dict[str, Any]

    @property
    def everything(self) -> str:
        return "\n".join((self.path, json.dumps(self.headers), self.raw, json.dumps(self.body, ensure_ascii=False)))


@dataclass
class Provider:
    """What the server answers with: an output, a status, silence, a refusal, or something that is no answer."""

    output: dict[str, Any] | str = ""
    status: int = 200
    silent: bool = False
    refuses: bool = False
    cut_off: bool = False
    redirect_to: str | None = None
    url: str = ""
    received: list[Received] = field(default_factory=list[Received])

    @property
    def text(self) -> str:
        return self.output if isinstance(self.output, str) else json.dumps(self.output, ensure_ascii=False)

    async def take(self, request: Request) -> Response | None:
        raw = (await request.body()).decode()
        self.received.append(Received(request.url.path, dict(request.headers), raw, json.loads(raw)))
        if self.silent:
            await asyncio.Event().wait()  # until the caller hangs up
        if self.redirect_to:
            return RedirectResponse(self.redirect_to, status_code=307)
        if self.status != 200:
            return JSONResponse({"error": {"message": "scripted", "type": "scripted"}}, self.status)
        return None

    async def openai(self, request: Request) -> Response:
        failed = await self.take(request)
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.refuses:
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        tools = self.received[-1].body.get("tools")
        if tools and not self.refuses:
            call = {"name": tools[0]["function"]["name"], "arguments": self.text}
            message = {"role": "assistant", "content": None}
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
        return failed or JSONResponse(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1_790_000_000,
                "model": "scripted",
                "choices": [{"index": 0, "finish_reason": "length" if self.cut_off else "stop", "message": message}],
                "usage": {
                    "prompt_tokens": INPUT_TOKENS,
                    "completion_tokens": OUTPUT_TOKENS,
                    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
                },
            }
        )

    async def anthropic(self, request: Request) -> Response:
        failed = await self.take(request)
        tools = self.received[-1].body.get("tools")
        content: dict[str, Any] = {"type": "text", "text": self.text}
        if tools and isinstance(self.output, dict):
            content = {"type": "tool_use", "id": "toolu_1", "name": tools[0]["name"], "input": self.output}
        return failed or JSONResponse(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "scripted",
                "content": [content],
                "stop_reason": "refusal" if self.refuses else "max_tokens" if self.cut_off else "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
            }
        )

    async def google(self, request: Request) -> Response:
        failed = await self.take(request)
        candidate: dict[str, Any] = {
            "content": {"role": "model", "parts": [{"text": self.text}]},
            "finishReason": "MAX_TOKENS" if self.cut_off else "STOP",
        }
        if self.refuses:
            candidate = {"finishReason": "SAFETY"}
        return failed or JSONResponse(
            {
                "candidates": [candidate],
                "modelVersion": "scripted",
                "usageMetadata": {
                    "promptTokenCount": INPUT_TOKENS,
                    "candidatesTokenCount": OUTPUT_TOKENS,
                    "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
                },
            }
        )


def import_libraries() -> None:
    """Import what a first call would import: it takes seconds, more than a flow lets a customer wait."""
    for provider in ("openai", "anthropic", "google"):
        importlib.import_module(f"pydantic_ai.models.{provider}")


@contextmanager
def provider_server() -> Iterator[Provider]:
    """Serve a provider on a free port; its address is ``url``."""
    provider = Provider()
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", provider.openai, methods=["POST"]),
            Route("/v1/messages", provider.anthropic, methods=["POST"]),
            Route("/v1beta/models/{call:path}", provider.google, methods=["POST"]),
        ]
    )
    with serving(app) as url:
        provider.url = url
        yield provider
