"""How far a full reading has come, so that the next process goes on where one was ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smarteros.domain.model import Model
from smarteros.domain.tenants import TenantScope
from smarteros.tools.cache import ToolCache

RESUMED_WITHIN = timedelta(hours=6)
"""What was read longer ago than this is read anew: prices and stock of the first pages would be too old."""
_KEY = "reading:catalogue"


class Progress(Model):
    """A full reading on its way.

    ``reading`` is its number; ``cursor`` the place after the last page that was kept; ``bulk_id`` the bulk operation
    whose file is to be read; ``read`` how many products were kept so far.
    """

    reading: int
    begun_at: datetime
    cursor: str | None = None
    bulk_id: str | None = None
    read: int = 0


@dataclass(frozen=True)
class ReadingNotes:
    """Where progress is kept, by tenant. A store that is away costs a reading from the beginning, nothing else."""

    cache: ToolCache

    def last(self, scope: TenantScope, reading: int, now: datetime) -> Progress:
        """Return how far that reading has come; a new one when it was not begun lately."""
        kept = self.cache.latest(scope, _KEY, now - RESUMED_WITHIN)
        if kept is not None:
            progress = Progress.model_validate(kept.data)
            if progress.reading == reading and progress.begun_at >= now - RESUMED_WITHIN:
                return progress
        return Progress(reading=reading, begun_at=now)

    def keep(self, scope: TenantScope, progress: Progress, now: datetime) -> None:
        """Keep it; it replaces what was kept."""
        self.cache.put(scope, _KEY, progress.model_dump(mode="json"), now)
