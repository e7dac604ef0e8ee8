"""A stand-in of Redpanda's HTTP proxy, as strict about the wire as pandaproxy is about producing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.kafka_broker import Taken

RECORDS = "application/vnd.kafka.json.v2+json"
ANSWER = "application/vnd.kafka.v2+json"
_LARGEST = 1_048_576
_UNKNOWN_TOPIC = 3


class RedpandaProxy:
    """Topics in memory; ``asked`` are the requests' methods and paths."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Taken]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.partial: dict[int, int] = {}
        self._away = False

    def create_topic(self, topic: str) -> None:
        self.topics[topic] = []

    def taken(self, topic: str, _events: int) -> list[Taken]:
        return self.topics[topic]

    @contextmanager
    def away(self) -> Iterator[None]:
        self._away = True
        try:
            yield
        finally:
            self._away = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        status, body = self._answer(request, await request.body())
        await JSONResponse(body, status, media_type=ANSWER)(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> tuple[int, Any]:
        self.asked.append(f"{request.method} {request.url.path}")
        self.headers.append(dict(request.headers))
        if self._away:
            return 503, {"error_code": 50303, "message": "no broker"}
        if request.headers.get("accept") != ANSWER:
            return 406, {"error_code": 406, "message": "HTTP 406 Not Acceptable"}
        if self.asked[-1] == "GET /brokers":
            return 200, {"brokers": [1]}
        if request.method != "POST" or not request.url.path.startswith("/topics/"):
            return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
        if request.headers.get("content-type") != RECORDS:
            return 415, {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"}
        if len(body) > _LARGEST:
            return 413, {"error_code": 413, "message": "HTTP 413 Payload Too Large"}
        return self._produce(request.url.path.removeprefix("/topics/"), body)

    def _produce(self, topic: str, body: bytes) -> tuple[int, Any]:
        try:
            sent = json.loads(body)
            records = [(record["key"], record["value"]) for record in sent["records"]]
            assert list(sent) == ["records"]
        except (ValueError, KeyError, TypeError, AssertionError):
            return 422, {"error_code": 422, "message": "Unprocessable Entity"}
        if topic not in self.topics:
            return 200, {"offsets": [{"partition": -1, "offset": -1, "error_code": _UNKNOWN_TOPIC}] * len(records)}
        offsets: list[dict[str, int]] = []
        for number, (key, value) in enumerate(records):
            if (code := self.partial.pop(number, None)) is not None:
                offsets.append({"partition": 0, "offset": -1, "error_code": code})
                continue
            offsets.append({"partition": 0, "offset": len(self.topics[topic])})
            self.topics[topic].append(Taken(key, value["event_id"], json.dumps(value)))
        return 200, {"offsets": offsets}
