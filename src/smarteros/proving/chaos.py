"""Does to the fleet what the plan says: faults of the outside systems, and kills at the named steps."""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model
from smarteros.proving.chatwoot import Shop
from smarteros.proving.fleet import EDGE, WORKERS, Fleet, kill_postgres, waited
from smarteros.proving.hunt import Hunter
from smarteros.proving.plan import Plan, PlannedFault, PlannedKill
from smarteros.proving.watch import Watch

# How long a kill waits for its moment before it is done at any other.
_MOMENT_WITHIN_S = 8.0
# How long the kills may take that are left when everything is said.
_LAST_KILLS_WITHIN_S = 20.0
_POSTGRES_BACK_WITHIN_S = 30.0
_TAKEOVER_WITHIN_S = 30.0
_CLOCK_HELD_S = 1.0
_LAG_WITHIN_S = 60.0
_MOST_LAG_TURNS = 4
# A dead worker's turns that wait so long are not made to wait longer by killing whoever takes them over.
_TAKEOVER_UNDER_WAY_S = 3.0
_SUPERVISOR_S = 0.3
_ALL_RUN_WITHIN_S = 60.0


class Deed(Model):
    """One thing that was done, for the report."""

    at: float
    what: str


@dataclass
class _Restart:
    name: str
    at: float


class Chaos:
    """Runs in a thread of its own from ``start`` to ``finish``; hears of every turn that begins."""

    def __init__(
        self,
        plan: Plan,
        fleet: Fleet,
        watch: Watch,
        hunter: Hunter,
        shops: dict[str, Shop],
        keys: dict[str, int],
        *,
        control_url: str,
        data_dir: Path,
    ) -> None:
        """``keys`` are the locks of the running workers."""
        self._plan, self._fleet, self._watch, self._hunter = plan, fleet, watch, hunter
        self._shops, self._control_url, self._data_dir = shops, control_url, data_dir
        self._http = httpx2.Client(timeout=10.0, trust_env=False)
        self._turns: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._faults, self._kills = list(plan.faults), list(plan.kills)
        self._restarts: list[_Restart] = []
        self._keys, self._dead_keys = dict(keys), set[int]()
        self._stop, self._all_said = threading.Event(), threading.Event()
        self._hunting = False
        self._thread = threading.Thread(target=self._run, name="chaos", daemon=True)
        self._takeovers: list[threading.Thread] = []
        self._untaken: dict[int, float] = {}
        self.deeds: list[Deed] = []
        self.done: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.slowed: dict[str, list[tuple[float, float]]] = {}
        self.takeovers_s: list[float] = []
        self.failure: ConfigError | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def turn_began(self, number: int) -> None:
        """Hear that a turn begins; faults and kills are planned by this number.

        Waits while a kill is overdue: turns are fast, and a process takes seconds to start. Not while a kill waits for
        its moment, for which somebody must play.
        """
        self._turns.put(number)
        waited(lambda: self._stop.is_set() or self._keeps_up(number), _LAG_WITHIN_S, every_s=0.05)

    def _keeps_up(self, number: int) -> bool:
        if self._hunting or not self._kills:
            return True
        # Customers who come as fast as these would nearly all meet a closed door, and their turns prove nothing.
        return self._fleet.ready(EDGE) and self._kills[0].at_turn + _MOST_LAG_TURNS > number

    def finish(self) -> None:
        """Do the kills that are left, clear all faults and have everything run again. ConfigError when it cannot."""
        self._turns.put(self._plan.turns)
        self._all_said.set()
        self._thread.join(_LAST_KILLS_WITHIN_S * (1 + len(self._kills)))
        self._stop.set()
        self._thread.join()
        self._forgive()
        if not waited(self._all_run_again, _ALL_RUN_WITHIN_S, every_s=0.1):
            raise ConfigError("fleet_failed", "Not all processes came back after the last kill; see their logs.")
        for thread in self._takeovers:
            thread.join()
        self._http.close()
        if self.failure is not None:
            raise self.failure

    def _all_run_again(self) -> bool:
        self._start_what_is_due()
        return all(self._fleet.ready(name) for name in (EDGE, *WORKERS))

    def near(self, at: float | None, within_s: float = 6.0) -> tuple[str, ...]:
        """What was done around a time."""
        if at is None:
            return ()
        return tuple(f"{deed.at - at:+6.1f} s {deed.what}" for deed in self.deeds if abs(deed.at - at) <= within_s)

    def _run(self) -> None:
        try:
            begun = 0
            while not self._stop.is_set() and not (self._all_said.is_set() and begun and not self._kills):
                self._start_what_is_due()
                with suppress(queue.Empty):
                    begun = max(begun, self._turns.get(timeout=0.02))
                while self._faults and self._faults[0].at_turn <= begun:
                    self._arm(self._faults.pop(0))
                if self._kills and self._kills[0].at_turn <= begun and self._may_kill():
                    self._kill(self._kills[0])
                    self._kills.pop(0)
        except ConfigError as error:
            self.failure = error

    def _may_kill(self) -> bool:
        """One process is away at a time: new workers' locks are told apart, and somebody brings the moment about."""
        now = time.monotonic()
        return (
            len(self._keys) == len(WORKERS)
            and all(self._fleet.ready(name) for name in (EDGE, *WORKERS))
            and all(now - killed_at < _TAKEOVER_UNDER_WAY_S for killed_at in list(self._untaken.values()))
        )

    def _start_what_is_due(self) -> None:
        for restart in [restart for restart in self._restarts if restart.at <= time.monotonic()]:
            self._restarts.remove(restart)
            self._fleet.start(restart.name)
        for name in WORKERS:
            if name not in self._keys and self._fleet.ready(name):
                self._learn(name)
        for name in (EDGE, *WORKERS):
            if self._fleet.ended(name) and not any(restart.name == name for restart in self._restarts):
                self._restart_what_ended(name)

    def _restart_what_ended(self, name: str) -> None:
        """As a supervisor does with a process that could not start while PostgreSQL was away."""
        self._keys.pop(name, None)
        self.done["fleet.ended_by_itself"] += 1
        self._note(f"{name} ended by itself")
        self._restarts.append(_Restart(name, time.monotonic() + _SUPERVISOR_S))

    def _learn(self, name: str) -> None:
        """Remember the lock of a worker that has just started. The others look at dead ones' locks for a moment."""
        new = self._watch.worker_keys() - set(self._keys.values()) - self._dead_keys
        if len(new) == 1:
            self._keys[name] = new.pop()

    def _arm(self, fault: PlannedFault) -> None:
        shop = self._shops[fault.tenant_id]
        label = f"{fault.service}.{fault.kind}"
        if fault.kind == "clock_jump":
            self._jump(shop, timedelta(seconds=fault.value or 0.0))
        else:
            scope = str(shop.account_id) if fault.service == "chatwoot" else fault.tenant_id
            body = fault.model_dump(include={"service", "kind", "value", "times"}) | {"scope": scope}
            self._http.post(f"{self._control_url}/sandbox/faults", json=body).raise_for_status()
        if fault.kind == "slow" and fault.service == "chatwoot":
            self.slowed.setdefault(fault.tenant_id, []).append((time.time(), fault.value or 0.0))
        self.done[label] += 1
        self._note(f"{label} x{fault.times} {fault.value or ''} for {fault.tenant_id}")

    def _jump(self, shop: Shop, ahead: timedelta) -> None:
        """The account's clock stands for a moment at another hour, then runs again."""
        url = f"{self._control_url}/sandbox/clock"
        there = (datetime.now(UTC) + ahead).isoformat()
        self._http.post(url, json={"account_id": shop.account_id, "now": there}).raise_for_status()
        self._stop.wait(_CLOCK_HELD_S)
        self._http.post(url, json={"account_id": shop.account_id, "now": None}).raise_for_status()

    def _kill(self, kill: PlannedKill) -> None:
        self._hunting = True
        caught = self._hunter.catch(kill.victim, kill.moment, dict(self._keys), _MOMENT_WITHIN_S, self._stop)
        self._hunting = False
        met = "" if caught is not None else " (moment not met)"
        self.kills[f"{kill.victim}.{kill.moment}" if caught is not None else f"{kill.victim}.unmet"] += 1
        owner = caught.worker_key if caught is not None else None
        name = next((name for name, key in self._keys.items() if key == owner), WORKERS[kill.pick % len(WORKERS)])
        try:
            if kill.victim == "postgres":
                self._kill_postgres(kill, met)
            elif kill.victim == "edge":
                self._fleet.kill(EDGE)
                self._restarts.append(_Restart(EDGE, time.monotonic() + kill.down_s))
                self._note(f"kill -9 edge at {kill.moment}{met}")
            else:
                self._kill_worker(name, kill)
                self._note(f"kill -9 {name} at {kill.moment}{met} {caught.turn_id if caught else ''}".rstrip())
        finally:
            self._fleet.resume((EDGE, *WORKERS))
        if kill.victim == "postgres" and not waited(self._watch.answers, _POSTGRES_BACK_WITHIN_S, every_s=0.1):
            raise ConfigError("postgres_gone", "PostgreSQL did not come back after it was killed.")

    def _kill_worker(self, name: str, kill: PlannedKill) -> None:
        key = self._keys.pop(name, None)
        self._fleet.kill(name)
        killed_at = time.monotonic()
        self._restarts.append(_Restart(name, killed_at + kill.down_s))
        if key is None:
            return
        self._dead_keys.add(key)
        turns = self._watch.turns_of(key)
        if turns:
            thread = threading.Thread(target=self._time_takeover, args=(key, turns, killed_at), daemon=True)
            self._takeovers.append(thread)
            self._untaken[key] = killed_at
            thread.start()

    def _time_takeover(self, key: int, turns: list[str], killed_at: float) -> None:
        waited(lambda: not self._watch.still_held(key, turns), _TAKEOVER_WITHIN_S, every_s=0.1)
        self.takeovers_s.append(time.monotonic() - killed_at)
        self._untaken.pop(key)

    def _kill_postgres(self, kill: PlannedKill, met: str) -> None:
        how = signal.SIGKILL if kill.pick % 2 else signal.SIGQUIT
        if kill_postgres(self._data_dir, how) is not None:
            self._note(f"kill {how.name} postgres at {kill.moment}{met}")

    def _forgive(self) -> None:
        self._http.delete(f"{self._control_url}/sandbox/faults").raise_for_status()
        for shop in self._shops.values():
            body: dict[str, Any] = {"account_id": shop.account_id, "now": None}
            self._http.post(f"{self._control_url}/sandbox/clock", json=body).raise_for_status()

    def _note(self, what: str) -> None:
        self.deeds.append(Deed(at=time.time(), what=what))
