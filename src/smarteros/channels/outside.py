"""Fetching a file whose address comes from outside: where it may lead is decided here.

Only hosts that somebody named are asked, each redirect anew. They must have public addresses, and the address that was
checked is the one that is connected to (a name that resolves differently the second time gains nothing). Origins the
operator vouches for, such as a tenant's own Chatwoot, may be private.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx2

from smarteros.domain.errors import RejectedInputError, TransientError
from smarteros.kit.addresses import is_public
from smarteros.kit.http import BodyTooLargeError, Fetched, HttpClient, HttpFault

MAX_REDIRECTS = 3
_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)


def resolve_all(host: str, port: int) -> tuple[str, ...]:
    """All addresses of a host, as the system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Door:
    """Where a fetch may go. ``host`` in ``hosts`` allows the scheme's usual port, ``host:port`` exactly that one.

    ``trusted`` are URLs whose scheme, host and port are not looked at further.
    """

    hosts: tuple[str, ...]
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutsideFetcher:
    """Fetches within bounds of place, size and time. ``clock`` is monotonic seconds.

    The codes of its errors begin with ``code``, and its sentences name the file as ``noun``.
    """

    http: HttpClient
    code: str
    noun: str
    max_bytes: int
    total_seconds: float
    resolve: Callable[[str, int], tuple[str, ...]] = resolve_all
    clock: Callable[[], float] = time.monotonic

    def deadline(self) -> float:
        """Return when a fetch that begins now must have ended, by the clock."""
        return self.clock() + self.total_seconds

    def follow(self, url: str, door: Door, deadline: float, headers: Mapping[str, str] | None = None) -> Fetched:
        """Return the answer at the end of the redirects, whatever its status.

        RejectedInputError for an address, size or time that is not allowed; TransientError when nobody answers.
        """
        target = self._parse(url)
        for _ in range(MAX_REDIRECTS + 1):
            address = self._checked_address(target, door, deadline)
            answer = self._get(str(target), address, deadline, headers)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            try:
                target = target.join(location)
            except httpx2.InvalidURL as error:
                raise self._refused("url_invalid", "the redirect's address is malformed") from error
        raise self._refused("redirects", f"the {self.noun} redirects more than {MAX_REDIRECTS} times")

    def _get(self, url: str, address: str | None, deadline: float, headers: Mapping[str, str] | None) -> Fetched:
        left = deadline - self.clock()
        try:
            if left <= 0:
                raise self._too_slow()
            return self.http.fetch(url, max_bytes=self.max_bytes, timeout_s=left, address=address, headers=headers)
        except BodyTooLargeError as error:
            size = f"{self.max_bytes // 2**20} MiB"
            raise self._refused("too_large", f"the {self.noun} is larger than {size}") from error
        except HttpFault as fault:
            if self.clock() >= deadline:
                raise self._too_slow() from fault
            raise TransientError(f"{self.code}_unreachable", str(fault)) from fault

    def _checked_address(self, url: httpx2.URL, door: Door, deadline: float) -> str | None:
        """The address to connect to; None for an origin that is trusted."""
        if url.scheme not in _DEFAULT_PORTS or not url.host or url.userinfo:
            raise self._refused("url_invalid", f"the {self.noun}'s address is not a plain http(s) URL")
        if any(_origin(url) == _origin(httpx2.URL(trusted)) for trusted in door.trusted):
            return None
        host = url.host[:100]
        if not _is_listed(url, door.hosts):
            raise self._refused("host_not_allowed", f"host {host} is not allowed for the tenant")
        try:
            addresses = self._resolved(url, deadline)
        except (OSError, UnicodeError) as error:
            raise TransientError(f"{self.code}_unreachable", f"host {host} has no address") from error
        if not addresses or not all(is_public(address) for address in addresses):
            raise self._refused("address_private", f"host {host} has a private address")
        return addresses[0]

    def _resolved(self, url: httpx2.URL, deadline: float) -> tuple[str, ...]:
        """Ask the name service within the time that is left; it has no bound of its own (and no way to be stopped)."""
        found: list[tuple[str, ...] | Exception] = []

        def ask() -> None:
            try:
                found.append(self.resolve(url.host, _port(url)))
            except Exception as error:
                found.append(error)

        asking = threading.Thread(target=ask, name=f"{self.code}-resolve", daemon=True)
        asking.start()
        asking.join(max(deadline - self.clock(), 0.0))
        if not found:
            raise self._too_slow()
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    def _parse(self, url: str) -> httpx2.URL:
        try:
            return httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise self._refused("url_invalid", f"the {self.noun}'s address is malformed") from error

    def _refused(self, what: str, sentence: str) -> RejectedInputError:
        return RejectedInputError(f"{self.code}_{what}", sentence)

    def _too_slow(self) -> RejectedInputError:
        return self._refused("too_slow", f"the {self.noun} did not arrive within {self.total_seconds:g} s")


def _port(url: httpx2.URL) -> int:
    return url.port or _DEFAULT_PORTS.get(url.scheme, 0)


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, url.host.lower().rstrip("."), _port(url)


def _is_listed(url: httpx2.URL, hosts: tuple[str, ...]) -> bool:
    scheme, host, port = _origin(url)
    listed = {entry.lower() for entry in hosts}
    return f"{host}:{port}" in listed or (host in listed and port == _DEFAULT_PORTS[scheme])
