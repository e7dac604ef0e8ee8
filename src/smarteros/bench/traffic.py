"""The outside world of the measurement in one event loop: signed webhooks at a fixed rate, and a Chatwoot that only
answers as fast as it can. A load tool, not a stand-in: it knows the calls of an answered FAQ turn and no others.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from smarteros.channels.chatwoot.signatures import sign_v1

T = TypeVar("T")

ACCOUNT_ID = 1
INBOX_ID = 7
QUESTION = "¿Cuál es el horario de atención?"
_CONNECTIONS = 32
_SEND_TIMEOUT_S = 30.0
_CONVERSATION = re.compile(rb"/conversations/(\d+)")
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)


@dataclass
class Sample:
    """What happened to the webhooks of one measurement, in seconds from the instant each should have been sent."""

    accepted: list[float] = field(default_factory=list[float])
    answered: list[float] = field(default_factory=list[float])
    refused: int = 0
    unanswered: int = 0
    seconds: float = 0.0


class Traffic:
    """Runs the event loop in a thread of its own; ``url`` is the Chatwoot that SmarterOS is told of."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="traffic", daemon=True)
        self._thread.start()
        self._next_id = 1000
        self._waiting: dict[int, asyncio.Future[float]] = {}
        self.replies = 0
        self.doubled = 0
        self._server = self._run(self._listen())
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Stop listening and end the thread."""
        self._server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def send(self, webhook_url: str, rate: float, count: int, *, wait_s: float = 60.0, replies: bool = True) -> Sample:
        """Send ``count`` webhooks at ``rate`` a second, whatever the answers, and wait for the replies."""
        return self._run(self._send_all(webhook_url, rate, count, wait_s, replies))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: _Chatwoot(self), "127.0.0.1", 0)

    def took_reply(self, conversation_id: int) -> None:
        """Note the instant at which a reply was in the channel."""
        self.replies += 1
        waiting = self._waiting.get(conversation_id)
        if waiting is None:
            return
        if waiting.done():
            self.doubled += 1
        else:
            waiting.set_result(time.perf_counter())

    async def _send_all(self, url: str, rate: float, count: int, wait_s: float, replies: bool) -> Sample:
        host, _, path = url.removeprefix("http://").partition("/")
        name, _, port = host.partition(":")
        sample, jobs = Sample(), asyncio.Queue[tuple[float, int] | None]()
        senders = [
            asyncio.create_task(self._sender(name, int(port), f"/{path}", jobs, sample)) for _ in range(_CONNECTIONS)
        ]
        started = time.perf_counter()
        due: dict[int, float] = {}
        for at in range(count):
            intended = started + at / rate
            await asyncio.sleep(max(0.0, intended - time.perf_counter()))
            self._next_id += 1
            due[self._next_id] = intended
            self._waiting[self._next_id] = self._loop.create_future()
            jobs.put_nowait((intended, self._next_id))
        for _ in senders:
            jobs.put_nowait(None)
        await asyncio.gather(*senders)
        if replies:
            await self._collect(due, wait_s, sample)
        sample.seconds = time.perf_counter() - started
        return sample

    async def _collect(self, due: dict[int, float], wait_s: float, sample: Sample) -> None:
        futures = [self._waiting[one] for one in due]
        if futures:
            await asyncio.wait(futures, timeout=wait_s)
        for one, intended in due.items():
            future = self._waiting[one]
            if future.done():
                sample.answered.append(future.result() - intended)
            else:
                sample.unanswered += 1

    async def _sender(
        self, host: str, port: int, path: str, jobs: asyncio.Queue[tuple[float, int] | None], sample: Sample
    ) -> None:
        line = _Line(host, port)
        await line.open()
        try:
            while (job := await jobs.get()) is not None:
                intended, number = job
                head = await line.ask(self._webhook(path, number))
                if head.startswith(b"HTTP/1.1 200"):
                    sample.accepted.append(time.perf_counter() - intended)
                else:
                    sample.refused += 1
        finally:
            line.close()

    def _webhook(self, path: str, number: int) -> bytes:
        body = json.dumps(message_created(number), ensure_ascii=False).encode()
        stamp = int(time.time())
        signature = sign_v1(body, self._secret, stamp)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: smarteros\r\nContent-Type: application/json\r\n"
            f"X-Chatwoot-Timestamp: {stamp}\r\nX-Chatwoot-Signature: {signature}\r\n"
            f"X-Chatwoot-Delivery: {number}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class _Line:
    """One connection to the edge, one request at a time, opened anew when the server has closed it: servers close a
    connection on which nothing was asked for some seconds (uvicorn: 5).
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the connection, a new one if there is none or the server has ended it."""
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self._reader, self._writer

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return the head of its answer.

        It is sent once more when the server hung up just then without a byte of an answer: a webhook that was heard
        all the same is a duplicate by its message id, and is answered 200. Raises what asyncio's streams raise.
        """
        try:
            return await self._exchange(request)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.close()
            if isinstance(error, asyncio.IncompleteReadError) and error.partial:
                raise
            return await self._exchange(request)

    async def _exchange(self, request: bytes) -> bytes:
        reader, writer = await self.open()
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _SEND_TIMEOUT_S)
        if length := _LENGTH.search(head):
            await reader.readexactly(int(length.group(1)))
        return head

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class _Chatwoot(asyncio.Protocol):
    """Answers the reading of a conversation and the posting of a message, one request after the other."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length.group(1)) if length else 0)
            if len(self._buffer) < whole:
                return
            self._buffer = self._buffer[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        found = _CONVERSATION.search(head)
        number = int(found.group(1)) if found else 0
        line = head.split(b"\r\n", 1)[0]
        if line.startswith(b"POST") and b"/messages" in line:
            self._traffic.took_reply(number)
            answer: dict[str, Any] = {"id": number + 1_000_000, "content": "", "message_type": 1}
        elif b"/messages" in line:
            answer = {"meta": {}, "payload": []}
        else:
            answer = {"id": number, "status": "pending", "meta": {}, "messages": [], "can_reply": True}
        body = json.dumps(answer).encode()
        if self._transport is not None:
            head_out = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head_out.encode() + body)


def message_created(number: int) -> dict[str, Any]:
    """A customer's question in a conversation of its own, as Chatwoot sends it."""
    sender = {"id": number, "name": "Camila Soto", "email": None, "phone_number": None, "blocked": False}
    account = {"id": ACCOUNT_ID, "name": "Medida SpA"}
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return {
        "event": "message_created",
        "id": number,
        "content": QUESTION,
        "content_type": "text",
        "content_attributes": {},
        "message_type": "incoming",
        "private": False,
        "created_at": now,
        "account": account,
        "inbox": {"id": INBOX_ID, "name": "Chat de la web"},
        "sender": sender,
        "conversation": {
            "id": number,
            "inbox_id": INBOX_ID,
            "channel": "Channel::WebWidget",
            "can_reply": True,
            "status": "pending",
            "messages": [],
            "labels": [],
            "custom_attributes": {},
            "additional_attributes": {},
            "contact_inbox": {"id": number, "source_id": f"bench-{number}"},
            "meta": {"sender": sender, "assignee": None, "team": None},
            "account": account,
        },
    }
