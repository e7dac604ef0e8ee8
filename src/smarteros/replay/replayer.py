"""Decides a recorded turn again and writes its reply again, with the tool results of then.

Nothing is looked up outside and nothing is sent: there is no channel, and the tools answer what they answered. The
same steps are run as in a live turn, so a difference is one of the agent, the contracts or the knowledge base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from smarteros.agents.protocol import Agent
from smarteros.channels.protocol import Channel
from smarteros.contracts.loader import ContractSet
from smarteros.domain.errors import ConfigError, SmosError
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolResult
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, TurnRecord
from smarteros.flow.context import reply_context
from smarteros.flow.decide import DecideStep
from smarteros.flow.parts import Parts, Reader
from smarteros.flow.sources import Sources
from smarteros.flow.wording import ChosenText, written_reply
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.replay.report import Difference, ReplayResult
from smarteros.store.database import Database
from smarteros.store.turn_inputs import (
    RecordedTurn,
    TurnInputs,
    current_revision,
    find_turn,
    recorded_since,
)
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.protocol import ToolProvider

# Its text was chosen because something broke, not by a contract.
_RULE_OF_ERRORS = "error"


class _Nobody:
    """Stands where a turn could reach the outside: a replay that tries to is a fault."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise ConfigError("replay_is_closed", f"A replay tried to use {name}.")


class _AsItWas(TenantDirectory):
    """The directory with one tenant, as it was when the turn was answered."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def get(self, tenant_id: str) -> Tenant:
        if tenant_id != self._tenant.tenant_id:
            raise ConfigError("tenant_unknown", f"The turn is not one of {tenant_id}.")
        return self._tenant


@dataclass(frozen=True)
class _Played:
    decided: DecidedTurn
    chosen: ChosenText | None
    notes: tuple[str, ...] = ()


class Replayer:
    """Plays turns again with these contracts, this agent and the knowledge base as it is."""

    def __init__(
        self,
        database: Database,
        tenants: TenantDirectory,
        agent: Agent,
        contracts: ContractSet,
        knowledge: KnowledgeBase,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._agent = agent
        self._contracts = contracts
        self._knowledge = knowledge

    def replay(self, turn_id: str) -> ReplayResult:
        """Play one turn again; RejectedInputError ``turn_unknown`` when there is none of this id."""
        tenant, turn = find_turn(self._database, self._tenants.find, turn_id)
        with self._database.tenant(tenant.scope) as connection:
            revision = current_revision(connection, tenant.tenant_id)
        return self._result(tenant, turn, revision)

    def replay_since(self, tenant: Tenant, since: datetime) -> Iterator[ReplayResult]:
        """Play a tenant's turns again, in the order of their ids."""
        with self._database.tenant(tenant.scope) as connection:
            revision = current_revision(connection, tenant.tenant_id)
            for turn in recorded_since(connection, tenant.tenant_id, since):
                yield self._result(tenant, turn, revision)

    def _result(self, tenant: Tenant, turn: RecordedTurn, revision: int) -> ReplayResult:
        record, inputs = turn.record, turn.inputs
        if record.decision is None:
            return _not_replayable(record, f"{record.outcome}: it was not decided")
        if inputs is None:
            return _not_replayable(record, "what it started from was not kept")
        try:
            played = self._play(tenant, turn, inputs)
        except SmosError as error:
            failed = Difference(what="error", recorded=None, replayed=f"{error.code}: {error.operator_message}")
            return ReplayResult(turn_id=record.turn_id, verdict="different", differences=(failed,))
        notes = (*self._changes(turn, inputs, revision), *played.notes)
        return _compared(record, played, notes)

    def _play(self, tenant: Tenant, turn: RecordedTurn, inputs: TurnInputs) -> _Played:
        then = tenant.model_copy(update={"name": inputs.tenant_name, "language": inputs.tenant_language})
        decided = DecideStep(self._parts(then))(ClaimedTurn(start=inputs.start, claims=0), inputs.resolved)
        results, missing = _results(turn.record, decided)
        if missing:
            note = f"the reply is not written: nobody knows what {', '.join(missing)} would have answered"
            return _Played(decided, None, (note,))
        facts = reply_context(then, turn.policy, inputs.resolved, decided, results)
        sources = Sources(self._knowledge, then, turn.policy, inputs.resolved, decided, results)
        return _Played(decided, written_reply(self._contracts.get(decided.flow_id), facts, sources))

    def _parts(self, tenant: Tenant) -> Parts:
        nobody = _Nobody()
        return Parts(
            database=self._database,
            tenants=_AsItWas(tenant),
            channel=cast("Channel", nobody),
            agent=self._agent,
            knowledge=self._knowledge,
            tools=cast("ToolProvider", nobody),
            reader=cast("Reader", nobody),
            contracts=self._contracts,
            contact_keys=cast("KeyWrapping", nobody),
        )

    def _changes(self, turn: RecordedTurn, inputs: TurnInputs, revision: int) -> tuple[str, ...]:
        """Name what is not as it was."""
        changes: list[str] = []
        if turn.kb_revision != revision:
            changes.append(f"the knowledge base has changed (import {turn.kb_revision} then, {revision} now)")
        contract = self._contracts.by_id.get(turn.record.flow_id)
        if contract is None or contract.version != inputs.contract_version:
            now = contract.version if contract else "none"
            changes.append(f"contract {turn.record.flow_id} was {inputs.contract_version} and is {now}")
        return tuple(changes)


def _results(record: TurnRecord, decided: DecidedTurn) -> tuple[tuple[ToolResult, ...], tuple[str, ...]]:
    """Return the recorded results of the tools that are asked for, and the tools nothing is recorded of."""
    assert record.decision is not None  # noqa: S101 - the caller has looked
    if decided.decision.actions == record.decision.actions:
        return record.tool_results, ()
    asked = [(action.tool, action.params) for action in decided.decision.actions]
    recorded = {(action.tool, str(action.params)) for action in record.decision.actions}
    missing = tuple(tool for tool, params in asked if (tool, str(params)) not in recorded)
    tools = {tool for tool, _ in asked}
    return tuple(result for result in record.tool_results if result.tool in tools), missing


def _not_replayable(record: TurnRecord, reason: str) -> ReplayResult:
    return ReplayResult(turn_id=record.turn_id, verdict="not_replayable", reason=reason)


def _compared(record: TurnRecord, played: _Played, notes: tuple[str, ...]) -> ReplayResult:
    assert record.decision is not None  # noqa: S101 - the caller has looked
    before = {"flow": record.flow_id, **record.decision.model_dump(mode="json")}
    after = {"flow": played.decided.flow_id, **played.decided.decision.model_dump(mode="json")}
    replied = record.reply_text is not None and record.rule != _RULE_OF_ERRORS
    if replied:
        before |= {"rule": record.rule, "reply_text": record.reply_text}
        chosen = played.chosen
        after |= {"rule": chosen.rule if chosen else None, "reply_text": chosen.text if chosen else None}
    names = {"reply": "agent_reply", "reply_text": "reply"}
    differences = tuple(
        Difference(what=names.get(name, name), recorded=before[name], replayed=after[name])
        for name in before
        if before[name] != after[name]
    )
    return ReplayResult(
        turn_id=record.turn_id,
        verdict="different" if differences else "same",
        recorded_reply=record.reply_text if replied else None,
        replayed_reply=played.chosen.text if replied and played.chosen else None,
        differences=differences,
        notes=notes,
    )
