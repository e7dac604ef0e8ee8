"""Plays scenarios one after the other against a running stack, and leaves it as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from smarteros.contracts.models import Contract, Scenario, ScenarioTurn
from smarteros.domain.audit import AuditEvent
from smarteros.domain.errors import SmosError
from smarteros.domain.turns import TurnRecord
from smarteros.scenarios.customer import Customer, Reply, waited_for
from smarteros.scenarios.expectations import Seen, failures_of
from smarteros.scenarios.forgery import post_forged_webhook
from smarteros.scenarios.results import PlayedTurn, ScenarioResult
from smarteros.scenarios.stack import Stack, TenantInfo

REPLY_WITHIN_S = 15.0
RECORD_WITHIN_S = 5.0
# How long silence must last to be believed, when a person has the conversation.
SILENCE_S = 2.0
SILENT_OUTCOMES = ("muted", "merged", "failed")

Tell = Callable[[PlayedTurn], None]


class ScenarioRunner:
    """Plays scenarios against the stack at ``url``. Close it after use."""

    def __init__(self, url: str) -> None:
        self._stack = Stack(url)

    def close(self) -> None:
        """Close all connections."""
        self._stack.close()

    def run_all(self, contracts: Iterable[Contract]) -> Iterable[ScenarioResult]:
        """Play every scenario, one by one: they share clocks, faults and caches of their tenants."""
        for contract in contracts:
            for scenario in contract.scenarios:
                yield self.run(contract, scenario)

    def run(self, contract: Contract, scenario: Scenario, tell: Tell | None = None) -> ScenarioResult:
        """Play one scenario. Never raises for what goes wrong on the stack: that is a failure of the scenario."""
        turns: list[PlayedTurn] = []
        failures: list[str] = []
        try:
            self._play(scenario, turns, tell or _tell_nobody)
        except SmosError as error:
            failures.append(f"{error.code}: {error.operator_message}")
        for index, turn in enumerate(turns, start=1):
            failures += [f"turn {index}: {failure}" for failure in turn.failures]
        return ScenarioResult(
            contract=contract.flow_id,
            scenario=scenario.name,
            tenant=scenario.tenant,
            turns=tuple(turns),
            failures=tuple(failures),
        )

    def _play(self, scenario: Scenario, turns: list[PlayedTurn], tell: Tell) -> None:
        tenant = self._stack.info.tenant(scenario.tenant)
        player = _Player(self._stack, tenant, scenario)
        try:
            if scenario.now is not None:
                self._stack.set_clock(tenant, scenario.now)
            for turn in scenario.turns:
                for fault in turn.faults:
                    self._stack.set_fault(tenant, fault)
                played = player.play(turn)
                turns.append(played)
                tell(played)
        finally:
            if any(turn.faults for turn in scenario.turns):
                self._stack.clear_faults()
            if scenario.now is not None:
                self._stack.set_clock(tenant, None)


class _Player:
    """The customer of one scenario; the conversation begins with the first message that is really sent."""

    def __init__(self, stack: Stack, tenant: TenantInfo, scenario: Scenario) -> None:
        self._stack = stack
        self._tenant = tenant
        self._scenario = scenario
        self._customer: Customer | None = None

    def play(self, turn: ScenarioTurn) -> PlayedTurn:
        seen = self._forge(turn) if turn.signature == "wrong" else self._converse(turn)
        decision = seen.record.decision if seen.record else None
        return PlayedTurn(
            said=_said(turn),
            reply=seen.reply,
            latency_ms=seen.latency_ms,
            intent=decision.intent if decision else None,
            confidence=decision.confidence if decision else None,
            rule=seen.record.rule if seen.record else None,
            outcome=seen.record.outcome if seen.record else None,
            failures=(*_silence(turn, seen), *failures_of(turn.expect, seen)),
        )

    def _converse(self, turn: ScenarioTurn) -> Seen:
        if self._customer is None:
            self._customer = Customer(self._stack, self._tenant, self._scenario.channel, self._scenario.persona)
        customer = self._customer
        started = time.monotonic()
        message_id = customer.say(turn)
        silent = turn.expect.outcome in SILENT_OUTCOMES
        reply = customer.reply_after(message_id, SILENCE_S if silent else REPLY_WITHIN_S)
        latency_ms = round((time.monotonic() - started) * 1000)
        record = customer.turn_of(message_id, 0 if silent else RECORD_WITHIN_S)
        return Seen(
            reply=reply.text if reply else None,
            latency_ms=latency_ms if reply else None,
            record=record,
            audit=self._audit(turn, record, reply),
        )

    def _audit(self, turn: ScenarioTurn, record: TurnRecord | None, reply: Reply | None) -> tuple[AuditEvent, ...]:
        if not turn.expect.audit or record is None or reply is None:
            return ()
        events = self._stack.audit(self._tenant.tenant_id, record.conversation_id)
        return tuple(event for event in events if event.event_id.endswith(record.turn_id))

    def _forge(self, turn: ScenarioTurn) -> Seen:
        known = {event.event_id for event in self._stack.audit("")}
        started = time.monotonic()
        response = post_forged_webhook(self._stack, self._tenant, self._scenario.persona, turn.say)
        latency_ms = round((time.monotonic() - started) * 1000)
        events = waited_for(lambda: self._new_refusals(known), RECORD_WITHIN_S) if turn.expect.audit else ()
        return Seen(
            http_status=response.status_code,
            http_body=response.text,
            latency_ms=latency_ms,
            audit=events or (),
        )

    def _new_refusals(self, known: set[str]) -> tuple[AuditEvent, ...] | None:
        return tuple(event for event in self._stack.audit("") if event.event_id not in known) or None


def _silence(turn: ScenarioTurn, seen: Seen) -> tuple[str, ...]:
    """Every message is answered, unless the contract says it must not be."""
    if turn.signature == "wrong":
        return ()
    if turn.expect.outcome in SILENT_OUTCOMES:
        return () if seen.reply is None else (f"there is a reply, and there must be none: {seen.reply[:100]!r}",)
    return () if seen.reply is not None else (f"no reply within {REPLY_WITHIN_S:g} s",)


def _said(turn: ScenarioTurn) -> str:
    photos = turn.photos if turn.photo is None else (turn.photo, *turn.photos)
    return " ".join((turn.say, *(f"[photo {photo.invoice or 'of a field'}]" for photo in photos))).strip()


def _tell_nobody(_: PlayedTurn) -> None:
    """Used when nobody watches."""
