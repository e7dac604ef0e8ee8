"""The contracts' health checks, asked again and again by one worker, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock
from smarteros.store.database import NO_TENANT, Database, owner_engine
from smarteros.store.health import record_probe

_log = structlog.get_logger()

# A probe is at most this late.
_LOOK_EVERY_S = 10.0
_AT_A_TIME = 8
# An answer holds for so many intervals: one probe may be lost or late before nobody knows.
_HOLDS_FOR = 2.5
_LEAD = sa.text("SELECT pg_try_advisory_lock(772303)")


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
        database = self._database
        nobodys = probe.tenant_id == NO_TENANT
        opened = database.unclaimed() if nobodys else database.tenant(TenantScope(tenant_id=probe.tenant_id))
        with opened as connection:
            valid_s = probe.every_s * _HOLDS_FOR
            record_probe(connection, probe.tenant_id, probe.service, up=up, at=now, valid_s=valid_s)


class ProbeLoop:
    """One thread of a worker. Of all processes on one PostgreSQL the one that holds a lock asks, the others wait.

    The lock is its connection's: when the process dies, another one goes on within seconds.
    """

    def __init__(self, probing: Probing, owner_url: str) -> None:
        self._probing = probing
        self._owner = owner_engine(owner_url).execution_options(isolation_level="AUTOCOMMIT")
        self._leading: sa.Connection | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probes", daemon=True)

    def start(self) -> None:
        """Begin; what has just come up itself is given some seconds before it is asked how it is."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round that runs; waits for it, not longer than five seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._owner.dispose()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                if self._leads():
                    self._probing.round()
            except SQLAlchemyError as error:  # the database may be restarting; that time stays unknown
                _log.warning("probes_without_database", error=type(error).__name__)
                self._step_down()
            except Exception:  # the next round asks again
                _log.exception("probe_round_failed")
        self._step_down()

    def _leads(self) -> bool:
        if self._leading is not None:
            self._leading.execute(sa.text("SELECT 1"))  # the lock is gone with its connection
            return True
        connection = self._owner.connect()
        if connection.execute(_LEAD).scalar_one():
            self._leading = connection
            return True
        connection.close()
        return False

    def _step_down(self) -> None:
        if self._leading is not None:
            self._leading.invalidate()  # closed for good: back in the pool it would keep the lock
            self._leading.close()
            self._leading = None


def _ask(probe: Probe) -> bool:
    try:
        return probe.is_up()
    except Exception:  # whatever a check meets, the service is not usable
        return False
