"""The list of conversations, one conversation, and what people do to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from smarteros.console.access import Visitor
from smarteros.console.guard import Guard, form_of, not_found, tenant_for
from smarteros.console.live import LiveList
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.console.steering import Steering
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.store.conversation_list import (
    ConversationStanding,
    ListedConversation,
    ListPosition,
    list_conversations,
    list_said,
)
from smarteros.store.turns import list_turns, muted_reason

_PAGE = 50
_TURNS_SHOWN = 100
_LARGEST_ID = 2**53
_LONGEST_SEARCH = 100
_LONGEST_REASON = 2000


class Filters(Model):
    """What the list shows, as its address says it."""

    tenant: str = ""
    state: ConversationStanding | None = None
    search: str = ""
    after: ListPosition | None = None


def add_conversations(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""
    live = LiveList(parts)

    def listed(request: Request, template: str) -> Response:
        visitor = guard.allowed(request, "read_conversations")
        filters = _filters(request)
        tenants = parts.tenants_of(visitor.person)
        chosen = (tenant_for(parts, visitor.person, filters.tenant),) if filters.tenant else tenants
        rows = _rows(parts, chosen, filters)
        last = rows[_PAGE - 1] if len(rows) > _PAGE else None
        return pages.page(
            request,
            template,
            visitor=visitor,
            token=guard.token(request),
            tenants=tenants,
            names={tenant.tenant_id: tenant.name for tenant in tenants},
            filters=filters,
            states=get_args(ConversationStanding),
            rows=rows[:_PAGE],
            more=None if last is None else f"{last.at.isoformat()}~{last.conversation_id}",
        )

    @router.get("/conversations")
    def conversations(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return listed(request, "conversations.html")

    @router.get("/conversations/rows")
    def rows(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return listed(request, "conversation_rows.html")

    @router.get("/conversations/live")
    def changes(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        person = guard.allowed(request, "read_conversations").person
        return StreamingResponse(live.changes(person), media_type="text/event-stream")

    _add_one(router, parts, pages, guard)
    _add_acts(router, parts, guard)


def _add_one(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    @router.get("/conversations/{tenant_id}/{conversation_id}")
    def conversation(request: Request, tenant_id: str, conversation_id: int) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_conversations")
        tenant = tenant_for(parts, visitor.person, tenant_id)
        return pages.page(
            request,
            "conversation.html",
            visitor=visitor,
            token=guard.token(request),
            tenant=tenant,
            conversation_id=conversation_id,
            done=request.query_params.get("done"),
            **_conversation(parts, tenant, conversation_id),
        )


def _add_acts(router: APIRouter, parts: ConsoleParts, guard: Guard) -> None:
    steering = Steering(parts)

    def act(name: str, do: Callable[[Visitor, Tenant, int, str], None]) -> None:
        @router.post(f"/conversations/{{tenant_id}}/{{conversation_id}}/{name}", name=name)
        def route(request: Request, tenant_id: str, conversation_id: int) -> Response:  # pyright: ignore[reportUnusedFunction]
            visitor = guard.allowed(request, "steer_conversations")
            tenant = tenant_for(parts, visitor.person, tenant_id)
            _conversation(parts, tenant, conversation_id)  # 404 for one that is not there
            do(visitor, tenant, conversation_id, form_of(request).get("reason", "").strip()[:_LONGEST_REASON])
            return RedirectResponse(f"/console/conversations/{tenant_id}/{conversation_id}?done={name}", 303)

    act("mute", lambda visitor, tenant, conversation_id, _: steering.mute(visitor, tenant, conversation_id))
    act("give-back", lambda visitor, tenant, conversation_id, _: steering.give_back(visitor, tenant, conversation_id))
    act("hand-over", steering.hand_over)


def _rows(parts: ConsoleParts, tenants: tuple[Tenant, ...], filters: Filters) -> list[ListedConversation]:
    """Gather a page and one row more, each tenant's in its own scope."""
    found: list[ListedConversation] = []
    for tenant in tenants:
        with parts.database.tenant(tenant.scope) as connection:
            found += list_conversations(
                connection,
                tenant.tenant_id,
                state=filters.state,
                search=filters.search,
                after=filters.after,
                limit=_PAGE + 1,
            )
    return sorted(found, key=lambda row: (row.at, row.conversation_id), reverse=True)[: _PAGE + 1]


def _conversation(parts: ConsoleParts, tenant: Tenant, conversation_id: int) -> dict[str, Any]:
    if not 0 <= conversation_id <= _LARGEST_ID:
        raise not_found()
    with parts.database.tenant(tenant.scope) as connection:
        said = list_said(connection, tenant.tenant_id, conversation_id)
        turns = list_turns(connection, tenant.tenant_id, conversation_id, _TURNS_SHOWN)
        muted = muted_reason(connection, tenant.tenant_id, conversation_id)
    if not said and not turns and muted is None:
        raise not_found()
    return {"said": said, "turns": {turn.turn_id: turn for turn in turns}, "muted": muted}


def _filters(request: Request) -> Filters:
    """Read the filters of an address; what makes no sense is left out, as it is in links of yesterday."""
    query = request.query_params
    state = query.get("state", "")
    return Filters(
        tenant=query.get("tenant", ""),
        state=state if state in get_args(ConversationStanding) else None,  # pyright: ignore[reportArgumentType]
        search=query.get("q", "").replace("\x00", "").strip()[:_LONGEST_SEARCH],
        after=_position(query.get("after", "")),
    )


def _position(text: str) -> ListPosition | None:
    at, _, conversation_id = text.partition("~")
    try:
        position = ListPosition(at=datetime.fromisoformat(at), conversation_id=int(conversation_id))
    except ValueError:
        return None
    return position if position.at.tzinfo is not None and position.conversation_id <= _LARGEST_ID else None
