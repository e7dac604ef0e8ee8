"""Passing the page's requests on to a server behind the demo, within bounds of size and time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

import httpx2
from fastapi import Request, Response

from smarteros.domain.errors import RejectedInputError, TransientError
from smarteros.edge.bodies import read_body
from smarteros.kit.http import public_trust

MAX_ANSWER_BYTES = 20 * 1024 * 1024
_PATIENCE_S = 30.0
_CONNECT_S = 2.0
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Written anew for each leg. A cookie would belong to the demo's own origin, which the other server is not.
_NOT_PASSED_ON = _HOP_BY_HOP | {"host", "content-length", "accept-encoding", "cookie", "expect"}
_NOT_PASSED_BACK = _HOP_BY_HOP | {"content-length", "content-encoding", "set-cookie", "server", "date"}
# Characters that some server along the way might read as a separator or decode a second time.
_UNSAFE_IN_SEGMENT = re.compile(r"[\x00-\x1f\x7f\\%]")
# Whatever the other server sends, it is shown on the demo's origin: as data, never as a page.
_AS_DATA = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class UpstreamError(TransientError):
    """The server behind the demo gave no usable answer."""

    http_status: ClassVar[int] = 502


@dataclass(frozen=True)
class Answer:
    """What the other server said, read to its end."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def response(self) -> Response:
        """Return it as an answer of ours."""
        response = Response(self.body, self.status)
        for name, value in self.headers:
            response.headers.append(name, value)
        response.headers.update(_AS_DATA)
        return response


class Proxy:
    """Everything below one URL of one server. ``name`` is what error messages call it."""

    def __init__(self, base_url: str, *, name: str, max_body_bytes: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._name = name
        self._max_body_bytes = max_body_bytes
        # No connection outlives its request, so there is nothing to close and no event loop to belong to.
        self._client = httpx2.AsyncClient(
            verify=public_trust(),
            timeout=httpx2.Timeout(_PATIENCE_S, connect=_CONNECT_S),
            limits=httpx2.Limits(max_connections=32, max_keepalive_connections=0),
            trust_env=False,
        )

    async def forward(self, request: Request, path: str) -> Response:
        """Pass a request on and its answer back.

        RejectedInputError for a path that leaves the base URL or a body that is too large; UpstreamError (502) when
        the server is away or says too much.
        """
        target = safe_path(path)
        if request.url.query:
            target += f"?{request.url.query}"
        body = await read_body(request, self._max_body_bytes)
        answer = await self.fetch(target, method=request.method, headers=_passed_on(request), body=body)
        return answer.response()

    async def fetch(
        self, target: str, *, method: str = "GET", headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Answer:
        """Ask for ``target`` (a safe path with query) below the base URL. Raises UpstreamError."""
        url = f"{self._base_url}/{target}"
        sent = [*headers, ("Accept-Encoding", "identity")]
        try:
            async with (
                asyncio.timeout(_PATIENCE_S),
                self._client.stream(method, url, headers=sent, content=body or None) as response,
            ):
                return Answer(response.status_code, _passed_back(response), await self._read(response))
        except (httpx2.HTTPError, TimeoutError) as error:
            raise UpstreamError(
                "upstream_away",
                f"{self._name} gave no answer: {type(error).__name__}",
                public_message=f"{self._name} does not answer.",
            ) from error

    async def _read(self, response: httpx2.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise UpstreamError(
                    "upstream_answer_too_large",
                    f"{self._name} answered more than {MAX_ANSWER_BYTES} bytes.",
                    public_message=f"The answer of {self._name} is too large.",
                )
        return bytes(body)


def safe_path(path: str) -> str:
    """Return a decoded path encoded again. RejectedInputError 400 when it could lead out of the base URL."""
    segments = path.split("/")
    if any(segment in ("", ".", "..") or _UNSAFE_IN_SEGMENT.search(segment) for segment in segments):
        raise RejectedInputError("unsafe_path", "The path is not allowed.", status=400)
    return "/".join(quote(segment, safe="@+:~") for segment in segments)


def _passed_on(request: Request) -> list[tuple[str, str]]:
    dropped = _NOT_PASSED_ON | _named_by_connection(request.headers.get("connection", ""))
    return [(name, value) for name, value in request.headers.items() if name not in dropped]


def _passed_back(response: httpx2.Response) -> tuple[tuple[str, str], ...]:
    dropped = _NOT_PASSED_BACK | _named_by_connection(response.headers.get("connection", ""))
    return tuple((name, value) for name, value in response.headers.multi_items() if name.lower() not in dropped)


def _named_by_connection(value: str) -> frozenset[str]:
    """Return the headers that the sender declared to be for this leg only."""
    return frozenset(name.strip().lower() for name in value.split(",") if name.strip())
