"""The time per account, so that a scenario can play on another day than today."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class AccountClock:
    """Real time, unless an account was set to an instant; that account then stands still at it.

    Only records are dated with it. Signatures and retries keep the real time, as a receiver checks them.
    """

    def __init__(self) -> None:
        self._set: dict[int, float] = {}

    def set(self, account_id: int, instant: datetime | None) -> None:
        """Hold the account at ``instant`` (aware), or let it run again with None."""
        if instant is None:
            self._set.pop(account_id, None)
        else:
            self._set[account_id] = instant.timestamp()

    def now(self, account_id: int) -> float:
        """Seconds since 1970 for this account."""
        return self._set.get(account_id, 0.0) or time.time()


def iso_milliseconds(epoch: float) -> str:
    """A time in the form of Rails' JSON: UTC, milliseconds, ``Z``."""
    moment = datetime.fromtimestamp(epoch, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def iso_milliseconds_or_none(epoch: float | None) -> str | None:
    """Like :func:`iso_milliseconds`, with null for what never happened."""
    return None if epoch is None else iso_milliseconds(epoch)
