"""The webhook sender of the stand-in Chatwoot against receivers that behave badly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest

from smarteros_sandbox.chatwoot.webhooks.poster import post

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def posted_to(handler: Handler, timeout_seconds: float = 5.0) -> tuple[int, bytes]:
    """The status that a raw TCP receiver leads to, and the head of the last request it got."""
    heads: list[bytes] = []

    async def run() -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with closing(writer):
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                await handler(reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            url = f"http://127.0.0.1:{port}/añejo?q=1"
            return await post(url, {"X-Chatwoot-Delivery": "d"}, b"{}", timeout_seconds)

    return asyncio.run(run()), heads[-1] if heads else b""


def answering(*parts: bytes) -> Handler:
    async def handler(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return handler


def test_the_request_and_its_status() -> None:
    status, head = posted_to(answering(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"))
    assert status == 202
    assert head.startswith(b"POST /a%C3%B1ejo?q=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"X-Chatwoot-Delivery: d\r\n" in head
    assert b"Content-Length: 2\r\n" in head


def test_interim_answers_are_skipped() -> None:
    status, _ = posted_to(answering(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 503 Busy\r\n\r\n"))
    assert status == 503


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1\r\n", b"HTTP/1.1 abc\r\n", b"x" * 100_000])
def test_no_http_is_an_error(answer: bytes) -> None:
    with pytest.raises((OSError, ValueError)):
        posted_to(answering(answer))


def test_a_receiver_that_never_answers_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(TimeoutError):
        posted_to(silent, timeout_seconds=0.1)


def test_redirects_are_followed() -> None:
    async def run() -> tuple[int, list[bytes]]:
        lines: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with closing(writer):
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
                lines.append(head.split(b"\r\n")[0])
                status = b"200 OK" if b"/new" in lines[-1] else b"307 Moved\r\nLocation: /new"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await post(f"http://127.0.0.1:{port}/old", {}, b"{}", 5.0), lines

    status, lines = asyncio.run(run())
    assert status == 200
    assert lines[-1] == b"POST /new HTTP/1.1"


def test_nobody_there() -> None:
    with pytest.raises(OSError, match=r"."):
        asyncio.run(post("http://127.0.0.1:1/", {}, b"{}", 1.0))
    with pytest.raises(OSError, match=r"."):
        asyncio.run(post("https://127.0.0.1:1/", {}, b"{}", 1.0))
