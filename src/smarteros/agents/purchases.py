"""What a customer says of what he has bought: "mis compras", "no tengo la boleta", "la del 12 de octubre" of a
list, the total that was asked for, and the "sí" to registering a return.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smarteros.agents.dialogue import Understood, agrees, chosen_places, declines, plain_words
from smarteros.agents.entities import Extraction
from smarteros.domain.decisions import Action, DialogueState, Intent
from smarteros.domain.tools import InvoiceEntry
from smarteros.kit.text import fold

HISTORY, INVOICES, TICKET = "odoo_customer_history", "odoo_list_invoices_by_contact", "odoo_create_ticket"
_HISTORY = re.compile(
    r"\b(?:mi )?historial(?: de| con)? (?:mis )?(?:compras?|pedidos?|boletas?|facturas?|ustedes)\b|\bmi historial\b"
    r"|\bmis (?:ultimas |otras |anteriores )?(?:compras|boletas|facturas)\b|\bcompras anteriores\b"
    r"|\b(?:que|cuanto|cuantas? (?:cosas|veces|compras)) (?:les |te |yo )?(?:he|llevo|tengo) (?:comprado|compradas?)\b"
    r"|\b(?:my )?(?:purchase|order|buying) history\b|\bmy (?:last |past |previous |earlier )?purchases\b"
    r"|\bwhat (?:have i|i have|i've) (?:bought|purchased)\b|\bmy (?:past |previous )?(?:receipts|invoices)\b"
)
_PAPER = r"(?:boletas?|facturas?|comprobantes?|tickets?|folios?|numero(?: de (?:boleta|factura|folio|compra))?)"
_PAPER_EN = r"(?:receipt|invoice|invoice number|receipt number|number)"
_LOST = re.compile(
    rf"\b(?:no (?:tengo|encuentro|guarde|recuerdo|me acuerdo(?: de(?:l)?)?|se|pille|hallo|sale)|perdi|bote|sin)"
    rf"(?: ya| bien| ni)? (?:el |la |mi |esa |ese |su )?{_PAPER}\b"
    rf"|\b(?:perdio|extravio|borro) (?:el |la |mi )?{_PAPER}\b"
    rf"|\b(?:don't have|do not have|lost|can't find|cannot find|no longer have|without) (?:the |my |a |that )?"
    rf"{_PAPER_EN}\b"
)
_LOST_IT = re.compile(
    r"^(?:ya )?(?:no (?:la|lo) (?:tengo|encuentro|guarde|se|recuerdo)|(?:la|lo) (?:perdi|bote)|no (?:se|tengo))"
    r"(?: (?:a mano|ahora|aqui|conmigo|ya|po))*$|^(?:i )?(?:don't have (?:it|one)|lost it|can't find it)$"
)
# A purchase's last is the latest, wherever it stands in the list.
_LATEST = re.compile(r"\b(?:la |mi )?(?:ultim[oa]|mas (?:reciente|nueva)|latest|last one|most recent)\b")
_MOST_WORDS_OF_CHOICE = 8
_LEAST_LETTERS = 4
_YEAR = 5  # characters of a year and its hyphen
_ABOUT_A_DOCUMENT: frozenset[Intent] = frozenset({"warranty_inquiry", "return_request"})


def about_purchases(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read a message as one about the customer's own purchases; None when it is something else."""
    return (
        _to_return_offer(extraction, state)
        or _second_fact(extraction, state)
        or _picked_invoice(extraction, state)
        or _own_purchases(extraction, state)
    )


def lost_the_paper(extraction: Extraction) -> bool:
    """Tell whether the customer has no number at hand: "perdí la boleta"."""
    return extraction.entities.invoice_number is None and _LOST.search(extraction.folded) is not None


def list_invoices() -> Action:
    """Return the look-up for a customer without his paper."""
    return Action(tool=INVOICES)


def _to_return_offer(extraction: Extraction, state: DialogueState) -> Understood | None:
    number = state.entities.invoice_number
    if state.pending != "return_offer" or number is None:
        return None
    if declines(extraction):
        return Understood("thanks_goodbye")
    if not agrees(extraction):
        return None
    # Who only claims to be the customer has named a second fact before: it proves the claim once more.
    named = {"purchase_date": state.entities.date, "total": state.entities.amount}
    params = {"kind": "return", "invoice_number": number, **_known(named), "confirmed": True}
    return Understood("return_request", invoice_number=number, action=Action(tool=TICKET, params=params))


def _known(params: dict[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in params.items() if value is not None}


def _second_fact(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read the day or the total that was asked for; the number is the one it was asked about."""
    number = extraction.entities.invoice_number or state.entities.invoice_number
    named = extraction.entities.date is not None or extraction.entities.amount is not None
    if state.pending != "invoice_fact" or number is None or not named:
        return None
    return Understood(_about_a_document(state), invoice_number=number, keeps=("amount", "date"))


def _picked_invoice(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read which of the listed purchases is meant; None when it fits none of them, or several."""
    if state.pending != "invoice_photo" or extraction.entities.invoice_number is not None:
        return None
    meant = _meant(extraction, state.invoices)
    return Understood(_about_a_document(state), invoice_number=meant[0].number) if len(meant) == 1 else None


def _meant(extraction: Extraction, invoices: Sequence[InvoiceEntry]) -> tuple[InvoiceEntry, ...]:
    """Return the purchases of a list, newest first, that a message names by day, total, article or place."""
    entities, plain = extraction.entities, plain_words(extraction)
    if entities.date is not None:
        return tuple(entry for entry in invoices if entry.date.isoformat() == entities.date) or tuple(
            # Of a day without its year the last one was read.
            entry
            for entry in invoices
            if entry.date.isoformat()[_YEAR:] == entities.date[_YEAR:]
        )
    if entities.amount is not None:
        return tuple(entry for entry in invoices if entry.total_price == entities.amount)
    if len(plain.split()) > _MOST_WORDS_OF_CHOICE:
        return ()
    if _LATEST.search(plain):
        return tuple(invoices[:1])
    places = chosen_places(plain, len(invoices))
    if places is not None:
        return tuple(invoices[place] for place in places)
    said = {word.rstrip("s") for word in plain.split() if len(word) >= _LEAST_LETTERS}
    return tuple(entry for entry in invoices if said & {word.rstrip("s") for word in fold(entry.product_name).split()})


def _about_a_document(state: DialogueState) -> Intent:
    return "return_request" if state.intent == "return_request" else "warranty_inquiry"


def _own_purchases(extraction: Extraction, state: DialogueState) -> Understood | None:
    if extraction.entities.invoice_number is not None:
        return None
    plain = extraction.folded.strip(" .!¡,")
    asked_for_paper = state.pending == "invoice_photo" and state.intent in _ABOUT_A_DOCUMENT
    if asked_for_paper and (_LOST_IT.match(plain) or lost_the_paper(extraction)):
        return Understood(_about_a_document(state), action=list_invoices())
    if _HISTORY.search(plain):
        return Understood("order_status", action=Action(tool=HISTORY))
    return None
