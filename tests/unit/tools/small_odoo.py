"""An Odoo of one invoice, and asking for it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from smarteros.domain.messages import Contact
from smarteros.domain.tools import InvoiceLookup
from smarteros.tools.inputs import InvoiceInput
from smarteros.tools.odoo.invoices import InvoiceFinder
from smarteros.tools.registry import ToolRun

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback, Request

MOVE = {
    "id": 85,
    "name": "BEL 000001",
    "ref": "INV-2025-001",
    "payment_reference": "BEL 000001",
    "invoice_date": "2025-10-15",
    "partner_id": [52, "María González"],
    "commercial_partner_id": [52, "María González"],
    "amount_total": 39990.0,
    "currency_id": [45, "CLP"],
    "company_id": [4, "CL Company"],
}
PARTNER = {
    "id": 52,
    "name": "María González",
    "phone": "+56 9 1234 5678",
    "phone_sanitized": "+56912345678",
    "email": "maria@example.cl",
}
LINE = {"id": 202, "product_id": [57, "[ZRA-42] Zapatilla Running Azul"], "name": "x", "price_total": 39990.0}
PRODUCT = {"id": 57, "default_code": "ZRA-42", "name": "Zapatilla Running Azul"}


class SmallOdoo:
    """Answers by model and method; ``history`` are the counts of sales and refunds."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "account.move/search_read": [MOVE],
            "res.partner/read": [PARTNER],
            "account.move.line/search_read": [LINE],
            "product.product/read": [PRODUCT],
        }
        self.history = {"out_invoice": 3, "out_refund": 0}

    def __call__(self, request: Request) -> tuple[int, Any]:
        method = request.path.removeprefix("/json/2/")
        if method == "account.move/search_count":
            return 200, self.history[request.body["domain"][1][2]]
        return 200, self.answers[method]


def find(
    finder: InvoiceFinder,
    run: ToolRun,
    number: str = "INV-2025-001",
    day: date | None = None,
    total: int | None = None,
) -> InvoiceLookup:
    return finder.run(InvoiceInput(invoice_number=number, purchase_date=day, total=total), run)


def as_contact(run: ToolRun, **contact: Any) -> ToolRun:
    """The same run for somebody else: what he is reached by is proven unless it is given by name."""
    proven = {"proven": contact.get("phone") or contact.get("email")}
    context = run.context.model_copy(update={"contact": Contact(id=1, **{**proven, **contact})})
    return ToolRun(run.tenant, context, run.deadline)


def methods(server: Loopback) -> list[str]:
    return [request.path.removeprefix("/json/2/") for request in server.requests]
