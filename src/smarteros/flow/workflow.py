"""The life of one message, on one screen: resolve, decide, call_tools, reply, audit (``receive`` is in the edge).

Two points of a turn are durable behind its acceptance: the draft, written down together with the reply right before it
is posted, and the record, whose transaction ends the turn. After a crash the turn begins anew or goes on from its
draft. A turn never ends in silence: what cannot be answered is handed to a person.
"""

from __future__ import annotations

from smarteros.domain.errors import ConfigError, PermanentError, SmosError
from smarteros.domain.tenants import TENANT_SUSPENDED
from smarteros.domain.turns import ClaimedTurn, Outcome, Replied, ResolvedTurn, ToolsCalled, TurnStory
from smarteros.flow.audit import AuditStep
from smarteros.flow.call_tools import CallToolsStep
from smarteros.flow.decide import DecideStep
from smarteros.flow.escalate import EscalateStep
from smarteros.flow.fence import MOST_ROUNDS
from smarteros.flow.given_back import PutOffError
from smarteros.flow.guard import step
from smarteros.flow.leave_alone import LeaveAloneStep
from smarteros.flow.over_limit import OverLimitStep
from smarteros.flow.parts import Parts
from smarteros.flow.reply import ReplyStep
from smarteros.flow.resolve import ResolveStep
from smarteros.flow.step_aside import StepAsideStep
from smarteros.observability.tracing import traced_turn
from smarteros.privacy.opt_out import opts_out

# A turn that killed its worker or could not be recorded so often is not tried again, but handed to a person.
MOST_TRIES = 6
# Seconds in which another orchestrator must have begun a turn of its tenant; after them a worker takes it.
HEAD_START_S = 8.0


class TurnWorkflow:
    """Runs one turn. The steps know Protocols, never vendors."""

    def __init__(self, parts: Parts) -> None:
        self._clock = parts.clock
        self._tenants = parts.tenants
        self._resolve = ResolveStep(parts)
        self._decide = DecideStep(parts)
        self._call_tools = CallToolsStep(parts)
        self._reply = ReplyStep(parts)
        self._escalate = EscalateStep(parts)
        self._leave_alone = LeaveAloneStep(parts)
        self._over_limit = OverLimitStep(parts)
        self._step_aside = StepAsideStep(parts)
        self._audit = AuditStep(parts)

    def run(self, turn: ClaimedTurn) -> Outcome:
        """End the turn with an answer, in a person's hands or rightly in silence; returns which.

        GivenBackError when it is to be ended later, by another worker, or by who orchestrates its tenant's turns.
        """
        with traced_turn(turn.start.tenant_id, turn.start.turn_id):
            return self._run(turn, gives_way=True)

    def answer(self, turn: ClaimedTurn) -> Outcome:
        """Do as ``run``, whoever orchestrates: the turn was given up, or there is nothing to orchestrate in it."""
        with traced_turn(turn.start.tenant_id, turn.start.turn_id):
            return self._run(turn, gives_way=False)

    def _leave_to_orchestrator(self, turn: ClaimedTurn) -> None:
        """A tenant's own orchestrator begins first. One that does not come must not cost a customer his answer."""
        left_s = HEAD_START_S - (self._clock.now() - turn.start.received_at).total_seconds()
        if left_s > 0 and self._tenants.get(turn.start.tenant_id).orchestration != "smarteros":
            raise PutOffError(left_s)

    def _give_up(self, turn: ClaimedTurn) -> Outcome:
        """A person gets it, unless what it was to answer was answered with another turn."""
        resolved = ResolvedTurn()
        try:
            if turn.start.cause == "message" and turn.draft is None:
                resolved = step("resolve", self._resolve.words, turn)
            if resolved.stop:
                replied = step("reply", self._leave_alone.silently, turn, resolved)
            else:
                error = PermanentError("turn_poisoned", f"given up after {MOST_TRIES} tries")
                replied = self.last_resort(turn, resolved, error)
        except SmosError as error:
            replied = self.last_resort(turn, resolved, error)
        return self.end(turn, TurnStory(resolved=resolved, decided=None, called=ToolsCalled(), replied=replied))

    def _run(self, turn: ClaimedTurn, *, gives_way: bool) -> Outcome:
        if turn.tries > MOST_TRIES:
            return self._give_up(turn)
        resolved, decided, called, replied = ResolvedTurn(), None, ToolsCalled(), Replied(outcome="failed")
        try:
            if turn.start.cause != "message":
                replied = step("reply", self._step_aside, turn)
            elif turn.draft is not None:
                resolved, decided, called = turn.draft.resolved, turn.draft.decided, turn.draft.called
                replied = step("reply", self._reply.resume, turn, turn.draft)
            else:
                if gives_way:
                    self._leave_to_orchestrator(turn)
                for round_number in range(1, MOST_ROUNDS + 1):
                    resolved = step("resolve", self._resolve, turn, round_number)
                    if resolved.stop:
                        replied = step("reply", self._leave_alone.silently, turn, resolved)
                        break
                    step("decide", self._require_active, turn)
                    decided, called = None, ToolsCalled()
                    if opts_out(resolved.text):
                        replied = step("reply", self._leave_alone, turn, resolved)
                    elif resolved.over is not None:
                        replied = step("reply", self._over_limit, turn, resolved)
                    else:
                        decided = step("decide", self._decide, turn, resolved)
                        called = step("call_tools", self._call_tools, turn, resolved, decided)
                        replied = step("reply", self._reply, turn, resolved, decided, called)
                    if not replied.again:
                        break
        except SmosError as error:
            replied = self.last_resort(turn, resolved, error)
        return self.end(turn, TurnStory(resolved=resolved, decided=decided, called=called, replied=replied))

    def _require_active(self, turn: ClaimedTurn) -> None:
        """A suspended shop's waiting turns ask nobody and say nothing; they end with a person (``person_leads``)."""
        if not self._tenants.get(turn.start.tenant_id).active:
            raise ConfigError(TENANT_SUSPENDED, "The tenant was suspended before its turn came.")

    def last_resort(self, turn: ClaimedTurn, resolved: ResolvedTurn, error: SmosError) -> Replied:
        """Hand the turn to a person. Nothing is tried after this: a failure for good is a record that says so."""
        if turn.start.cause != "message":
            return Replied(outcome="failed", reason=error.code)  # nobody asked, so nobody is told
        try:
            return step("reply", self._escalate, turn, resolved, error)
        except SmosError as second:
            return Replied(outcome="failed", reason=f"{error.code}; {second.code}", state=resolved.state)

    def end(self, turn: ClaimedTurn, story: TurnStory) -> Outcome:
        """Write the turn's record and audit event, and take it out of the queue; returns how it ended."""
        try:
            step("audit", self._audit, turn, story)
        except SmosError:
            if turn.tries <= MOST_TRIES:
                raise
            step("audit", self._audit.give_up, turn)
        return story.replied.outcome
