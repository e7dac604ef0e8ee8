"""The records of one shop's Odoo, made from its catalogue, partners and invoices.

Customers whose history (``total_purchases``, ``total_returns``) is longer than the invoices of the demo get
older invoices and credit notes, so that counting them gives the right answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from smarteros_sandbox.odoo.fields import MODEL_LABELS, MODELS, MODULE_OF_MODEL
from smarteros_sandbox.shops.models import DemoShop, InvoiceSpec, PartnerSpec, VariantSpec

Record = dict[str, Any]
"""Field name to value: many2one as id, x2many as list of ids, empty as False."""
Tables = dict[str, dict[int, Record]]

CURRENCY_ID, CHILE_ID = 45, 46
BOT_ID, SELLER_ID = 2, 7
KEY_DAYS = 90
"""How long the key of an internal user lives (``api_key_duration`` of ``base_groups.xml``)."""
STAMP = "%Y-%m-%d %H:%M:%S"
# Ids, codes and names as l10n_cl installs them.
DOCUMENT_TYPES = {
    "33": (1, "FAC", "Electronic Invoice"),
    "39": (5, "BEL", "Electronic Receipt"),
    "61": (11, "NCE", "Electronic Credit Note"),
}
VAT_FACTOR = 1.19
# Invoices that only exist to fill up a customer's history.
FIRST_HISTORY_ID = 900_000
FIRST_HISTORY_FOLIO = 500_001
HISTORY_START = date(2023, 3, 1)


class RecordBuilder:
    """Builds all tables of one shop."""

    def __init__(self, shop: DemoShop) -> None:
        self._shop = shop
        self._tables: Tables = {model: {} for model in MODELS}
        self._variants: dict[str, VariantSpec] = {}
        self._products: dict[str, int] = {}
        self._history_ids = count(FIRST_HISTORY_ID + shop.spec.account_id * 10_000)
        self._history_folios = count(FIRST_HISTORY_FOLIO)
        self._refund_folios = count(1)

    def build(self) -> Tables:
        """The tables by model."""
        self._add_base()
        self._add_products()
        for partner in self._shop.partners:
            self._add_partner(partner)
        lines = count(self._shop.spec.odoo_first_line_id)
        for invoice in self._shop.invoices:
            if invoice.in_odoo:
                self._add_invoice(invoice, next(lines))
        for partner in self._shop.partners:
            self._add_history(partner)
        return self._tables

    def _add(self, table: str, record_id: int, **values: Any) -> Record:
        record: Record = {"id": record_id}
        for name, field in MODELS[table].items():
            record.setdefault(name, list[int]() if field.type.endswith("2many") else False)
        record.update(values)
        self._tables[table][record_id] = record
        return record

    def _add_base(self) -> None:
        spec = self._shop.spec
        self._add("res.currency", CURRENCY_ID, name="CLP", display_name="CLP", symbol="$")
        self._add("res.country", CHILE_ID, name="Chile", display_name="Chile", code="CL")
        company = {"name": spec.name, "display_name": spec.name, "vat": spec.rut}
        self._add("res.company", spec.odoo_company_id, **company, currency_id=CURRENCY_ID, country_id=CHILE_ID)
        for code, (type_id, prefix, name) in DOCUMENT_TYPES.items():
            title = f"({code}) {name}"
            values = {"name": name, "display_name": title, "code": code, "doc_code_prefix": prefix}
            self._add("l10n_latam.document.type", type_id, **values)
        for number, (model, label) in enumerate(MODEL_LABELS.items(), 1):
            if MODULE_OF_MODEL.get(model, "") in ("", *spec.odoo_modules):
                self._add("ir.model", number, name=label, display_name=label, model=model)
        self._add_users()

    def _add_users(self) -> None:
        spec = self._shop.spec
        people = ((BOT_ID, "SmarterOS", spec.odoo_login), (SELLER_ID, spec.agents[0].name, spec.agents[0].email))
        for number, name, login in people:
            values = {"name": name, "display_name": name, "login": login}
            self._add("res.users", number, **values, company_id=spec.odoo_company_id)
        now = datetime.now(UTC)
        self._add(
            "res.users.apikeys",
            1,
            name="SmarterOS",
            display_name="SmarterOS",
            user_id=BOT_ID,
            create_date=now.strftime(STAMP),
            expiration_date=(now + timedelta(days=KEY_DAYS)).strftime(STAMP),
        )

    def _add_products(self) -> None:
        ids = count(self._shop.spec.odoo_first_product_id)
        for product in self._shop.products:
            for variant in product.variants:
                record_id = next(ids)
                self._variants[variant.sku] = variant
                self._products[variant.sku] = record_id
                price = float(variant.price)
                self._add(
                    "product.product",
                    record_id,
                    default_code=variant.sku,
                    name=product.title,
                    display_name=f"[{variant.sku}] {product.title}",
                    lst_price=price,
                    list_price=price,
                    active=True,
                    sale_ok=True,
                    qty_available=float(variant.stock),
                )

    def _add_partner(self, partner: PartnerSpec) -> None:
        self._add(
            "res.partner",
            partner.id,
            name=partner.name,
            display_name=partner.name,
            phone=partner.phone or False,
            phone_sanitized=(partner.phone or "").replace(" ", "") or False,
            phone_mobile_search=(partner.phone or "").replace(" ", "") or False,
            email=partner.email or False,
            email_normalized=(partner.email or "").lower() or False,
            vat=partner.vat or False,
            active=True,
            lang="en_US",
            customer_rank=partner.total_purchases,
            commercial_partner_id=partner.id,
            country_id=CHILE_ID,
        )

    def _add_invoice(self, invoice: InvoiceSpec, line_id: int) -> None:
        if invoice.invoice_date is None:
            raise ValueError(f"{invoice.number} has no date: load it through load_shops")
        label = f"[{invoice.sku}] {invoice.product_name}"
        total = float(invoice.price * invoice.quantity)
        move = self._add_move(
            invoice.id, "out_invoice", invoice.document_type, invoice.folio, invoice.partner_id, total
        )
        self._date(move, invoice.invoice_date, invoice.due_date or invoice.invoice_date)
        move["ref"] = invoice.number
        self._add_line(line_id, move, invoice.sku, label, float(invoice.quantity), float(invoice.price))

    def _add_move(self, move_id: int, move_type: str, code: str, folio: int, partner_id: int, total: float) -> Record:
        type_id, prefix, _ = DOCUMENT_TYPES[code]
        number = f"{folio:06d}"
        name = f"{prefix} {number}"
        untaxed = float(round(total / VAT_FACTOR))
        return self._add(
            "account.move",
            move_id,
            name=name,
            display_name=name,
            payment_reference=name,
            partner_id=partner_id,
            commercial_partner_id=partner_id,
            amount_untaxed=untaxed,
            amount_tax=total - untaxed,
            amount_total=total,
            amount_residual=total,
            currency_id=CURRENCY_ID,
            payment_state="not_paid",
            state="posted",
            move_type=move_type,
            l10n_latam_document_number=number,
            l10n_latam_document_type_id=type_id,
            invoice_user_id=SELLER_ID,
            company_id=self._shop.spec.odoo_company_id,
        )

    def _add_line(self, line_id: int, move: Record, sku: str, label: str, quantity: float, price: float) -> None:
        total = quantity * price
        self._add(
            "account.move.line",
            line_id,
            display_name=f"{move['name']} {label}",
            move_id=move["id"],
            display_type="product",
            product_id=self._products.get(sku, False),
            name=label,
            quantity=quantity,
            price_unit=price,
            price_subtotal=float(round(total / VAT_FACTOR)),
            price_total=total,
            partner_id=move["partner_id"],
            company_id=move["company_id"],
            date=move["date"],
        )
        move["invoice_line_ids"] = [line_id]
        move["line_ids"] = [line_id]

    @staticmethod
    def _date(move: Record, day: date, due: date) -> None:
        move["invoice_date"] = move["date"] = day.isoformat()
        move["invoice_date_due"] = due.isoformat()

    def _add_history(self, partner: PartnerSpec) -> None:
        known = sum(one.partner_id == partner.id and one.in_odoo for one in self._shop.invoices)
        articles = self._articles(partner)
        for position in range(max(partner.total_purchases - known, partner.total_returns)):
            day = HISTORY_START + timedelta(days=31 * position + partner.id % 28)
            bought = self._add_past_move("out_invoice", "39", next(self._history_folios), partner, articles, day)
            if position < partner.total_returns:
                day += timedelta(days=9)
                refund = self._add_past_move("out_refund", "61", next(self._refund_folios), partner, articles, day)
                refund["reversed_entry_id"] = bought["id"]
                bought["reversal_move_ids"] = [refund["id"]]

    def _articles(self, partner: PartnerSpec) -> Iterator[VariantSpec]:
        variants = list(self._variants.values())
        return (variants[(partner.id * 7 + step * 5) % len(variants)] for step in count())

    def _add_past_move(
        self,
        move_type: str,
        code: str,
        folio: int,
        partner: PartnerSpec,
        articles: Iterator[VariantSpec],
        day: date,
    ) -> Record:
        variant = next(articles)
        move_id = next(self._history_ids)
        price = float(variant.price)
        move = self._add_move(move_id, move_type, code, folio, partner.id, price)
        self._date(move, day, day)
        label = self._tables["product.product"][self._products[variant.sku]]["display_name"]
        self._add_line(move_id, move, variant.sku, label, 1.0, price)
        return move
