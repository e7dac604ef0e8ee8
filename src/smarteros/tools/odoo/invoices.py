"""``odoo_find_invoice``: the invoice on the customer's paper, told only to the customer it belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from smarteros.domain.errors import ConfigError
from smarteros.domain.knowledge import Policy
from smarteros.domain.product_names import match_name
from smarteros.domain.tenants import TenantScope
from smarteros.domain.tools import Identity, Invoice, InvoiceLookup
from smarteros.domain.warranty import WarrantyTerms, warranty_terms
from smarteros.tools.identity import WrongFacts, identity_of
from smarteros.tools.inputs import InvoiceInput, NumberedInput
from smarteros.tools.odoo.client import OdooClient, company_of
from smarteros.tools.odoo.customers import history_of
from smarteros.tools.odoo.dialects import SERVICE
from smarteros.tools.odoo.records import (
    LINES,
    MOVES,
    PARTNERS,
    PRODUCTS,
    Line,
    Move,
    Partner,
    ProductRecord,
    fields_of,
)
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun

MOST_HITS = 50
"""More invoices of one number than this are not told apart by what the customer knows of one of them."""
FOLIO_DIGITS = 6
"""The Chilean localisation writes folios with at least six digits: ``BEL 000001``."""
MOST_NAMES = 3

_LABEL = re.compile(r"^(?:n[°º]|n(?:[uú]me)?ro\.?|folio|#)\s*:?\s*", re.IGNORECASE)
_WILDCARD = re.compile(r"([\\%_])")

_SPEC = ToolSpec(
    name="odoo_find_invoice",
    title="Find an invoice",
    description=(
        "Find a sale by the number on its invoice or receipt, with warranty and return terms. Details are given only "
        "to the customer: known by the channel, or who also names the total or the day of the purchase."
    ),
    read_only=True,
    input_model=InvoiceInput,
    output_model=InvoiceLookup,
)


@dataclass(frozen=True)
class Sought:
    """What became of a number: how many invoices have it and, of exactly one, who may be asking.

    ``told`` says that the asker may hear of the invoice; ``asked_number`` is the number without its label.
    """

    asked_number: str
    hits: int
    move: Move | None = None
    partners: tuple[Partner, ...] = ()
    identity: Identity = "unknown"
    told: bool = False
    second_fact_needed: bool = False


@dataclass(frozen=True)
class InvoiceSearch:
    """Finds the one invoice of a number in one Odoo company, and tells whether the asker may hear of it."""

    client: OdooClient
    wrong_facts: WrongFacts = field(default_factory=WrongFacts)

    def seek(self, params: NumberedInput, run: ToolRun) -> Sought:
        """Look the number up. Of several invoices none is guessed; its customer is read of exactly one."""
        number = _LABEL.sub("", params.invoice_number)
        moves = _narrowed(self._search(run, number), params)
        shared = (run.tenant.tenant_id, number.casefold().lstrip("0"))
        if len(moves) != 1:
            if moves and _named_facts(params):
                self.wrong_facts.count(shared)  # it fits none, or not one: several invoices are no way to try more
            return Sought(number, len(moves))
        move = moves[0]
        partners = tuple(self._partners(run, move))
        identity = identity_of(run.context.contact, _phones(partners), [p.email for p in partners if p.email])
        record = (run.tenant.tenant_id, move.id)
        told, needed = identity == "verified", False
        if identity == "claimed" and not any(map(self.wrong_facts.too_many, (record, shared))):
            fits = _second_fact(move, params)
            told, needed = fits is True, fits is not True
            if fits is False:
                self.wrong_facts.count(record)
                needed = not self.wrong_facts.too_many(record)
        return Sought(number, 1, move, partners, identity, told=told, second_fact_needed=needed)

    def _search(self, run: ToolRun, number: str) -> list[Move]:
        arguments = {"domain": number_domain(number), "fields": fields_of(Move), "limit": MOST_HITS}
        moves = self.client.call(run.tenant, "account.move/search_read", arguments, MOVES, run.deadline)
        # Odoo confines the search already; a wrongly set up user must not widen it.
        return [move for move in moves if move.company_id[0] == company_of(run.tenant)]

    def _partners(self, run: ToolRun, move: Move) -> list[Partner]:
        ids = sorted({move.partner_id[0], move.commercial_partner_id[0]})
        arguments = {"ids": ids, "fields": fields_of(Partner)}
        return self.client.call(run.tenant, "res.partner/read", arguments, PARTNERS, run.deadline)

    def product_name(self, run: ToolRun, move: Move, printed_name: str | None = None) -> tuple[str, str | None]:
        """Name what was bought, and its SKU when it is one thing only."""
        lines = self._lines(run, move)
        products = self._products(run, [line.product_id[0] for line in lines if line.product_id])
        lines = _lines_meant(lines, products, printed_name)
        only = products.get(lines[0].product_id[0]) if len(lines) == 1 and lines[0].product_id else None
        return _product_name(lines, products), (only.default_code or None) if only else None

    def _lines(self, run: ToolRun, move: Move) -> list[Line]:
        domain = [["move_id", "=", move.id], ["display_type", "=", "product"]]
        arguments = {"domain": domain, "fields": fields_of(Line)}
        return self.client.call(run.tenant, "account.move.line/search_read", arguments, LINES, run.deadline)

    def _products(self, run: ToolRun, ids: list[int]) -> dict[int, ProductRecord]:
        if not ids:
            return {}
        arguments = {"ids": sorted(set(ids)), "fields": fields_of(ProductRecord)}
        found = self.client.call(run.tenant, "product.product/read", arguments, PRODUCTS, run.deadline)
        return {product.id: product for product in found}


@dataclass(frozen=True)
class InvoiceFinder:
    """The tool. ``policy_of`` gives the shop's own warranty and return periods."""

    search: InvoiceSearch
    policy_of: Callable[[TenantScope], Policy]

    def tool(self) -> EmbeddedTool[InvoiceInput]:
        """Offer the look-up as a tool. It has no fallback: personal data is not kept in a cache."""
        return EmbeddedTool(_SPEC, SERVICE, InvoiceInput, self.run)

    def run(self, params: InvoiceInput, run: ToolRun) -> InvoiceLookup:
        """Find the invoice; its details are read only after the asker turned out to be its customer.

        Who only claims to be hears of this invoice, not who its customer is nor what else he has bought.
        """
        sought = self.search.seek(params, run)
        lookup = InvoiceLookup(
            found=sought.hits > 0,
            ambiguous=sought.hits > 1,
            identity=sought.identity,
            identity_verified=sought.told,
            second_fact_needed=sought.second_fact_needed,
        )
        if sought.move is None or not sought.told:
            return lookup
        invoice = self._invoice(run, sought, sought.move, params.product_name)
        if sought.identity != "verified":
            return lookup.model_copy(update={"invoice": invoice})
        policy = self.policy_of(run.tenant.scope)
        buyers = [sought.move.commercial_partner_id[0]]
        history = history_of(self.search.client, run, buyers, policy)
        return lookup.model_copy(update={"invoice": invoice, "customer_history": history})

    def _terms(self, run: ToolRun, purchase: date, product_name: str) -> WarrantyTerms:
        policy = self.policy_of(run.tenant.scope).for_product(product_name)
        if policy.warranty_days is None or policy.return_days is None:
            sentence = f"The documents of {run.tenant.tenant_id} state no warranty_days or no return_days."
            raise ConfigError("policy_missing", sentence)
        return warranty_terms(
            purchase,
            run.context.today,
            warranty_days=policy.warranty_days,
            return_days=policy.return_days,
            at_a_distance=policy.withdrawal_days is not None,
        )

    def _invoice(self, run: ToolRun, sought: Sought, move: Move, printed_name: str | None) -> Invoice:
        product_name, sku = self.search.product_name(run, move, printed_name)
        buyer = next(partner for partner in sought.partners if partner.id == move.partner_id[0])
        known = sought.identity == "verified"
        return Invoice(
            record_id=move.id,
            number=move.number_like(sought.asked_number),
            date=move.invoice_date,
            customer_name=(buyer.name or move.partner_id[1]) if known else None,
            customer_phone=(buyer.phone_sanitized or buyer.phone or None) if known else None,
            product_name=product_name,
            product_sku=sku,
            price=move.total,
            currency=move.currency_id[1],
            **self._terms(run, move.invoice_date, product_name).model_dump(),
        )


def number_domain(number: str) -> list[Any]:
    """Return the Odoo domain of posted sales whose number is on the paper as ``number``.

    The folio field of the Chilean localisation is not stored and cannot be searched: the folio is the end of
    ``name``. The text is a stranger's, so the wildcards of ``=ilike`` in it are escaped.
    """
    text = _WILDCARD.sub(r"\\\1", number)
    alternatives = [
        ["name", "=ilike", text],
        ["ref", "=ilike", text],
        ["payment_reference", "=ilike", text],
        ["name", "=ilike", f"% {text}"],
    ]
    if number.isdecimal() and len(number) < FOLIO_DIGITS:
        alternatives.append(["name", "=ilike", f"% {number.zfill(FOLIO_DIGITS)}"])
    sales = [["move_type", "=", "out_invoice"], ["state", "=", "posted"]]
    return ["&", "&", *sales, *["|"] * (len(alternatives) - 1), *alternatives]


def _narrowed(moves: list[Move], params: NumberedInput) -> list[Move]:
    """Tell invoices of the same number apart by type, day and total; one that fits none is a misreading and ignored."""
    facts: tuple[tuple[object, Callable[[Move], object]], ...] = (
        (params.document_type, lambda move: move.document_type),
        (params.purchase_date, lambda move: move.invoice_date),
        (params.total, lambda move: move.total),
    )
    for said, of in facts:
        if said is not None and len(moves) > 1:
            moves = [move for move in moves if of(move) == said] or moves
    return moves


def _second_fact(move: Move, params: NumberedInput) -> bool | None:
    """Tell whether what was named besides the number is right; None when nothing was. Of two facts both must be."""
    said = _named_facts(params)
    return all(getattr(move, name) == value for name, value in said.items()) if said else None


def _named_facts(params: NumberedInput) -> dict[str, object]:
    """Return what was named besides the number, by the property of the invoice it is."""
    named = {"invoice_date": params.purchase_date, "total": params.total}
    return {name: value for name, value in named.items() if value is not None}


def _phones(partners: Iterable[Partner]) -> list[str]:
    return [phone for partner in partners for phone in (partner.phone, partner.phone_sanitized) if phone]


def _lines_meant(lines: list[Line], products: dict[int, ProductRecord], printed_name: str | None) -> list[Line]:
    """Keep the lines of the product on the customer's paper; all when it names none of them, or not just one."""
    if printed_name is None or len(lines) < 2:
        return lines
    meant = match_name(printed_name, [_name_of(line, products) for line in lines])
    return [line for line in lines if _name_of(line, products) == meant.name] or lines


def _name_of(line: Line, products: dict[int, ProductRecord]) -> str:
    product = products.get(line.product_id[0]) if line.product_id else None
    return product.name if product else line.name or ""


def _product_name(lines: list[Line], products: dict[int, ProductRecord]) -> str:
    """Name what was bought; of a long invoice the dearest products."""
    names: dict[str, None] = {}
    for line in sorted(lines, key=lambda line: -line.price_total):
        names.setdefault(_name_of(line, products))
    return ", ".join([name for name in names if name][:MOST_NAMES])
