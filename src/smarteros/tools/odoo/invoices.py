"""``odoo_find_invoice``: the invoice on the customer's paper, told only to the customer it belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from smarteros.domain.errors import ConfigError
from smarteros.domain.knowledge import Policy
from smarteros.domain.product_names import match_name
from smarteros.domain.tenants import TenantScope
from smarteros.domain.tools import CustomerHistory, Invoice, InvoiceLookup
from smarteros.domain.warranty import WarrantyTerms, warranty_terms
from smarteros.tools.identity import is_same_person
from smarteros.tools.inputs import InvoiceInput
from smarteros.tools.odoo.client import SERVICE, OdooClient, company_of
from smarteros.tools.odoo.records import (
    COUNT,
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

MOST_HITS = 5
FOLIO_DIGITS = 6
"""The Chilean localisation writes folios with at least six digits: ``BEL 000001``."""
REGULAR_FROM_PURCHASES = 2
FREQUENT_FROM_PURCHASES = 10
MOST_NAMES = 3

_LABEL = re.compile(r"^(?:n[°º]|n(?:[uú]me)?ro\.?|folio|#)\s*:?\s*", re.IGNORECASE)
_WILDCARD = re.compile(r"([\\%_])")

_SPEC = ToolSpec(
    name="odoo_find_invoice",
    title="Find an invoice",
    description=(
        "Find a sale by the number on its invoice or receipt, with warranty and return terms. Details are given only "
        "when the asker's phone or e-mail is the customer's."
    ),
    read_only=True,
    input_model=InvoiceInput,
    output_model=InvoiceLookup,
)


@dataclass(frozen=True)
class InvoiceFinder:
    """Finds invoices of one Odoo company. ``policy_of`` gives the shop's own warranty and return periods."""

    client: OdooClient
    policy_of: Callable[[TenantScope], Policy]

    def tool(self) -> EmbeddedTool[InvoiceInput]:
        """Offer the look-up as a tool. It has no fallback: personal data is not kept in a cache."""
        return EmbeddedTool(_SPEC, SERVICE, InvoiceInput, self.run)

    def run(self, params: InvoiceInput, run: ToolRun) -> InvoiceLookup:
        """Find the invoice; its details are read only after the asker turned out to be its customer."""
        number = _LABEL.sub("", params.invoice_number)
        moves = _narrowed(self._search(run, number), params.purchase_date)
        if len(moves) != 1:
            return InvoiceLookup(found=bool(moves), ambiguous=len(moves) > 1)
        move = moves[0]
        partners = self._partners(run, move)
        if not _is_customer(run, partners):
            return InvoiceLookup(found=True)
        return InvoiceLookup(
            found=True,
            identity_verified=True,
            invoice=self._invoice(run, move, partners, number, params.product_name),
            customer_history=self._history(run, move.commercial_partner_id[0]),
        )

    def _search(self, run: ToolRun, number: str) -> list[Move]:
        arguments = {"domain": number_domain(number), "fields": fields_of(Move), "limit": MOST_HITS}
        moves = self.client.call(run.tenant, "account.move/search_read", arguments, MOVES, run.deadline)
        # Odoo confines the search already; a wrongly set up user must not widen it.
        return [move for move in moves if move.company_id[0] == company_of(run.tenant)]

    def _partners(self, run: ToolRun, move: Move) -> list[Partner]:
        ids = sorted({move.partner_id[0], move.commercial_partner_id[0]})
        arguments = {"ids": ids, "fields": fields_of(Partner)}
        return self.client.call(run.tenant, "res.partner/read", arguments, PARTNERS, run.deadline)

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

    def _invoice(
        self, run: ToolRun, move: Move, partners: list[Partner], number: str, printed_name: str | None
    ) -> Invoice:
        lines = self._lines(run, move)
        products = self._products(run, [line.product_id[0] for line in lines if line.product_id])
        lines = _lines_meant(lines, products, printed_name)
        product_name = _product_name(lines, products)
        buyer = next(partner for partner in partners if partner.id == move.partner_id[0])
        only = products.get(lines[0].product_id[0]) if len(lines) == 1 and lines[0].product_id else None
        return Invoice(
            number=move.number_like(number),
            date=move.invoice_date,
            customer_name=buyer.name or move.partner_id[1],
            customer_phone=buyer.phone_sanitized or buyer.phone or None,
            product_name=product_name,
            product_sku=(only.default_code or None) if only else None,
            price=round(move.amount_total),
            currency=move.currency_id[1],
            **self._terms(run, move.invoice_date, product_name).model_dump(),
        )

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

    def _history(self, run: ToolRun, partner_id: int) -> CustomerHistory:
        purchases = self._count(run, partner_id, "out_invoice")
        returns = self._count(run, partner_id, "out_refund")
        return CustomerHistory(total_purchases=purchases, total_returns=returns, customer_tier=tier_of(purchases))

    def _count(self, run: ToolRun, partner_id: int, move_type: str) -> int:
        domain = [
            ["commercial_partner_id", "=", partner_id],
            ["move_type", "=", move_type],
            ["state", "=", "posted"],
        ]
        return self.client.call(run.tenant, "account.move/search_count", {"domain": domain}, COUNT, run.deadline)


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


def tier_of(purchases: int) -> Literal["new", "regular", "frequent"]:
    """Rank a customer by the number of purchases. Odoo has no such field; the rule is ours."""
    if purchases >= FREQUENT_FROM_PURCHASES:
        return "frequent"
    return "regular" if purchases >= REGULAR_FROM_PURCHASES else "new"


def _narrowed(moves: list[Move], purchase_date: date | None) -> list[Move]:
    """Tell invoices of the same number apart by their day; a day that fits none is a misreading and ignored."""
    if len(moves) < 2 or purchase_date is None:
        return moves
    return [move for move in moves if move.invoice_date == purchase_date] or moves


def _is_customer(run: ToolRun, partners: list[Partner]) -> bool:
    phones = [phone for partner in partners for phone in (partner.phone, partner.phone_sanitized) if phone]
    emails = [partner.email for partner in partners if partner.email]
    return is_same_person(run.context.contact, phones, emails)


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
