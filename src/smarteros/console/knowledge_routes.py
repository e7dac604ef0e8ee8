"""A shop's texts: what there is, what was asked in vain, answers written here, and a place to try questions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from smarteros.console.access import Visitor
from smarteros.console.answers import Answers
from smarteros.console.guard import Form, Guard, form_of, not_found, tenant_for
from smarteros.console.journal import actor
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.domain.decisions import Language
from smarteros.domain.knowledge import Category
from smarteros.domain.tenants import Tenant
from smarteros.store.gaps import list_gaps

_GAPS_SHOWN = 50
_HITS = 8
_LONGEST_QUESTION = 500


def add_knowledge(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""
    answers = Answers(parts)

    @router.get("/knowledge")
    def knowledge(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_knowledge")
        tenants, wanted = parts.tenants_of(visitor.person), request.query_params.get("tenant", "")
        if not tenants:
            return pages.page(request, "knowledge_none.html", visitor=visitor, token=guard.token(request))
        tenant = tenant_for(parts, visitor.person, wanted) if wanted else tenants[0]
        with parts.database.tenant(tenant.scope) as connection:
            gaps = list_gaps(connection, tenant.tenant_id, limit=_GAPS_SHOWN)
        counts: dict[str, int] = {}
        for passage in parts.knowledge.passages(tenant.scope):
            counts[passage.document] = counts.get(passage.document, 0) + 1
        return pages.page(
            request,
            "knowledge.html",
            visitor=visitor,
            token=guard.token(request),
            tenant=tenant,
            tenants=tenants,
            documents=parts.knowledge.documents(tenant.scope),
            counts=counts,
            gaps=gaps,
            written=answers.written(tenant),
            waiting=parts.upkeep.waiting(tenant),
            sources=parts.upkeep.sources(tenant),
            categories=get_args(Category),
            done=request.query_params.get("done"),
        )

    @router.get("/knowledge/{tenant_id}/search")
    def search(request: Request, tenant_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_knowledge")
        tenant = tenant_for(parts, visitor.person, tenant_id)
        asked = request.query_params.get("q", "").replace("\x00", "").strip()[:_LONGEST_QUESTION]
        language: Language = "en" if request.query_params.get("language") == "en" else "es"
        hits = parts.knowledge.search(tenant.scope, asked, language=language, limit=_HITS) if asked else ()
        return pages.page(request, "knowledge_hits.html", visitor=visitor, asked=asked, hits=hits)

    _add_acts(router, parts, guard, answers)


def _add_acts(router: APIRouter, parts: ConsoleParts, guard: Guard, answers: Answers) -> None:
    def act(name: str, do: Callable[[Visitor, Tenant, Form], None]) -> None:
        @router.post(f"/knowledge/{{tenant_id}}/{name}", name=name)
        def route(request: Request, tenant_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
            visitor = guard.allowed(request, "write_knowledge")
            do(visitor, tenant_for(parts, visitor.person, tenant_id), form_of(request))
            return RedirectResponse(f"/console/knowledge?tenant={tenant_id}&done={name}", 303)

    def draft(visitor: Visitor, tenant: Tenant, form: Form) -> None:
        category, language = form.get("category", "otros"), form.get("language", "es")
        if category not in get_args(Category) or language not in get_args(Language):
            raise not_found()
        answers.draft(
            visitor,
            tenant,
            question=form.get("question", ""),
            text=form.get("text", ""),
            category=category,  # pyright: ignore[reportArgumentType]
            language=language,  # pyright: ignore[reportArgumentType]
            example=form.get("example") or None,
        )

    def decide(visitor: Visitor, tenant: Tenant, form: Form, *, approved: bool) -> None:
        decided = parts.upkeep.approve if approved else parts.upkeep.refuse
        decided(tenant, form.get("origin", ""), by=actor(visitor.person))

    act("activate", partial(decide, approved=True))
    act("refuse", partial(decide, approved=False))
    act("draft", draft)
    act("publish", lambda visitor, tenant, form: answers.publish(visitor, tenant, form.get("question", "")))
    act("discard", lambda visitor, tenant, form: answers.discard(visitor, tenant, form.get("question", "")))
    act("forget", lambda visitor, tenant, form: answers.forget(visitor, tenant, form.get("pattern", "")))
