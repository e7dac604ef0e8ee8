"""A demo without engine: Chatwoot, sandbox and store are dictionaries, so that a test decides what happens when."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.support import serving

from smarteros.demo.page import demo_router
from smarteros.domain.decisions import Decision, Entities
from smarteros.domain.ids import reply_id, turn_id
from smarteros.domain.tools import ToolResult
from smarteros.domain.turns import StepTiming, TurnRecord
from smarteros.edge.app import create_app
from smarteros.store.database import Database

TENANT = "TENANT_DEMO"
CONVERSATION = 31
STEP_MS = {"receive": 3.1, "resolve": 12.4, "decide": 6.8, "call_tools": 41.0, "reply": 21.3}


def sandbox_info() -> dict[str, Any]:
    invoice = {
        "number": "INV-2025-001",
        "date": "2025-10-15",
        "customer_name": "María González",
        "customer_phone": "+56912345678",
        "customer_email": "maria@example.cl",
        "product_name": "Zapatilla Running Azul",
        "in_odoo": True,
        "image_url": f"/sandbox/tenants/{TENANT}/invoices/INV-2025-001.png",
        "blurred_image_url": f"/sandbox/tenants/{TENANT}/invoices/INV-2025-001.png?blurred=1",
    }
    shops = [(TENANT, "Tienda Demo Calzados"), ("TENANT_TWO", "Ropa Brava"), ("TENANT_THREE", "Electrónica Austral")]
    return {
        "tenants": [
            {
                "tenant_id": tenant_id,
                "name": name,
                "tone": "Cercana y amable",
                "account_id": at,
                "inbox_identifiers": {"whatsapp": f"wa{at}", "webwidget": f"web{at}", "email": f"mail{at}"},
                "tokens": {"chatwoot_administrator": "secret-admin-token"},
                "catalogue": ["Zapatilla Running Azul"],
                "invoices": [invoice] if tenant_id == TENANT else [],
            }
            for at, (tenant_id, name) in enumerate(shops, start=1)
        ]
    }


@dataclass
class FakeDemo:
    """What the stand-ins remember, and the one function a test may replace: what the shop answers."""

    answer: Callable[[FakeDemo, str], None] = lambda demo, text: demo.reply(f"Recibí: {text}")
    info: dict[str, Any] = field(default_factory=sandbox_info)
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    turns: list[TurnRecord] = field(default_factory=list[TurnRecord])
    contacts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    away: bool = False

    def add(self, content: str, message_type: int, **more: Any) -> int:
        message = {
            "id": len(self.messages) + 501,
            "content": content,
            "message_type": message_type,
            "content_type": "text",
            "content_attributes": {},
            "created_at": int(datetime(2026, 3, 2, 17, 30, tzinfo=UTC).timestamp()),
            "conversation_id": CONVERSATION,
            **more,
        }
        self.messages.append(message)
        return message["id"]

    def reply(self, text: str, **changes: Any) -> None:
        """Answer the last message and write the turn down, as the runtime would."""
        question = self.messages[-1]["id"]
        turn = turn_id(TENANT, CONVERSATION, question)
        self.add(
            text,
            1,
            content_attributes={"smos_reply_id": reply_id(turn)},
            sender={"id": 1, "name": "SmarterOS", "type": "agent_bot"},
        )
        self.turns.append(turn_record(turn, question, text).model_copy(update=changes))

    def receive(self, text: str, files: list[str]) -> dict[str, Any]:
        attachments = [
            {"id": at, "file_type": "image", "data_url": f"http://127.0.0.1:1/rails/{name}"}
            for at, name in enumerate(files)
        ]
        self.add(text, 0, attachments=attachments, sender={"id": 7, "name": "María", "type": "contact"})
        message = self.messages[-1]
        self.answer(self, text)
        return message


def turn_record(turn: str, question: int, text: str) -> TurnRecord:
    now = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
    decision = Decision(
        intent="product_query",
        confidence=0.94,
        route="shopify_sales",
        entities=Entities(category="zapatillas", size="42"),
    )
    return TurnRecord(
        turn_id=turn,
        tenant_id=TENANT,
        flow_id="e2e_shopify_sales",
        conversation_id=CONVERSATION,
        message_id=question,
        received_at=now,
        finished_at=now,
        outcome="answered",
        decision=decision,
        tool_results=(ToolResult(tool="shopify_search_products", outcome="ok", data={}, duration_ms=38.2),),
        reply_text=text,
        rule="found",
        steps=tuple(StepTiming.model_validate({"step": name, "duration_ms": ms}) for name, ms in STEP_MS.items()),
    )


class _Rows:
    """What ``list_turns`` asks of a connection."""

    def __init__(self, turns: list[TurnRecord]) -> None:
        self._turns = turns

    def execute(self, _statement: object) -> _Rows:
        return self

    def all(self) -> list[Any]:
        return [_Row(turn.model_dump(mode="json")) for turn in reversed(self._turns)]


@dataclass(frozen=True)
class _Row:
    record: dict[str, Any]


class _Store:
    """What ``demo_router`` asks of a Database."""

    def __init__(self, demo: FakeDemo) -> None:
        self._demo = demo

    @contextmanager
    def tenant(self, _scope: object) -> Iterator[_Rows]:
        yield _Rows(self._demo.turns)


def _upstream(demo: FakeDemo) -> Starlette:
    contacts = "/public/api/v1/inboxes/{inbox}/contacts"
    conversations = f"{contacts}/{{source}}/conversations"

    async def info(_request: Request) -> Response:
        return JSONResponse(demo.info)

    async def invoice(_request: Request) -> Response:
        picture = io.BytesIO()
        Image.new("RGB", (300, 420), "#f7f7f2").save(picture, "PNG")
        return Response(picture.getvalue(), media_type="image/png")

    async def contact(request: Request) -> Response:
        demo.contacts.append(await request.json())
        return JSONResponse({"source_id": "visitor-1", "id": 7})

    async def conversation(_request: Request) -> Response:
        demo.messages.clear()
        demo.turns.clear()
        return JSONResponse({"id": CONVERSATION, "messages": []})

    async def messages(request: Request) -> Response:
        if demo.away:
            return JSONResponse({"error": "away"}, status_code=503)
        if request.method == "GET":
            return JSONResponse([] if "before" in request.query_params else demo.messages[-20:])
        if request.headers["content-type"].startswith("multipart/"):
            async with request.form() as form:
                files = [getattr(entry, "filename", "") for entry in form.getlist("attachments[]")]
                return JSONResponse(demo.receive(str(form.get("content", "")), files))
        return JSONResponse(demo.receive(json.loads(await request.body())["content"], []))

    return Starlette(
        routes=[
            Route("/sandbox/info", info),
            Route("/sandbox/tenants/{tenant}/invoices/{name}", invoice),
            Route(contacts, contact, methods=["POST"]),
            Route(conversations, conversation, methods=["POST"]),
            Route(f"{conversations}/{{conversation}}/messages", messages, methods=["GET", "POST"]),
        ]
    )


@contextmanager
def fake_demo() -> Iterator[tuple[FakeDemo, str]]:
    """Serve the chat page over the stand-ins; yields them and the page's URL."""
    demo = FakeDemo()
    with serving(_upstream(demo)) as upstream:
        router = demo_router(cast(Database, _Store(demo)), upstream, upstream)
        with serving(create_app([router])) as url:
            yield demo, url
