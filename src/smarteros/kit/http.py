"""One HTTP client for all adapters: bounded in time, and its faults already sorted.

A fault is either transient (worth another try) or permanent; which of them a status is, is decided here once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpFault(Exception):
    """The other side did not give what was asked. ``status`` is None when no answer came at all.

    ``sent`` tells whether the request may have had its effect (False only when the connection was never made).
    """

    def __init__(self, message: str, *, status: int | None, transient: bool, sent: bool, body: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.transient = transient
        self.sent = sent
        self.body = body


@dataclass
class HttpClient:
    """Connection pool for outgoing calls. Close it at shutdown."""

    default_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        self._client = httpx2.Client(
            timeout=self.default_timeout_s,
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=16),
            trust_env=False,
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> httpx2.Response:
        """Send a request and return a 2xx answer; anything else is an HttpFault. Redirects are not followed."""
        timeout = self.default_timeout_s if timeout_s is None else timeout_s
        try:
            response = self._client.request(
                method, url, headers=headers, json=json, params=params, timeout=timeout
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise HttpFault(
                f"{method} {_shown(url)}: no connection", status=None, transient=True, sent=False
            ) from error
        except httpx2.TimeoutException as error:
            raise HttpFault(
                f"{method} {_shown(url)}: timed out", status=None, transient=True, sent=True
            ) from error
        except httpx2.HTTPError as error:
            name = type(error).__name__
            raise HttpFault(f"{method} {_shown(url)}: {name}", status=None, transient=True, sent=True) from error
        if response.is_success:
            return response
        raise HttpFault(
            f"{method} {_shown(url)}: HTTP {response.status_code}",
            status=response.status_code,
            transient=response.status_code in TRANSIENT_STATUS,
            sent=True,
            body=response.text[:2000],
        )

    def json(self, method: str, url: str, **options: Any) -> Any:
        """Send a request and return the decoded JSON of a 2xx answer."""
        response = self.request(method, url, **options)
        try:
            return response.json()
        except ValueError as error:
            raise HttpFault(f"{method} {_shown(url)}: not JSON", status=200, transient=False, sent=True) from error


def _shown(url: str) -> str:
    """Return the URL without its query, which may hold a token."""
    return url.split("?", 1)[0]
