"""Fetching what a customer attached. The address comes from outside: where it may lead is decided here.

Only the tenant's own Chatwoot and the storage hosts its operator named are asked, each redirect anew. Storage
hosts must have public addresses, and the address that was checked is the one that is connected to (a name that
resolves differently the second time gains nothing).
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import TRANSIENT_STATUS, BodyTooLargeError, Fetched, HttpClient, HttpFault
from smarteros.kit.media_type import sniff

MAX_BYTES = 16 * 1024 * 1024
TOTAL_SECONDS = 10.0
MAX_REDIRECTS = 3
# Chatwoot announces an attachment before its storage has it: 404 passes within seconds.
RETRY_AFTER_SECONDS = (0.5, 1.0, 2.0, 4.0)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve_all(host: str, port: int) -> tuple[str, ...]:
    """All addresses of a host, as the system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class MediaFetcher:
    """Downloads attachments within bounds of place, size and time. ``clock`` is monotonic seconds."""

    http: HttpClient
    resolve: Callable[[str, int], tuple[str, ...]] = resolve_all
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    total_seconds: float = TOTAL_SECONDS

    def fetch(self, tenant: Tenant, url: str) -> bytes:
        """Return the bytes of a picture or PDF.

        RejectedInputError for an address, size, time or type that is not allowed; TransientError while the file
        is not there; PermanentError when it never will be.
        """
        deadline = self.clock() + self.total_seconds
        pauses = iter(RETRY_AFTER_SECONDS)
        while True:
            answer = self._follow(tenant, url, deadline)
            if answer.status == 200:
                if sniff(answer.body) is None:
                    raise RejectedInputError("media_unsupported", "the attachment is no JPEG, PNG, WebP, HEIC or PDF")
                return answer.body
            if answer.status != 404 and answer.status not in TRANSIENT_STATUS:
                raise PermanentError("media_refused", f"the attachment's host answered HTTP {answer.status}")
            pause = next(pauses, None)
            if pause is None or self.clock() + pause >= deadline:
                raise TransientError("media_not_ready", f"the attachment still answers HTTP {answer.status}")
            self.sleep(pause)

    def _follow(self, tenant: Tenant, url: str, deadline: float) -> Fetched:
        target = _parse(url)
        for _ in range(MAX_REDIRECTS + 1):
            address = self._checked_address(tenant, target, deadline)
            answer = self._get(str(target), address, deadline)
            location = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            try:
                target = target.join(location)
            except httpx2.InvalidURL as error:
                raise RejectedInputError("media_url_invalid", "the redirect's address is malformed") from error
        raise RejectedInputError("media_redirects", f"the attachment redirects more than {MAX_REDIRECTS} times")

    def _get(self, url: str, address: str | None, deadline: float) -> Fetched:
        left = deadline - self.clock()
        try:
            if left <= 0:
                raise _too_slow(self.total_seconds)
            return self.http.fetch(url, max_bytes=MAX_BYTES, timeout_s=left, address=address)
        except BodyTooLargeError as error:
            raise RejectedInputError("media_too_large", "the attachment is larger than 16 MiB") from error
        except HttpFault as fault:
            if self.clock() >= deadline:
                raise _too_slow(self.total_seconds) from fault
            raise TransientError("media_unreachable", str(fault)) from fault

    def _checked_address(self, tenant: Tenant, url: httpx2.URL, deadline: float) -> str | None:
        """The address to connect to; None for the tenant's own Chatwoot, which the operator chose."""
        if url.scheme not in _DEFAULT_PORTS or not url.host or url.userinfo:
            raise RejectedInputError("media_url_invalid", "the attachment's address is not a plain http(s) URL")
        if _origin(url) == _origin(httpx2.URL(tenant.chatwoot_url)):
            return None
        if not _is_listed(url, tenant.attachment_hosts):
            raise RejectedInputError("media_host_not_allowed", f"host {url.host[:100]} is not allowed for the tenant")
        try:
            addresses = self._resolved(url, deadline)
        except (OSError, UnicodeError) as error:
            raise TransientError("media_unreachable", f"host {url.host[:100]} has no address") from error
        if not addresses or not all(is_public(address) for address in addresses):
            raise RejectedInputError("media_address_private", f"host {url.host[:100]} has a private address")
        return addresses[0]

    def _resolved(self, url: httpx2.URL, deadline: float) -> tuple[str, ...]:
        """Ask the name service within the time that is left; it has no bound of its own (and no way to be stopped)."""
        found: list[tuple[str, ...] | Exception] = []

        def ask() -> None:
            try:
                found.append(self.resolve(url.host, _port(url)))
            except Exception as error:
                found.append(error)

        asking = threading.Thread(target=ask, name="media-resolve", daemon=True)
        asking.start()
        asking.join(max(deadline - self.clock(), 0.0))
        if not found:
            raise _too_slow(self.total_seconds)
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]


def is_public(address: str) -> bool:
    """Whether an IP address is on the open internet, also when it is an IPv4 address inside an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64 or ip.sixtofour or ip.teredo:
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _parse(url: str) -> httpx2.URL:
    try:
        return httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise RejectedInputError("media_url_invalid", "the attachment's address is malformed") from error


def _port(url: httpx2.URL) -> int:
    return url.port or _DEFAULT_PORTS.get(url.scheme, 0)


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, url.host.lower().rstrip("."), _port(url)


def _is_listed(url: httpx2.URL, hosts: tuple[str, ...]) -> bool:
    """``host`` allows the scheme's usual port, ``host:port`` exactly that one."""
    scheme, host, port = _origin(url)
    listed = {entry.lower() for entry in hosts}
    return f"{host}:{port}" in listed or (host in listed and port == _DEFAULT_PORTS[scheme])


def _too_slow(seconds: float) -> RejectedInputError:
    return RejectedInputError("media_too_slow", f"the attachment did not arrive within {seconds:g} s")
