"""One HTTP POST, a new connection each time, only the status matters.

Plain ``http`` without redirect, which is what a product on the same machine offers, is spoken directly: a
general client spends most of a millisecond per webhook, and a turn causes five of them. Everything else goes
through httpx.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from urllib.parse import quote, urlsplit

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 10
MAX_HEADER_LINE = 64 * 1024


async def post(url: str, headers: dict[str, str], body: bytes, timeout_seconds: float) -> int:
    """The status of the answer; OSError (TimeoutError is one) or ValueError when there is none."""
    target = _plain_target(url)
    if target is not None:
        status = await _post_plainly(*target, headers, body, timeout_seconds)
        if status not in REDIRECTS:
            return status
    return await _post_by_client(url, headers, body, timeout_seconds)


@lru_cache(maxsize=256)
def _plain_target(url: str) -> tuple[str, int, str, str] | None:
    """Host, port, Host header and request target of an ``http`` URL; None for any other."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None or not parts.netloc.isascii() or "@" in parts.netloc:
        return None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%?:@!$&'()*+,;=~-._") if parts.query else ""
    return parts.hostname, parts.port or 80, parts.netloc, path + query


async def _post_plainly(
    host: str,
    port: int,
    host_header: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
    timeout_seconds: float,
) -> int:
    lines = [f"POST {target} HTTP/1.1", f"Host: {host_header}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    async with asyncio.timeout(timeout_seconds):
        reader, writer = await asyncio.open_connection(host, port, limit=MAX_HEADER_LINE)
    try:
        async with asyncio.timeout(timeout_seconds):
            # One write: head and body in one packet.
            writer.write("\r\n".join(lines).encode() + body)
            await writer.drain()
            return await _read_status(reader)
    finally:
        writer.close()


async def _read_status(reader: asyncio.StreamReader) -> int:
    """The first line that is no interim answer (1xx)."""
    while True:
        line = await reader.readline()
        if not line:
            raise ConnectionResetError("the connection was closed without an answer")
        protocol, _, rest = line.partition(b" ")
        code = rest[:3]
        if not protocol.startswith(b"HTTP/") or not code.isdigit():
            raise ValueError("the answer is not HTTP")
        if not code.startswith(b"1"):
            return int(code)
        while (await reader.readline()).strip():
            pass


async def _post_by_client(url: str, headers: dict[str, str], body: bytes, timeout_seconds: float) -> int:
    # Imported when needed: most sandboxes never talk to anything but their own machine.
    import httpx2

    try:
        async with (
            asyncio.timeout(2 * timeout_seconds),
            httpx2.AsyncClient(
                timeout=timeout_seconds, follow_redirects=True, max_redirects=MAX_REDIRECTS, trust_env=False
            ) as client,
        ):
            answer = await client.post(url, content=body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        raise ConnectionError(str(problem) or type(problem).__name__) from problem
    return answer.status_code
