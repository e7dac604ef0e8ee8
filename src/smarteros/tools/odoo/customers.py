"""``odoo_customer_history`` and ``odoo_list_invoices_by_contact``: what the asker himself has bought.

Neither takes a customer as a parameter: the customer is who writes, as the channel vouches for it. Of a claim alone
nothing is told, for there is no invoice to name a second fact of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import TenantScope
from smarteros.domain.tools import CustomerHistory, CustomerPurchases, Identity, InvoiceEntry, InvoiceList
from smarteros.tools.identity import addresses, e164, identity_of
from smarteros.tools.inputs import HistoryInput, InvoiceListInput
from smarteros.tools.odoo.client import OdooClient, company_of
from smarteros.tools.odoo.dialects import SERVICE
from smarteros.tools.odoo.records import (
    COUNT,
    LINES_OF_MOVES,
    MOVES,
    PARTNERS_OF_COMPANY,
    LineOfMove,
    Move,
    PartnerOfCompany,
    fields_of,
)
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun

MOST_PARTNERS = 20
LAST_PURCHASES = 3
MOST_NAMES = 3
NEWEST_FIRST = "invoice_date desc, id desc"

_HISTORY = ToolSpec(
    name="odoo_customer_history",
    title="Purchases of the customer",
    description=(
        "How much the customer who writes has bought and given back, his tier, and his last purchases. Told only when "
        "the channel vouches for who writes."
    ),
    read_only=True,
    input_model=HistoryInput,
    output_model=CustomerPurchases,
)
_LIST = ToolSpec(
    name="odoo_list_invoices_by_contact",
    title="Invoices of the contact",
    description=(
        "Invoices and receipts of the customer who writes, newest first: for one who does not have the number at hand. "
        "Told only when the channel vouches for who writes."
    ),
    read_only=True,
    input_model=InvoiceListInput,
    output_model=InvoiceList,
)


@dataclass(frozen=True)
class _Asker:
    """The customer records of who writes. Empty unless his identity is verified."""

    identity: Identity
    partners: tuple[PartnerOfCompany, ...] = ()

    @property
    def ids(self) -> list[int]:
        return sorted(partner.id for partner in self.partners)

    @property
    def companies(self) -> list[int]:
        return sorted({partner.commercial_partner_id[0] for partner in self.partners})


@dataclass(frozen=True)
class CustomerTools:
    """The two tools of one Odoo. ``policy_of`` gives the shop's rule for tiers."""

    client: OdooClient
    policy_of: Callable[[TenantScope], Policy]

    def history(self) -> EmbeddedTool[HistoryInput]:
        """Offer the history. It has no fallback: personal data is not kept in a cache."""
        return EmbeddedTool(_HISTORY, SERVICE, HistoryInput, self.run_history)

    def invoices(self) -> EmbeddedTool[InvoiceListInput]:
        """Offer the list, for the same reason without fallback."""
        return EmbeddedTool(_LIST, SERVICE, InvoiceListInput, self.run_list)

    def run_history(self, _params: HistoryInput, run: ToolRun) -> CustomerPurchases:
        """Count what the customer's company or he himself has bought, and name the last things he himself has."""
        asker = self._asker(run)
        if asker.identity != "verified":
            return CustomerPurchases(identity=asker.identity)
        moves = self._moves(run, asker, LAST_PURCHASES)
        names = self._names(run, moves)
        return CustomerPurchases(
            identity=asker.identity,
            history=history_of(self.client, run, asker.companies, self.policy_of(run.tenant.scope)),
            last_purchases=tuple(_entry(move, names.get(move.id, "")) for move in moves),
        )

    def run_list(self, params: InvoiceListInput, run: ToolRun) -> InvoiceList:
        """List the asker's own invoices, not those of others in his company."""
        asker = self._asker(run)
        if asker.identity != "verified":
            return InvoiceList(identity=asker.identity)
        moves = self._moves(run, asker, params.limit)
        total = self.client.call(
            run.tenant, "account.move/search_count", {"domain": _sales(asker)}, COUNT, run.deadline
        )
        return InvoiceList(identity=asker.identity, invoices=tuple(_entry(move) for move in moves), total=total)

    def _asker(self, run: ToolRun) -> _Asker:
        contact = run.context.contact
        domain = _reached_by(contact)
        if domain is None:
            return _Asker("unknown")
        arguments = {"domain": domain, "fields": fields_of(PartnerOfCompany), "limit": MOST_PARTNERS}
        found = self.client.call(run.tenant, "res.partner/search_read", arguments, PARTNERS_OF_COMPANY, run.deadline)
        known = {partner.id: _identity(contact, partner) for partner in found}
        own = tuple(partner for partner in found if known[partner.id] == "verified")
        if own:
            return _Asker("verified", own)
        return _Asker("claimed" if "claimed" in known.values() else "unknown")

    def _moves(self, run: ToolRun, asker: _Asker, limit: int) -> list[Move]:
        arguments = {"domain": _sales(asker), "fields": fields_of(Move), "limit": limit, "order": NEWEST_FIRST}
        moves = self.client.call(run.tenant, "account.move/search_read", arguments, MOVES, run.deadline)
        return [move for move in moves if move.company_id[0] == company_of(run.tenant)]

    def _names(self, run: ToolRun, moves: Sequence[Move]) -> dict[int, str]:
        """Name what was bought with each invoice: the dearest things first."""
        if not moves:
            return {}
        domain = [["move_id", "in", [move.id for move in moves]], ["display_type", "=", "product"]]
        arguments = {"domain": domain, "fields": fields_of(LineOfMove)}
        lines = self.client.call(run.tenant, "account.move.line/search_read", arguments, LINES_OF_MOVES, run.deadline)
        names: dict[int, dict[str, None]] = {}
        for line in sorted(lines, key=lambda line: -line.price_total):
            # The display name of an article begins with its SKU: "[ZRA-42] Zapatilla Running Azul".
            named = (line.product_id[1] if line.product_id else line.name or "").rpartition("] ")[2]
            names.setdefault(line.move_id[0], {}).setdefault(named)
        return {move: ", ".join([name for name in of if name][:MOST_NAMES]) for move, of in names.items()}


def history_of(client: OdooClient, run: ToolRun, companies: Sequence[int], policy: Policy) -> CustomerHistory:
    """Count the posted sales and refunds of commercial partners, and rank them by the shop's rule."""

    def count(move_type: str) -> int:
        one = len(companies) == 1
        whose: list[Any] = ["commercial_partner_id", "=" if one else "in", companies[0] if one else list(companies)]
        domain = [whose, ["move_type", "=", move_type], ["state", "=", "posted"]]
        return client.call(run.tenant, "account.move/search_count", {"domain": domain}, COUNT, run.deadline)

    purchases, returns = count("out_invoice"), count("out_refund")
    return CustomerHistory(total_purchases=purchases, total_returns=returns, customer_tier=tier_of(purchases, policy))


def tier_of(purchases: int, policy: Policy) -> Literal["new", "regular", "frequent"]:
    """Rank a customer by the number of purchases. Odoo has no such field; the rule is in the tenant's policy."""
    if purchases >= policy.frequent_from_purchases:
        return "frequent"
    return "regular" if purchases >= policy.regular_from_purchases else "new"


def _sales(asker: _Asker) -> list[Any]:
    return [["partner_id", "in", asker.ids], ["move_type", "=", "out_invoice"], ["state", "=", "posted"]]


def _reached_by(contact: Contact) -> list[Any] | None:
    """Return the domain of the customers with what the contact is or says he is reached by; None without any."""
    said = [text for text in (contact.proven, contact.phone, contact.email) if text]
    phones = sorted({number for text in said if "@" not in text and (number := e164(text))})
    emails = sorted({address for text in said for address in addresses(text)})
    ways = [*(["phone_sanitized", "=", phone] for phone in phones), *(["email_normalized", "=", e] for e in emails)]
    return ["|"] * (len(ways) - 1) + ways if ways else None


def _identity(contact: Contact, partner: PartnerOfCompany) -> Identity:
    phones = [phone for phone in (partner.phone, partner.phone_sanitized) if phone]
    return identity_of(contact, phones, [partner.email] if partner.email else [])


def _entry(move: Move, product_name: str = "") -> InvoiceEntry:
    return InvoiceEntry(
        number=move.number,
        date=move.invoice_date,
        document_type=move.document_type,
        product_name=product_name,
        total_price=move.total,
        currency=move.currency_id[1],
    )
