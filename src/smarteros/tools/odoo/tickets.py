"""``odoo_create_ticket``: a customer's request to give something back, in the hands of the shop's people.

The request has a number that follows from the invoice and the kind of the request alone. It is written into the record
and looked for before one is made, so that a call made twice (a second try, a second "sí", another conversation) ends
with one record. The record is a helpdesk ticket where Odoo has that module, else an activity on the invoice.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from smarteros.domain.errors import PermanentError, RejectedInputError, SmosError
from smarteros.domain.tools import Ticket, TicketKind, TicketResult
from smarteros.tools.inputs import TicketInput
from smarteros.tools.odoo.dialects import MODEL_MISSING, SERVICE
from smarteros.tools.odoo.invoices import InvoiceSearch
from smarteros.tools.odoo.records import CREATED, FOUND, SELLERS, Move, Seller, fields_of
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun

HELPDESK, ACTIVITY = "helpdesk.ticket", "mail.activity"
_TITLES: dict[TicketKind, str] = {"return": "Devolución", "exchange": "Cambio", "warranty": "Garantía"}
_LETTERS_OF_NUMBER = 8

_SPEC = ToolSpec(
    name="odoo_create_ticket",
    title="Register a return, exchange or warranty request",
    description=(
        "Register the customer's request about one invoice for the shop's people, and return its number. Only after "
        "the customer has said yes to exactly this. Calling it again with the same invoice and kind gives the same "
        "number."
    ),
    read_only=False,
    destructive=False,
    idempotent=True,
    input_model=TicketInput,
    output_model=TicketResult,
)


@dataclass(frozen=True)
class TicketDesk:
    """Registers requests in one Odoo."""

    search: InvoiceSearch

    def tool(self) -> EmbeddedTool[TicketInput]:
        """Offer the request as a tool."""
        return EmbeddedTool(_SPEC, SERVICE, TicketInput, self.run)

    def run(self, params: TicketInput, run: ToolRun) -> TicketResult:
        """Register the request; only for who may hear of the invoice, and only when it was confirmed."""
        if not params.confirmed:
            raise RejectedInputError("not_confirmed", "The customer has not confirmed the request.")
        sought = self.search.seek(params, run)
        result = TicketResult(
            found=sought.hits > 0,
            ambiguous=sought.hits > 1,
            identity=sought.identity,
            second_fact_needed=sought.second_fact_needed,
        )
        if sought.move is None or not sought.told:
            return result
        product_name, _ = self.search.product_name(run, sought.move)
        number = number_of(run.tenant.tenant_id, sought.move.id, params.kind)
        request = _Request(number, params.kind, sought.move, product_name, _note(params, run, product_name))
        record, created = self._registered(run, request)
        ticket = Ticket(
            number=number,
            kind=params.kind,
            invoice_number=sought.move.number_like(sought.asked_number),
            product_name=product_name,
            created=created,
            record=record,
        )
        return result.model_copy(update={"ticket": ticket})

    def _registered(self, run: ToolRun, request: _Request) -> tuple[str, bool]:
        """Return the kind of the record that holds the request, and whether it was made now."""
        try:
            return HELPDESK, self._once(run, HELPDESK, _tickets(request), lambda: _ticket(request))
        except SmosError as error:
            # Not installed, or not for this user: the activity needs neither. A wrong key fails there as well.
            if error.code not in (MODEL_MISSING, "odoo_access_refused"):
                raise
        return ACTIVITY, self._once(run, ACTIVITY, _activities(request), lambda: self._activity(run, request))

    def _once(self, run: ToolRun, model: str, domain: list[Any], values: Callable[[], dict[str, Any]]) -> bool:
        """Make the record unless it is there; tells whether it was made."""
        client = self.search.client
        arguments = {"domain": domain, "fields": ["id"], "limit": 1}
        if client.call(run.tenant, f"{model}/search_read", arguments, FOUND, run.deadline):
            return False
        client.call(run.tenant, f"{model}/create", {"vals_list": [values()]}, CREATED, run.deadline)
        return True

    def _activity(self, run: ToolRun, request: _Request) -> dict[str, Any]:
        client = self.search.client
        kinds = {"domain": [["model", "=", "account.move"]], "fields": ["id"], "limit": 1}
        documents = client.call(run.tenant, "ir.model/search_read", kinds, FOUND, run.deadline)
        if not documents:
            raise PermanentError("odoo_answer_unreadable", "Odoo's ir.model does not know account.move.")
        read = {"ids": [request.move.id], "fields": fields_of(Seller)}
        sellers = client.call(run.tenant, "account.move/read", read, SELLERS, run.deadline)
        values: dict[str, Any] = {
            "res_model_id": documents[0].id,
            "res_id": request.move.id,
            "summary": request.title,
            "note": request.note,
            "date_deadline": run.context.today.isoformat(),
        }
        # Without a seller it is the key's user's, whom nobody watches; it is shown on the invoice all the same.
        seller = sellers[0].invoice_user_id if sellers else False
        if seller:
            values["user_id"] = seller[0]
        return values


@dataclass(frozen=True)
class _Request:
    """What is registered. ``note`` is HTML in which everything a stranger wrote is escaped."""

    number: str
    kind: TicketKind
    move: Move
    product_name: str
    note: str

    @property
    def title(self) -> str:
        return f"{_TITLES[self.kind]} {self.move.name or self.move.id} [{self.number}]"


def number_of(tenant_id: str, move_id: int, kind: TicketKind) -> str:
    """Return the number of a request, such as ``SOL-K3QZ7M2A``: the same for the same invoice and kind.

    Letters and digits that are not mistaken for one another (RFC 4648, base 32), none of them a wildcard of Odoo's.
    """
    digest = hashlib.sha256(f"{tenant_id}:account.move:{move_id}:{kind}".encode()).digest()
    return f"SOL-{base64.b32encode(digest).decode()[:_LETTERS_OF_NUMBER]}"


def _tickets(request: _Request) -> list[Any]:
    return [["name", "like", request.number]]


def _ticket(request: _Request) -> dict[str, Any]:
    return {"name": request.title, "partner_id": request.move.partner_id[0], "description": request.note}


def _activities(request: _Request) -> list[Any]:
    return [["res_model", "=", "account.move"], ["res_id", "=", request.move.id], ["summary", "like", request.number]]


def _note(params: TicketInput, run: ToolRun, product_name: str) -> str:
    contact = run.context.contact
    facts = {
        "Producto": product_name,
        "Cliente": ", ".join(part for part in (contact.name, contact.phone, contact.email) if part),
        "Dice": params.description,
        "Conversación": f"Chatwoot {run.context.conversation_id}",
    }
    return "".join(f"<p>{name}: {escape(text)}</p>" for name, text in facts.items() if text)
