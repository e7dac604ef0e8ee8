"""One turn in full: what was understood, what was looked up, what was said, how long it took and what it cost."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from smarteros.console.access import Visitor
from smarteros.console.guard import Guard, tenant_for
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts, PlayedAgain
from smarteros.console.steering import Steering
from smarteros.domain.llm import MICRO_USD_PER_USD
from smarteros.domain.tenants import Tenant
from smarteros.privacy.explain import explain
from smarteros.store.turn_inputs import RecordedTurn, find_turn


def add_turns(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""
    steering = Steering(parts)

    def found(visitor: Visitor, turn_id: str) -> tuple[Tenant, RecordedTurn]:
        tenant_for(parts, visitor.person, turn_id.partition(":")[0])  # before anything is read
        return find_turn(parts.database, parts.tenants.find, turn_id)

    def shown(request: Request, visitor: Visitor, turn_id: str, played: PlayedAgain | None = None) -> Response:
        tenant, turn = found(visitor, turn_id)
        record = turn.record
        last = turn.inputs.resolved.messages[-1].id if turn.inputs and turn.inputs.resolved.messages else 0
        calls = parts.llm_calls(tenant.scope, record.conversation_id, last or record.message_id)
        return pages.page(
            request,
            "turn.html",
            visitor=visitor,
            token=guard.token(request),
            tenant=tenant,
            record=record,
            explained=explain(tenant, turn, parts.contracts),
            calls=calls,
            usd=sum(call.micro_usd for call in calls) / MICRO_USD_PER_USD,
            retryable=steering.may_retry(tenant, record),
            played=played,
        )

    @router.get("/turns/{turn_id}")
    def turn(request: Request, turn_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        return shown(request, guard.allowed(request, "read_conversations"), turn_id)

    @router.post("/turns/{turn_id}/again")
    def play_again(request: Request, turn_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_conversations")
        found(visitor, turn_id)
        return shown(request, visitor, turn_id, played=parts.play_again(turn_id))

    @router.post("/turns/{turn_id}/retry")
    def retry(request: Request, turn_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "steer_conversations")
        tenant, turn = found(visitor, turn_id)
        steering.retry(visitor, tenant, turn.record)
        return RedirectResponse(
            f"/console/conversations/{tenant.tenant_id}/{turn.record.conversation_id}?done=retry", 303
        )
