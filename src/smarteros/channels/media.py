"""Fetching what a customer attached: from the tenant's own Chatwoot and the storage hosts its operator named.

Storage hosts must have public addresses; see ``channels.outside``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from smarteros.channels.outside import Door, OutsideFetcher, resolve_all
from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import TRANSIENT_STATUS, HttpClient
from smarteros.kit.media_type import sniff

MAX_BYTES = 16 * 1024 * 1024
TOTAL_SECONDS = 10.0
# Chatwoot announces an attachment before its storage has it: 404 passes within seconds.
RETRY_AFTER_SECONDS = (0.5, 1.0, 2.0, 4.0)


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
        outside = OutsideFetcher(
            self.http, "media", "attachment", MAX_BYTES, self.total_seconds, self.resolve, self.clock
        )
        door = Door(hosts=tenant.attachment_hosts, trusted=(tenant.chatwoot_url,))
        deadline = outside.deadline()
        pauses = iter(RETRY_AFTER_SECONDS)
        while True:
            answer = outside.follow(url, door, deadline)
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
