"""A turn led by another orchestrator (n8n), step by step: the same steps, fence and record as in ``workflow``.

Between two calls the orchestrator holds the turn by a lease and carries what has become of it so far (``LedTurn``).
Whatever is not the plain path (nothing to decide, a fault, an orchestrator that gives up or does not come back) is
ended by our own workflow, so what was accepted is answered whoever leads. See docs/decisions/0035.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from smarteros.agents.disclosure import own_size
from smarteros.agents.sizes import find_size
from smarteros.domain.decisions import Decision
from smarteros.domain.errors import RejectedInputError, SmosError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, Outcome, ResolvedTurn, ToolsCalled, TurnStory
from smarteros.flow.call_tools import CallToolsStep
from smarteros.flow.decide import DecideStep
from smarteros.flow.given_back import OvertakenError, PutOffError
from smarteros.flow.guard import step
from smarteros.flow.parts import Parts
from smarteros.flow.reply import ReplyStep
from smarteros.flow.resolve import ResolveStep
from smarteros.flow.workflow import TurnWorkflow
from smarteros.kit.text import fold
from smarteros.observability.bounded import Counter
from smarteros.observability.metrics import REGISTRY
from smarteros.observability.tracing import traced_turn
from smarteros.privacy.opt_out import opts_out
from smarteros.store.leases import lease_turn, renew_lease, standing
from smarteros.store.queue import put_off

LED_TURNS = Counter(
    "smos_led_turns_total",
    "Turns another orchestrator began, replied to or gave up",
    ["tenant", "step"],
    registry=REGISTRY,
)
# How soon a turn is asked for again that waits for the one before it, or for a place.
_LOOK_AGAIN_S = 0.1


class LedTurn(Model):
    """What has become of a turn so far. ``asked_at`` is when its question was handed out."""

    turn: ClaimedTurn
    resolved: ResolvedTurn
    asked_at: datetime
    decided: DecidedTurn | None = None
    called: ToolsCalled | None = None


class Ended(Model):
    """The turn needs nothing more of who leads it. ``outcome`` is None when somebody else ended it, or will."""

    outcome: Outcome | None = None
    reason: Literal["leased", "ended", "later"] | None = None


class NotYet(Model):
    """The turn is to be asked for again after so many seconds: the customer goes on, or others come before it.

    ``turn`` is the claim to come with, when the turn is held already.
    """

    after_s: float
    turn: ClaimedTurn | None = None


class OrchestratedTurns:
    """The steps of a turn, a call for each. Thread-safe; a call whose answer was lost may be made again.

    All raise RejectedInputError (409, ``turn_taken_up``) when the turn has ended or is in other hands meanwhile.
    """

    def __init__(self, parts: Parts, workflow: TurnWorkflow) -> None:
        self._parts = parts
        self._workflow = workflow
        self._resolve = ResolveStep(parts)
        self._decide = DecideStep(parts)
        self._call_tools = CallToolsStep(parts)
        self._reply = ReplyStep(parts)

    def resolve(self, tenant: Tenant, turn_id: str, held: ClaimedTurn | None = None) -> LedTurn | Ended | NotYet:
        """Take a turn and gather what it needs; ``held`` is the claim of an earlier call that said NotYet."""
        if held is not None:
            self._renew(tenant, held)
        with self._parts.database.tenant(tenant.scope) as connection:
            turn = held or lease_turn(connection, tenant.tenant_id, turn_id)
            found = None if turn is not None else standing(connection, turn_id)
        if turn is not None:
            with self._at_work(turn):
                return self._gather(tenant, turn)
        return Ended(reason=found) if found in ("leased", "ended") else NotYet(after_s=_LOOK_AGAIN_S)

    def leave(self, tenant: Tenant, turn: ClaimedTurn) -> Ended:
        """Leave a turn that cannot be begun yet to our workers."""
        return self._put_off(tenant, turn, PutOffError())

    def call_tools(self, tenant: Tenant, led: LedTurn, decision: Decision) -> LedTurn | NotYet:
        """Hold a decision against the contract and call the tools it may call."""
        self._renew(tenant, led.turn)
        with self._at_work(led.turn):
            try:
                return self._called(led, decision)
            except PutOffError:
                return NotYet(after_s=_LOOK_AGAIN_S, turn=led.turn)

    def reply(self, tenant: Tenant, led: LedTurn, decision: Decision | None) -> Ended:
        """Post the reply through the fence, exactly once, and write the turn's record and audit event.

        ``decision`` is needed when no tools were called for it. RejectedInputError ``decision_missing`` without one.
        """
        self._renew(tenant, led.turn)
        with self._at_work(led.turn):
            try:
                outcome = self._finish(led, decision)
            except PutOffError as off:
                return self._put_off(tenant, led.turn, off)
        LED_TURNS.labels(tenant.tenant_id, "replied").inc()
        return Ended(outcome=outcome)

    def give_up(self, tenant: Tenant, led: LedTurn) -> Ended:
        """Answer a turn ourselves, now: whoever leads it met a fault."""
        self._renew(tenant, led.turn)
        LED_TURNS.labels(tenant.tenant_id, "given_up").inc()
        with self._at_work(led.turn):
            return self._answer(tenant, led.turn)

    def _gather(self, tenant: Tenant, turn: ClaimedTurn) -> LedTurn | Ended | NotYet:
        try:
            resolved = step("resolve", self._resolve, turn, 1)
        except PutOffError as off:
            return NotYet(after_s=off.after_s or _LOOK_AGAIN_S, turn=turn)
        except SmosError:
            return self._answer(tenant, turn)
        if resolved.stop or resolved.over or opts_out(resolved.text) or not tenant.active:
            return self._answer(tenant, turn)  # nobody is to be asked about it
        LED_TURNS.labels(tenant.tenant_id, "begun").inc()
        return LedTurn(turn=turn, resolved=resolved, asked_at=self._parts.clock.now())

    def _called(self, led: LedTurn, decision: Decision) -> LedTurn:
        asked_ms = (self._parts.clock.now() - led.asked_at).total_seconds() * 1000
        decided = self._decide.believe(led.resolved, _with_own_size(led.resolved, decision))
        decided = decided.model_copy(update={"duration_ms": round(asked_ms, 2)})
        called = step("call_tools", self._call_tools, led.turn, led.resolved, decided)
        return led.model_copy(update={"decided": decided, "called": called})

    def _finish(self, led: LedTurn, decision: Decision | None) -> Outcome:
        turn, resolved = led.turn, led.resolved
        try:
            if led.decided is None or led.called is None:
                if decision is None:
                    raise RejectedInputError("decision_missing", "The turn has no decision yet.")
                led = self._called(led, decision)
            replied = step("reply", self._reply, turn, resolved, led.decided, led.called)
            if replied.again:  # the customer has changed his words: what was decided is of no use
                return self._workflow.answer(turn)
        except RejectedInputError:
            raise
        except SmosError as error:
            replied = self._workflow.last_resort(turn, resolved, error)
        story = TurnStory(resolved=resolved, decided=led.decided, called=led.called or ToolsCalled(), replied=replied)
        return self._workflow.end(turn, story)

    def _answer(self, tenant: Tenant, turn: ClaimedTurn) -> Ended:
        try:
            return Ended(outcome=self._workflow.answer(turn))
        except PutOffError as off:
            return self._put_off(tenant, turn, off)

    def _put_off(self, tenant: Tenant, turn: ClaimedTurn, off: PutOffError) -> Ended:
        """Leave a turn to our workers because it is too early for it, or there are too many of its kind."""
        with self._parts.database.tenant(tenant.scope) as connection:
            put_off(connection, turn, off.after_s, lane=off.lane, due_within_s=off.due_within_s)
        return Ended(reason="later")

    def _renew(self, tenant: Tenant, turn: ClaimedTurn) -> None:
        with self._parts.database.tenant(tenant.scope) as connection:
            if not renew_lease(connection, turn):
                raise _taken_up()

    @contextmanager
    def _at_work(self, turn: ClaimedTurn) -> Generator[None]:
        try:
            with traced_turn(turn.start.tenant_id, turn.start.turn_id):
                yield
        except OvertakenError as error:
            raise _taken_up() from error
        finally:
            self._parts.slow_lane.leave(turn)


def _with_own_size(resolved: ResolvedTurn, decision: Decision) -> Decision:
    """Return a decision made elsewhere whose size is the customer's: in his words, read from them, or known before."""
    texts, state = (*resolved.history, resolved.text), resolved.state
    read = (find_size(fold(text), wearable=True) for text in texts)
    found = (state.entities.size, state.wanted.size, *(size.value for size in read if size is not None))
    size = own_size(decision.entities.size, "\n".join(texts), found)
    return decision.model_copy(update={"entities": decision.entities.model_copy(update={"size": size})})


def _taken_up() -> RejectedInputError:
    return RejectedInputError("turn_taken_up", "The turn has ended, or SmarterOS has taken it up itself.", status=409)
