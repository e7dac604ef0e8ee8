"""Turns for another orchestrator (n8n): it brings the signed webhook and leads its turn through our steps.

``POST /api/v1/turns`` takes a webhook as Chatwoot sent it and answers with the key of its turn; ``resolve``,
``call_tools`` and ``reply`` are the steps, with the agent's endpoint between the first two. See docs/n8n.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from smarteros.contracts.loader import ContractSet
from smarteros.domain.decisions import AgentRequest, Decision, Intent, Route
from smarteros.domain.errors import RejectedInputError, TransientError
from smarteros.domain.ids import tenant_of
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolResult
from smarteros.domain.turns import ClaimedTurn, Outcome, ResolvedTurn
from smarteros.edge.turn_tokens import TurnKey, TurnTokens
from smarteros.edge.webhooks import WebhookTaker
from smarteros.flow.decide import agent_request
from smarteros.flow.orchestrated import Ended, NotYet, OrchestratedTurns
from smarteros.tenants.directory import TenantDirectory

T = TypeVar("T")

# Seconds a request waits for a customer to finish, or for the turn before; then our workers take the turn.
PATIENCE_S = 25.0
_LONGEST_PAUSE_S = 0.5
# Requests at work at a time: those that read photos or ask shops must not hold up the rest of the edge.
_AT_A_TIME = 16
_bearer = HTTPBearer(auto_error=False, description="The key of a turn, from the answer to its webhook")


class OwnTurn(Model):
    """A turn to be led, and the key that opens it."""

    turn_id: str
    key: str


class Begun(Model):
    """What became of a webhook. ``turn`` is None when there is nothing to lead: all was done, or our workers do it."""

    status: Literal["accepted", "ignored", "duplicate"]
    reason: str | None = None
    event: str
    turn: OwnTurn | None = None


class Question(Model):
    """Who is to be asked what. ``request`` is the body for the agent's endpoint; ``story`` goes with the next call.

    ``status`` is ``done`` when there is nothing to be asked: the turn has ended, or will without the caller.
    """

    status: Literal["decide", "done"]
    outcome: Outcome | None = None
    reason: str | None = None
    workspace_id: str | None = None
    bot: str | None = None
    request: AgentRequest | None = None
    story: str | None = None


class Deciding(Model):
    """An agent's decision for a turn."""

    story: str
    decision: Decision


class Called(Model):
    """What the contract made of the decision, and what its tools answered."""

    flow_id: str
    intent: Intent
    route: Route
    results: tuple[ToolResult, ...]
    story: str


class Replying(Model):
    """The turn whose reply is due. ``decision`` is needed when no tools were called."""

    story: str
    decision: Decision | None = None


class GivenUp(Model):
    """The turn whose orchestrator met a fault."""

    story: str


class Done(Model):
    """How the turn ended; ``outcome`` is None when our workers will end it."""

    outcome: Outcome | None
    reason: str | None = None


class TurnDoor:
    """The requests of orchestrators."""

    def __init__(
        self,
        taker: WebhookTaker,
        turns: OrchestratedTurns,
        tokens: TurnTokens,
        tenants: TenantDirectory,
        contracts: ContractSet,
    ) -> None:
        self._taker = taker
        self._turns = turns
        self._tokens = tokens
        self._tenants = tenants
        self._contracts = contracts
        self._places = anyio.CapacityLimiter(_AT_A_TIME)

    async def begin(self, request: Request) -> Begun:
        """Take a webhook. What an orchestrator may not lead is taken all the same."""
        receipt = await self._taker.take(request, None)
        said = {"status": receipt.status, "reason": receipt.reason, "event": receipt.event}
        turn_id = receipt.turn_id if receipt.status == "accepted" else None
        tenant = await run_sync(self._tenants.find, tenant_of(turn_id)) if turn_id is not None else None
        if turn_id is None or tenant is None or tenant.orchestration == "smarteros":
            return Begun.model_validate(said)
        return Begun.model_validate(said | {"turn": OwnTurn(turn_id=turn_id, key=self._tokens.key_of(turn_id))})

    async def resolve(self, bearer: str) -> Question:
        """Gather what the turn needs, once the customer has finished and the turns before it have ended."""
        key, tenant = await self._opened(bearer)
        found = await self._patiently(lambda held: self._turns.resolve(tenant, key.turn_id, held))
        if isinstance(found, NotYet):
            held = found.turn
            found = Ended(reason="later") if held is None else await self._run(lambda: self._turns.leave(tenant, held))
        if isinstance(found, Ended):
            return Question(status="done", outcome=found.outcome, reason=found.reason)
        return Question(
            status="decide",
            workspace_id=tenant.workspace_id,
            bot=self._bot(found.resolved),
            request=agent_request(tenant, found.resolved),
            story=self._tokens.sealed_story(found),
        )

    async def call_tools(self, bearer: str, body: Deciding) -> Called:
        """Hold the decision against the contract and call its tools. TransientError when too many are called."""
        key, tenant = await self._opened(bearer)
        led = self._tokens.story_of(key, body.story)
        found = await self._patiently(lambda _: self._turns.call_tools(tenant, led, body.decision))
        if isinstance(found, NotYet) or found.decided is None or found.called is None:
            raise TransientError("too_many_tools", "too many turns are calling tools")
        return Called(
            flow_id=found.decided.flow_id,
            intent=found.decided.decision.intent,
            route=found.decided.decision.route,
            results=found.called.results,
            story=self._tokens.sealed_story(found),
        )

    async def reply(self, bearer: str, body: Replying) -> Done:
        """Post the reply through the fence and end the turn."""
        key, tenant = await self._opened(bearer)
        led = self._tokens.story_of(key, body.story)
        return _done(await self._run(lambda: self._turns.reply(tenant, led, body.decision)))

    async def give_up(self, bearer: str, body: GivenUp) -> Done:
        """Answer the turn ourselves, at once."""
        key, tenant = await self._opened(bearer)
        led = self._tokens.story_of(key, body.story)
        return _done(await self._run(lambda: self._turns.give_up(tenant, led)))

    async def _opened(self, bearer: str) -> tuple[TurnKey, Tenant]:
        key = self._tokens.opened(bearer)
        tenant = await run_sync(self._tenants.find, key.tenant_id)
        if tenant is None:
            raise RejectedInputError("unknown_tenant", "The turn's tenant is not here any more.", status=403)
        return key, tenant

    async def _patiently(self, ask: Callable[[ClaimedTurn | None], T | NotYet]) -> T | NotYet:
        """Ask again while it is too early, without holding a thread in between."""
        deadline, held = time.monotonic() + PATIENCE_S, None
        while True:
            found = await self._run(lambda held=held: ask(held))
            if not isinstance(found, NotYet) or time.monotonic() >= deadline:
                return found
            held = found.turn
            await anyio.sleep(min(found.after_s, _LONGEST_PAUSE_S))

    async def _run(self, work: Callable[[], T]) -> T:
        return await run_sync(work, limiter=self._places)

    def _bot(self, resolved: ResolvedTurn) -> str:
        """Return the bot of the photo's flow, of the flow the customer is in, or of the one for anything else."""
        contracts = self._contracts
        contract = contracts.flow_for_attachment("image") if resolved.photo else None
        contract = contract or contracts.by_id.get(resolved.state.flow_id or "") or contracts.default_flow
        return contract.agent.bot


def turn_router(door: TurnDoor) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/api/v1/turns", tags=["orchestration"])

    @router.post("", operation_id="begin_turn")
    async def begin(request: Request) -> Begun:  # pyright: ignore[reportUnusedFunction]
        """Take a webhook of Chatwoot, byte for byte and with its headers, and answer with the key of its turn."""
        return await door.begin(request)

    @router.post("/resolve", operation_id="resolve_turn")
    async def resolve(key: _Key) -> Question:  # pyright: ignore[reportUnusedFunction]
        """Wait for the customer to finish, read his photos, and answer with what the agent is to be asked."""
        return await door.resolve(key)

    @router.post("/call_tools", operation_id="call_turn_tools")
    async def call_tools(body: Deciding, key: _Key) -> Called:  # pyright: ignore[reportUnusedFunction]
        """Hold the agent's decision against the contract and call the tools it allows."""
        return await door.call_tools(key, body)

    @router.post("/reply", operation_id="reply_turn")
    async def reply(body: Replying, key: _Key) -> Done:  # pyright: ignore[reportUnusedFunction]
        """Word the reply by the contract, post it exactly once unless a person leads, and write the audit."""
        return await door.reply(key, body)

    @router.post("/give_up", operation_id="give_up_turn")
    async def give_up(body: GivenUp, key: _Key) -> Done:  # pyright: ignore[reportUnusedFunction]
        """Let SmarterOS answer the turn itself, at once."""
        return await door.give_up(key, body)

    return router


def _bearer_of(bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    return bearer.credentials if bearer else ""


_Key = Annotated[str, Depends(_bearer_of)]


def _done(ended: Ended) -> Done:
    return Done(outcome=ended.outcome, reason=ended.reason)
