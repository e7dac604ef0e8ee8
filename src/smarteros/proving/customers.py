"""Plays the scripts of the plan: customers through the public client API, people of the shop with their tokens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from smarteros.domain.errors import SmosError
from smarteros.proving.chatwoot import Place, Shop
from smarteros.proving.plan import Plan, Script, Step
from smarteros.proving.transcript import ScriptedTurn
from smarteros.scenarios.pictures import landscape_png

_PATIENCE_S = 20.0
_LOOK_S = 0.15
# A conversation that people have got is not waited for.
_LOOK_AT_STATUS_S = 2.0
# Turns beside the plan have numbers of their own, so that the plan's say how far it has come.
_EXTRA_FROM = 1_000_000
_EXTRA_AT_ONCE = 4


@dataclass
class Played:
    """What was done in one conversation. ``turn_of``: the scripted turn of each customer's message."""

    place: Place
    turn_of: dict[int, int] = field(default_factory=dict[int, int])
    turns: list[ScriptedTurn] = field(default_factory=list[ScriptedTurn])
    # When people did something, in order; the activity lines it leaves carry only the account's clock.
    acts: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])


class Customers:
    """``at_once`` conversations at a time, and a few beside the plan."""

    def __init__(self, shops: dict[str, Shop], plan: Plan, at_once: int) -> None:
        self._shops = shops
        self._plan = plan
        self._on_turn: Callable[[int], None] = lambda _: None
        self._at_once = at_once
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._extras = ThreadPoolExecutor(_EXTRA_AT_ONCE, thread_name_prefix="extra")
        self._begun = self._extra = 0
        self.played: list[Played] = []
        self.troubles: list[str] = []
        self.waits_s: list[float] = []

    @property
    def turns(self) -> int:
        """How many turns have begun."""
        return self._begun + self._extra

    def play(self, within_s: float, on_turn: Callable[[int], None]) -> bool:
        """Play the plan; False when the time was over before the last script had ended.

        ``on_turn`` hears how many of the plan's turns have begun, each time one does.
        """
        self._on_turn = on_turn
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="customer") as pool:
            playing = [pool.submit(self._play, at, script) for at, script in enumerate(self._plan.scripts)]
            deadline = time.monotonic() + within_s
            in_time = all(self._ended(each, deadline) for each in playing)
            if not in_time:
                self._stop.set()
            for each in playing:
                each.cancel()
        return in_time

    def play_extra(self, tenant_id: str, step: Step) -> int | None:
        """Begin a conversation of one turn beside the plan; returns its number, or None when it did not come to be."""
        with self._lock:
            self._extra += 1
            number = self._extra
        script = Script(tenant_id=tenant_id, channel="whatsapp", steps=(step,))
        try:
            played = self._new_conversation(script, f"proof-{self._plan.seed}-extra-{number}")
        except SmosError:
            return None
        self._extras.submit(self._play_alone, played, step, _EXTRA_FROM + number)
        return played.place.conversation_id

    def end(self) -> None:
        """Have everybody who still waits go."""
        self._stop.set()
        self._extras.shutdown(cancel_futures=True)

    def _ended(self, each: Future[None], deadline: float) -> bool:
        try:
            each.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return False
        return True

    def _play(self, at: int, script: Script) -> None:
        try:
            played = self._new_conversation(script, f"proof-{self._plan.seed}-{at}")
            for number, step in enumerate(script.steps):
                if self._stop.is_set():
                    return
                if step.is_turn and not step.silent and self._shops[script.tenant_id].status(
                    played.place.conversation_id
                ) != "pending":  # fmt: skip
                    # Somebody has it, because of an outage for one; the rest of the script is told in a new one.
                    played = self._new_conversation(script, f"proof-{self._plan.seed}-{at}-{number}")
                self._do(played, step)
        except SmosError as error:
            self.troubles.append(f"{script.tenant_id} script {at}: {error.operator_message}")

    def _play_alone(self, played: Played, step: Step, number: int) -> None:
        try:
            self._turn(played, step, number)
        except SmosError as error:
            self.troubles.append(f"{played.place.shop.tenant_id} extra turn {number}: {error.operator_message}")

    def _new_conversation(self, script: Script, name: str) -> Played:
        played = Played(self._shops[script.tenant_id].begin(script.channel, name))
        with self._lock:
            self.played.append(played)
        return played

    def _do(self, played: Played, step: Step) -> None:
        if not step.is_turn:
            self._act(played, step.kind, step.texts)
            return
        with self._lock:
            self._begun += 1
            number = self._begun
        self._on_turn(number)
        self._turn(played, step, number)

    def _turn(self, played: Played, step: Step, number: int) -> None:
        played.turns.append(ScriptedTurn(number=number, messages=len(step.texts), expects=step.expects))
        last = self._say(played, step, number)
        if step.overtaken_by is not None:
            time.sleep(step.delay_s)
            self._act(played, step.overtaken_by, ("Hola, le atiende Paula.",))
        elif not step.silent:
            self._wait_for_reply(played.place, last)

    def _say(self, played: Played, step: Step, number: int) -> int:
        last = 0
        for text, gap_s in zip(step.texts, (0.0, *step.gaps_s), strict=True):
            time.sleep(gap_s)
            last = played.place.write(text, landscape_png() if step.kind == "photo" else None)
            played.turn_of[last] = number
        return last

    def _act(self, played: Played, sign: str, texts: tuple[str, ...]) -> None:
        played.place.shop.act(played.place.conversation_id, sign, texts[0] if texts else "")
        # Taken after the answer: what Chatwoot did before is at most this old, and a reply is judged by that.
        played.acts.append((sign, time.time()))

    def _wait_for_reply(self, place: Place, after: int) -> None:
        """Wait as a patient customer does. Whether a reply was missing is for the judge to say, much later."""
        asked = looked = time.monotonic()
        while time.monotonic() - asked < _PATIENCE_S and not self._stop.is_set():
            if place.replied_after(after):
                self.waits_s.append(time.monotonic() - asked)
                return
            if time.monotonic() - looked > _LOOK_AT_STATUS_S:
                looked = time.monotonic()
                if place.shop.status(place.conversation_id) != "pending":
                    return
            time.sleep(_LOOK_S)
