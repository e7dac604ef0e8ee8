"""Situations of the Odoo tools, played against the stand-in in both dialects, with every exchange on the wire.

``python -m tests.conformance.odoo_situations`` writes them to ``tests/fixtures/odoo``, one file per situation and
version; ``test_odoo_tools.py`` holds the tools and the stand-in to them. The API key is left out of the recordings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from tests.support import MemorySecrets, demo_tenant, serving

from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.kit.http import HttpClient
from smarteros.tools.cache import MemoryToolCache
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.protocol import ToolContext
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.odoo import create_odoo_app
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.shops.models import DemoShop

FOLDER = Path(__file__).parents[1] / "fixtures" / "odoo"
VERSIONS = ("19.0", "16.0")
DEMO, CLOTHES = 0, 1
FIRST_START, TODAY = date(2025, 11, 17), date(2025, 11, 1)
MARIA = Contact(id=1, name="María González", phone="+56912345678", proven="+56912345678")
CLAIMED = Contact(id=2, name="María", email="maria@example.cl")
STRANGER = Contact(id=3, phone="+56979540471", proven="+56979540471")
VALENTINA = Contact(id=4, name="Valentina Castro", email="vale.castro@example.cl", proven="vale.castro@example.cl")
NUMBER = {"invoice_number": "INV-2025-001"}
RETURN = {**NUMBER, "kind": "return", "confirmed": True}


@dataclass(frozen=True)
class Situation:
    """One or more calls of a customer to one tool, and the faults of the Odoo behind it."""

    tool: str
    params: tuple[dict[str, Any], ...]
    contact: Contact = MARIA
    shop: int = DEMO
    fault: tuple[str, dict[str, Any]] | None = None


# What an Odoo does wrong (the stand-in's faults), and every tool's question it does it at. In both dialects the first
# answer to a question of the tool fails; what is asked before it (the version, the login) is as ever.
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "server_error": ("http_500", {}),
    "access_error": ("access_error", {}),
    "key_expired": ("invalid_key", {}),
    "time_out": ("hang", {"value": 0}),
}
QUESTIONS: dict[str, Situation] = {
    "invoice": Situation("odoo_find_invoice", (NUMBER,)),
    "history": Situation("odoo_customer_history", ({},)),
    "invoices": Situation("odoo_list_invoices_by_contact", ({"limit": 2},)),
    "ticket": Situation("odoo_create_ticket", (RETURN,)),
}
FAILURES: dict[str, Situation] = {
    f"{question}_{what}": replace(asked, fault=fault)
    for question, asked in QUESTIONS.items()
    for what, fault in FAULTS.items()
}
SITUATIONS: dict[str, Situation] = {
    **FAILURES,
    "invoice_by_reference": Situation("odoo_find_invoice", (NUMBER,)),
    "invoice_by_folio": Situation("odoo_find_invoice", ({"invoice_number": "123", "document_type": "factura"},)),
    "invoice_unknown": Situation("odoo_find_invoice", ({"invoice_number": "INV-2026-999"},)),
    "invoice_of_somebody_else": Situation("odoo_find_invoice", (NUMBER,), STRANGER),
    "invoice_claimed": Situation("odoo_find_invoice", (NUMBER, {**NUMBER, "total": "39990"}), CLAIMED),
    "history": Situation("odoo_customer_history", ({},)),
    "history_claimed": Situation("odoo_customer_history", ({},), CLAIMED),
    "invoices_of_contact": Situation("odoo_list_invoices_by_contact", ({"limit": 2},)),
    "ticket_twice": Situation("odoo_create_ticket", (RETURN, {**RETURN, "description": "<b>me quedaron chicas</b>"})),
    "ticket_without_helpdesk": Situation("odoo_create_ticket", (RETURN, RETURN), VALENTINA, CLOTHES),
    "ticket_answer_lost": Situation("odoo_create_ticket", (RETURN, RETURN), fault=("lost_answer", {"times": 1})),
    "ticket_not_confirmed": Situation("odoo_create_ticket", ({**RETURN, "confirmed": False},)),
    "ticket_of_somebody_else": Situation("odoo_create_ticket", (RETURN,), STRANGER),
}


class Recorder:
    """An ASGI app that notes what goes in and out of another one."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.exchanges: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        sent, answered = bytearray(), bytearray()
        exchange: dict[str, Any] = {"path": scope["path"], "request": None, "status": 0, "response": None}

        async def heard() -> Any:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def told(message: Any) -> None:
            exchange["status"] = message.get("status", exchange["status"])
            answered.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                exchange["request"] = _decoded(bytes(sent))
                exchange["response"] = _decoded(bytes(answered))
                self.exchanges.append(exchange)
            await send(message)

        await self.app(scope, heard, told)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode()


@dataclass
class Bench:
    """A stand-in Odoo on loopback whose app is a new one for every situation."""

    url: str
    recorder: Recorder
    shops: tuple[DemoShop, ...]
    http: HttpClient = field(default_factory=HttpClient)

    def play(self, situation: Situation, version: str) -> tuple[list[dict[str, Any]], list[ToolResult]]:
        """Play a situation; returns what went over the wire, and what came of each call."""
        faults = Faults()
        self.recorder.app, self.recorder.exchanges = create_odoo_app(self.shops, faults, version), []
        spec = self.shops[situation.shop].spec
        if situation.fault is not None:
            kind, options = situation.fault
            faults.set("odoo", kind, scope=spec.tenant_id, **options)
        provider = embedded_tools(
            http=self.http,
            secrets=self._secrets(situation.shop),
            cache=MemoryToolCache(),
            policy_of=lambda _scope: Policy(warranty_days=90, return_days=30),
        )
        context = ToolContext(conversation_id=12345, contact=situation.contact, today=TODAY)
        results = [
            provider.call(
                demo_tenant(self.shops[situation.shop]),
                ToolCall(tool=situation.tool, params=params),
                context,
                timeout_ms=30_000,
                fallback=False,
            )
            for params in situation.params
        ]
        return [_without_key(exchange, spec.odoo_api_key) for exchange in self.recorder.exchanges], results

    def _secrets(self, shop: int) -> MemorySecrets:
        spec = self.shops[shop].spec
        values = {"api_key": spec.odoo_api_key, "login": spec.odoo_login, "instance_url": self.url}
        return MemorySecrets({(spec.tenant_id, f"odoo/{name}"): value for name, value in values.items()})


@contextmanager
def bench() -> Iterator[Bench]:
    recorder = Recorder(None)
    with serving(recorder) as url:
        made = Bench(url, recorder, load_shops(FIRST_START))
        yield made
        made.http.close()


def recording(exchanges: list[dict[str, Any]], results: list[ToolResult]) -> dict[str, Any]:
    """The contents of a fixture file."""
    kept = [result.model_dump(mode="json", exclude={"duration_ms"}) for result in results]
    return {"exchanges": exchanges, "results": kept}


def _without_key(exchange: dict[str, Any], key: str) -> dict[str, Any]:
    return json.loads(json.dumps(exchange).replace(key, "API_KEY"))


def main() -> None:
    """Write all recordings anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with bench() as made:
        for version in VERSIONS:
            for name, situation in SITUATIONS.items():
                text = json.dumps(recording(*made.play(situation, version)), ensure_ascii=False, indent=1)
                (FOLDER / f"{name}.{version}.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main()
