"""What was seen lately, for the hours in which the system behind a tool is away."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from smarteros.domain.tenants import TenantScope

FALLBACK_WINDOW = timedelta(hours=24)
RECENT_LIMIT = 50


class Seen(NamedTuple):
    """Data a system gave, and when (aware UTC)."""

    data: dict[str, Any]
    seen_at: datetime


class ToolCache(Protocol):
    """Keeps JSON objects by tenant and key. Every call takes the scope: no tenant sees what another was told.

    Keys are ``<kind>:<normalised question>``. A cache never fails a call that could be answered without it: one
    that cannot be reached keeps nothing and returns nothing.
    """

    def put(self, scope: TenantScope, key: str, data: dict[str, Any], seen_at: datetime) -> None:
        """Keep what was seen; it replaces what was kept under the key."""
        ...

    def latest(self, scope: TenantScope, key: str, not_before: datetime) -> Seen | None:
        """Return what is kept under the key, or None when there is nothing seen at or after ``not_before``."""
        ...

    def recent(
        self, scope: TenantScope, prefix: str, not_before: datetime, limit: int = RECENT_LIMIT
    ) -> tuple[Seen, ...]:
        """Return what was seen at or after ``not_before`` under keys that start so, the newest first."""
        ...


@dataclass
class MemoryToolCache:
    """A cache of this process, bounded per tenant; the entry that was written longest ago goes first."""

    entries_per_tenant: int = 500
    _entries: defaultdict[str, OrderedDict[str, Seen]] = field(
        default_factory=lambda: defaultdict[str, OrderedDict[str, Seen]](OrderedDict)
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, scope: TenantScope, key: str, data: dict[str, Any], seen_at: datetime) -> None:
        """Keep what was seen."""
        with self._lock:
            entries = self._entries[scope.tenant_id]
            entries[key] = Seen(data, seen_at)
            entries.move_to_end(key)
            if len(entries) > self.entries_per_tenant:
                entries.popitem(last=False)

    def latest(self, scope: TenantScope, key: str, not_before: datetime) -> Seen | None:
        """Return what is kept under the key, if it is recent enough."""
        with self._lock:
            seen = self._entries[scope.tenant_id].get(key)
        return seen if seen is not None and seen.seen_at >= not_before else None

    def recent(
        self, scope: TenantScope, prefix: str, not_before: datetime, limit: int = RECENT_LIMIT
    ) -> tuple[Seen, ...]:
        """Return what was seen lately under keys that start so, the newest first."""
        with self._lock:
            found = [
                seen
                for key, seen in self._entries[scope.tenant_id].items()
                if key.startswith(prefix) and seen.seen_at >= not_before
            ]
        return tuple(sorted(found, key=lambda seen: seen.seen_at, reverse=True)[:limit])
