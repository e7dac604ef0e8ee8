"""One HTTP client for all adapters: bounded in time, and its faults already sorted.

A fault is either transient (worth another try) or permanent; which of them a status is, is decided here once.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from json import loads
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from smarteros.kit.addresses import AddressGuard

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpFault(Exception):
    """The other side did not give what was asked. ``status`` is None when no answer came at all.

    ``sent`` tells whether the request may have had its effect (False only when the connection was never made).
    ``retry_after_s`` is how long the other side asked to be left alone; None when it said nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None,
        transient: bool,
        sent: bool,
        body: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.transient = transient
        self.sent = sent
        self.body = body
        self.retry_after_s = retry_after_s


class BodyTooLargeError(Exception):
    """The answer is longer than the caller allows; reading stopped there."""


@dataclass(frozen=True)
class Fetched:
    """An answer of any status, read within bounds. Header names are lower-case; a redirect has no body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@cache
def public_trust() -> ssl.SSLContext:
    """The public authorities, read once in a process: that takes 20 ms of a core, and connections share them."""
    return httpx2.create_ssl_context(trust_env=False)


@dataclass
class HttpClient:
    """Connection pool for outgoing calls. Close it at shutdown.

    ``ca_file`` is the PEM of an authority of one's own, believed instead of the public ones. ``guard`` looks at the
    address of every connection that ``request`` makes before a byte is sent: a name cannot be another one meanwhile.
    """

    default_timeout_s: float = 10.0
    ca_file: Path | None = None
    guard: AddressGuard | None = None

    def __post_init__(self) -> None:
        self._client = httpx2.Client(
            timeout=self.default_timeout_s,
            verify=public_trust() if self.ca_file is None else ssl.create_default_context(cafile=self.ca_file),
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=16),
            trust_env=False,
            cookies=_no_cookies(),
            event_hooks={"request": [] if self.guard is None else [partial(_guarded, self.guard)]},
        )
        # Strangers' files come over connections of their own, never kept: the watchdog must see them open.
        self._fetcher = httpx2.Client(
            verify=public_trust(),
            limits=httpx2.Limits(max_connections=16, max_keepalive_connections=0),
            trust_env=False,
            cookies=_no_cookies(),
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._fetcher.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> httpx2.Response:
        """Send a request and return a 2xx answer; anything else is an HttpFault. Redirects are not followed.

        ``content`` is a body whose very bytes matter (they were signed), in the place of ``json``.
        """
        timeout = self.default_timeout_s if timeout_s is None else timeout_s
        with _sorted(method, url):
            response = self._client.request(
                method, url, headers=headers, json=json, content=content, params=params, timeout=timeout
            )
        if response.is_success:
            return response
        raise _unsuccessful(method, url, response, response.text[:2000])

    def short_json(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any,
        max_bytes: int,
        timeout_s: float,
        method: str = "POST",
    ) -> Any:
        """Ask somebody who may answer anything; return the JSON of a 2xx answer.

        Raises BodyTooLargeError as soon as an answer is longer than ``max_bytes``, and HttpFault. What comes packed is
        not unpacked.
        """
        headers = {**headers, "Accept-Encoding": "identity"}
        with (
            _sorted(method, url),
            self._client.stream(method, url, headers=headers, json=json, timeout=timeout_s) as response,
        ):
            body = _read_at_most(response, max_bytes)
        if not response.is_success:
            raise _unsuccessful(method, url, response, body[:2000].decode("utf-8", "replace"))
        try:
            return loads(body)
        except (ValueError, RecursionError) as error:
            raise HttpFault(f"{method} {_shown(url)}: not JSON", status=200, transient=False, sent=True) from error

    def fetch(
        self,
        url: str,
        *,
        max_bytes: int,
        timeout_s: float,
        address: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Fetched:
        """GET a file a stranger named: one hop, at most ``max_bytes``, all of it within ``timeout_s`` seconds.

        ``address`` is the IP address to connect to instead of asking the name service again, so that the address
        the caller checked is the one that is used. Raises BodyTooLargeError and HttpFault; the status is the
        caller's to judge.
        """
        target = httpx2.URL(url)
        fixed = {"Accept-Encoding": "identity", "Host": target.netloc.decode("ascii")}
        extensions: dict[str, Any] = {"sni_hostname": target.host} if address else {}
        with _Watchdog(timeout_s) as watchdog:
            try:
                with self._fetcher.stream(
                    "GET",
                    target.copy_with(host=address) if address else target,
                    headers={**(headers or {}), **fixed},
                    timeout=timeout_s,
                    extensions={**extensions, "trace": watchdog.trace},
                ) as response:
                    body = b"" if response.is_redirect else _read_at_most(response, max_bytes)
                    if watchdog.barked:  # an answer without a length ends "well" wherever it is cut
                        raise TimeoutError
                    return Fetched(response.status_code, dict(response.headers), body)
            except (httpx2.HTTPError, OSError) as error:
                what = "took too long" if watchdog.barked else type(error).__name__
                raise HttpFault(f"GET {_shown(url)}: {what}", status=None, transient=True, sent=True) from error

    def lines(self, url: str, *, max_bytes: int, longest: int, timeout_s: float) -> Iterator[bytes]:
        """GET a file and give it line by line: never more than a line of it is in memory.

        Bounds: ``max_bytes`` of the whole, ``longest`` of a line (BodyTooLargeError), ``timeout_s`` for all of it.
        Any status but 200 is an HttpFault. Redirects are not followed.
        """
        rest, seen = b"", 0
        with _Watchdog(timeout_s) as watchdog:
            extensions = {"trace": watchdog.trace}
            try:
                with self._fetcher.stream("GET", url, timeout=timeout_s, extensions=extensions) as response:
                    if response.status_code != 200:
                        raise _refused(response.status_code, url)
                    for chunk in response.iter_bytes():
                        seen += len(chunk)
                        *whole, rest = (rest + chunk).split(b"\n")
                        if seen > max_bytes or len(rest) > longest:
                            raise BodyTooLargeError
                        yield from whole
                    if watchdog.barked:
                        raise TimeoutError
            except (httpx2.HTTPError, OSError) as error:
                what = "took too long" if watchdog.barked else type(error).__name__
                raise HttpFault(f"GET {_shown(url)}: {what}", status=None, transient=True, sent=True) from error
        if rest:
            yield rest

    def json(self, method: str, url: str, **options: Any) -> Any:
        """Send a request and return the decoded JSON of a 2xx answer."""
        response = self.request(method, url, **options)
        try:
            return response.json()
        except ValueError as error:
            raise HttpFault(f"{method} {_shown(url)}: not JSON", status=200, transient=False, sent=True) from error


def _no_cookies() -> CookieJar:
    """Return a jar that takes none: a host that serves many shops must not be shown one's cookie by another."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def not_admitted(guard: AddressGuard, host: str, event: str, info: Mapping[str, Any]) -> HttpFault | None:
    """Return the fault of a connection that the guard does not admit; ``event`` and ``info`` are httpcore's trace."""
    if event != "connection.connect_tcp.complete":
        return None
    address = str(info["return_value"].get_extra_info("server_addr")[0])
    if guard.admits(host, address):
        return None
    said = f"host {host[:100]} has the address {address}, which is not on the open internet (SMOS_PRIVATE_HOSTS)"
    return HttpFault(said, status=None, transient=False, sent=False)


def _guarded(guard: AddressGuard, request: httpx2.Request) -> None:
    def look(event: str, info: Mapping[str, Any]) -> None:
        fault = not_admitted(guard, request.url.host, event, info)
        if fault is not None:
            info["return_value"].close()
            raise fault

    request.extensions = {**request.extensions, "trace": look}


class _Watchdog:
    """Cuts a connection when its time is over.

    The client's own time-out starts again with every byte; a sender of one byte a second would never meet it.
    """

    def __init__(self, seconds: float) -> None:
        self.barked = False
        self._stream: Any = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember the newest stream of the request, as httpcore tells it."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]

    def _cut(self) -> None:
        self.barked = True
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _sorted(method: str, url: str) -> Generator[None]:
    """Turn what the HTTP library raises while a request is under way into an HttpFault."""
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise HttpFault(f"{method} {_shown(url)}: no connection", status=None, transient=True, sent=False) from error
    except httpx2.TimeoutException as error:
        raise HttpFault(f"{method} {_shown(url)}: timed out", status=None, transient=True, sent=True) from error
    except httpx2.HTTPError as error:
        name = type(error).__name__
        raise HttpFault(f"{method} {_shown(url)}: {name}", status=None, transient=True, sent=True) from error


def _unsuccessful(method: str, url: str, response: httpx2.Response, body: str) -> HttpFault:
    return HttpFault(
        f"{method} {_shown(url)}: HTTP {response.status_code}",
        status=response.status_code,
        transient=response.status_code in TRANSIENT_STATUS,
        sent=True,
        body=body,
        retry_after_s=retry_after_seconds(response.headers.get("retry-after")),
    )


def retry_after_seconds(header: str | None) -> float | None:
    """Read a ``Retry-After`` (RFC 9110): whole seconds or an HTTP date; None for anything else."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header.strip()[:9])
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _refused(status: int, url: str) -> HttpFault:
    transient = status in TRANSIENT_STATUS
    return HttpFault(f"GET {_shown(url)}: HTTP {status}", status=status, transient=transient, sent=True)


def _read_at_most(response: httpx2.Response, max_bytes: int) -> bytes:
    """Read the bytes as they came over the wire: nothing is unpacked, so nothing can swell."""
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLargeError
    return bytes(body)


def _shown(url: str) -> str:
    """Return the URL without its query, which may hold a token."""
    return url.split("?", 1)[0]
