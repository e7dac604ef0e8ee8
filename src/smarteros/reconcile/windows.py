"""How far back a look through an account goes, and what time it is there. Pure.

Chatwoot lists what changed within so many seconds by its own clock. That clock may stand elsewhere than ours, and it
may be set while we are not looking: what changed just before is then hours old there, and outside of a short window.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from smarteros.channels.chatwoot.history import ListedConversation

# The list asks for a little more than one interval, so that a run that is skipped loses nothing.
SHORTEST_WINDOW = timedelta(seconds=120)
OVERLAP = timedelta(seconds=60)
# After an outage of ours. What is older is not even apologised for.
LONGEST_WINDOW = timedelta(hours=25)
_CLOCKS_AGREE = timedelta(minutes=10)


def window_since(since_last: timedelta | None) -> timedelta:
    """How far back to look: to the last look and a little further, at first (None) only a little."""
    wanted = since_last + OVERLAP if since_last is not None else SHORTEST_WINDOW
    return min(max(wanted, SHORTEST_WINDOW), LONGEST_WINDOW)


def newest_change(listed: Sequence[ListedConversation]) -> datetime | None:
    """Return the channel's own time of the newest change it lists."""
    return max((each.updated_at for each in listed if each.updated_at is not None), default=None)


def wider_window(
    newest: datetime | None, seen_until: datetime | None, since_last: timedelta | None
) -> timedelta | None:
    """Return how far back to look once more, when the channel's clock seems to have been set since the last look.

    ``newest`` is the newest change that is listed now, ``seen_until`` the one of the last look (None when that listed
    nothing). A shop where nobody wrote for a while looks the same; it costs one request.
    """
    if seen_until is None or since_last is None:
        return None
    if newest is None:
        return LONGEST_WINDOW
    passed = newest - seen_until
    return min(passed + window_since(since_last), LONGEST_WINDOW) if passed > since_last + OVERLAP else None


def channel_clock(listed: Sequence[ListedConversation], now: datetime, window: timedelta) -> datetime:
    """Return the instant it is for Chatwoot.

    Its list holds what changed within the window by its own clock. When none of that lies near our own time, its
    clock is elsewhere (a machine set wrong, a stand-in held at another day), and ages must be counted on it. One
    conversation from the future proves nothing: it was written while the clock stood wrong for a moment.
    """
    stamps = [each.updated_at for each in listed if each.updated_at is not None]
    if not stamps or any(now - window - _CLOCKS_AGREE <= stamp <= now + _CLOCKS_AGREE for stamp in stamps):
        return now
    return max(stamps)
