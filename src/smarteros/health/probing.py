"""The contracts' health checks, asked again and again by one worker, and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from smarteros.kit.clock import Clock
from smarteros.kit.recurring import Recurring
from smarteros.store.database import Database, owner_engine
from smarteros.store.health import record_probe
from smarteros.store.locks import OneProcess

# A probe is at most this late.
_LOOK_EVERY_S = 10.0
_AT_A_TIME = 8
# An answer holds for so many intervals: one probe may be lost or late before nobody knows.
_HOLDS_FOR = 2.5


@dataclass(frozen=True)
class Probe:
    """One check: whose service, how often it is asked (seconds), and how. A check that raises found it down."""

    tenant_id: str
    service: str
    every_s: int
    is_up: Callable[[], bool]


class Probing:
    """Asks what is due and keeps the answers."""

    def __init__(self, database: Database, probes: Callable[[], Sequence[Probe]], clock: Clock) -> None:
        """``probes`` tells anew in every round what there is to ask: shops come and go."""
        self._database = database
        self._probes = probes
        self._clock = clock
        self._asked: dict[tuple[str, str], datetime] = {}

    def round(self) -> int:
        """Ask everything that is due, side by side; returns how many probes were kept."""
        now = self._clock.now()
        due = [probe for probe in self._probes() if self._is_due(probe, now)]
        if not due:
            return 0
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="probe") as pool:
            answers = list(pool.map(_ask, due))
        for probe, up in zip(due, answers, strict=True):
            self._asked[probe.tenant_id, probe.service] = now
            self._keep(probe, now, up=up)
        return len(due)

    def _is_due(self, probe: Probe, now: datetime) -> bool:
        last = self._asked.get((probe.tenant_id, probe.service))
        # A clock that was set back must not silence the probes until it has caught up.
        return last is None or not timedelta() <= now - last < timedelta(seconds=probe.every_s)

    def _keep(self, probe: Probe, now: datetime, *, up: bool) -> None:
        with self._database.scoped(probe.tenant_id) as connection:
            valid_s = probe.every_s * _HOLDS_FOR
            record_probe(connection, probe.tenant_id, probe.service, up=up, at=now, valid_s=valid_s)


class ProbeLoop:
    """One thread of a worker. Of all processes on one PostgreSQL one asks; when it dies another one does in seconds."""

    def __init__(self, probing: Probing, owner_url: str) -> None:
        self._probing = probing
        self._asking = OneProcess(owner_engine(owner_url), "probes")
        # What has just come up itself is given some seconds before it is asked how it is.
        self._rounds = Recurring(
            "probes", self._round, every_s=_LOOK_EVERY_S, first_after_s=_LOOK_EVERY_S, expected=(SQLAlchemyError,)
        )

    def start(self) -> None:
        """Begin."""
        self._rounds.start()

    def stop(self) -> None:
        """End after the round that runs; waits for it, not longer than five seconds."""
        self._rounds.stop()
        self._asking.close()

    def _round(self) -> None:
        if self._asking.is_this():
            self._probing.round()


def _ask(probe: Probe) -> bool:
    try:
        return probe.is_up()
    except Exception:  # whatever a check meets, the service is not usable
        return False
