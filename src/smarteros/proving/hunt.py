"""Finds a turn at a named moment and holds it there.

A turn is through in some ten milliseconds, so its processes are made to walk in small steps: they run for a
millisecond or two, stand still, and are looked at. What is seen while they stand is what they are killed at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from smarteros.proving.fleet import EDGE, Fleet
from smarteros.proving.lures import Lures
from smarteros.proving.plan import Moment, Victim
from smarteros.proving.watch import Held, Watch

_STEP_S = 0.0015
# What a process had asked of PostgreSQL before it stood still has been done by then.
_SETTLED_S = 0.002
# A moment that ordinary customers do not bring about in this time is helped along.
_LURE_AFTER_S = 0.7
_LURE_EVERY_S = 0.7
_RARE: tuple[Moment, ...] = ("call_tools", "hand_over")


@dataclass(frozen=True)
class Caught:
    """A turn met at the wanted moment, and the key of the worker that has it."""

    turn_id: str
    worker_key: int | None


Posted = Callable[[Held], bool]


def is_at(moment: Moment, turn: Held, posted: Posted) -> bool:
    """Tell whether a turn is at a moment; ``posted`` asks Chatwoot for its marker.

    ``call_tools`` is ``resolve`` as far as the rows tell; ``audit`` has none.
    """
    if moment == "random":
        return True
    if moment in ("claimed", "resolve", "call_tools"):
        return not turn.drafted and turn.taken == (moment != "claimed")
    if moment in ("reply_intended", "reply_posted", "hand_over") and turn.drafted:
        if moment == "reply_intended":
            return not posted(turn)
        return turn.escalates == (moment == "hand_over") and posted(turn)
    return False


@dataclass
class _Trail:
    """What was seen at the last look."""

    held: dict[str, Held] = field(default_factory=dict[str, Held])
    newest: int | None = None


class Hunter:
    """Looks for a moment with the fleet's processes in step."""

    def __init__(self, fleet: Fleet, watch: Watch, posted: Posted, lures: Lures) -> None:
        self._fleet, self._watch, self._posted, self._lures = fleet, watch, posted, lures

    def catch(
        self, victim: Victim, moment: Moment, workers: dict[str, int], within_s: float, stop: threading.Event
    ) -> Caught | None:
        """Wait for a turn at a moment; None when there was none in time, or the database went away.

        ``workers``: the living ones with their keys. When something is caught they, or the edge, stand still.
        """
        stepped: Sequence[str] = (EDGE,) if victim == "edge" else tuple(workers)
        trail, keys = _Trail(), set(workers.values())
        started = time.monotonic()
        lure_at = started + (0.0 if moment in _RARE else _LURE_AFTER_S)
        caught: Caught | None = None
        try:
            while caught is None and time.monotonic() - started < within_s and not stop.is_set():
                self._fleet.resume(stepped)
                if time.monotonic() >= lure_at:
                    self._lures.play(moment)
                    lure_at = time.monotonic() + _LURE_EVERY_S
                time.sleep(_STEP_S)
                self._fleet.pause(stepped)
                caught = self._look(moment, trail, keys)
            return caught
        finally:
            if caught is None:
                self._fleet.resume(stepped)

    def _look(self, moment: Moment, trail: _Trail, keys: set[int]) -> Caught | None:
        if moment == "receive":
            before, trail.newest = trail.newest, self._watch.newest_event()
            grown = before is not None and trail.newest is not None and trail.newest > before
            return Caught("", None) if grown else None
        if moment == "audit":
            return self._just_ended(trail, keys)
        for turn in self._at(moment, keys):
            time.sleep(_SETTLED_S)
            if any(again.turn_id == turn.turn_id for again in self._at(moment, keys)):
                return Caught(turn.turn_id, turn.worker_key)
        return None

    def _at(self, moment: Moment, keys: set[int]) -> list[Held]:
        turns = [turn for turn in self._watch.held() or [] if turn.worker_key in keys]
        turns = [turn for turn in turns if is_at(moment, turn, self._posted)]
        if turns and moment == "call_tools":
            calling = self._lures.calling()
            turns = [turn for turn in turns if (turn.tenant_id, turn.conversation_id) in calling]
        return turns

    def _just_ended(self, trail: _Trail, keys: set[int]) -> Caught | None:
        held = self._watch.held()
        if held is None:
            return None
        before, trail.held = trail.held, {turn.turn_id: turn for turn in held if turn.worker_key in keys}
        gone = before.keys() - {turn.turn_id for turn in held}
        for turn_id in sorted(self._watch.ended(gone)) if gone else ():
            return Caught(turn_id, before[turn_id].worker_key)
        return None
