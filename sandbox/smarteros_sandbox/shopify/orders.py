"""Demo orders, made from the shop's invoices."""

from __future__ import annotations

from decimal import Decimal

from smarteros_sandbox.shopify.admin_catalogue import AdminCatalogue
from smarteros_sandbox.shopify.connections import Node, connection_field, later, list_field
from smarteros_sandbox.shopify.documents import Indexed
from smarteros_sandbox.shopify.search import Document, words
from smarteros_sandbox.shopify.values import gid, money, money_bag, noon
from smarteros_sandbox.shops.models import DemoShop, InvoiceSpec, PartnerSpec

FIRST_ORDER_NUMBER = 1001
FIRST_ORDER_ID = 5_500_000_000_000


def order_index(shop: DemoShop, catalogue: AdminCatalogue) -> list[Indexed]:
    """One paid order per invoice of the shop; the last one has not been dispatched yet."""
    partners = {partner.id: partner for partner in shop.partners}
    variants = {variant.sku: variant for product in shop.products for variant in product.variants}
    known = [invoice for invoice in shop.invoices if invoice.in_odoo]
    index: list[Indexed] = []
    for position, invoice in enumerate(known):
        variant = catalogue.variant_node(variants[invoice.sku].id)
        fulfilled = position < len(known) - 1
        node = _order_node(shop, position, invoice, partners[invoice.partner_id], variant, fulfilled=fulfilled)
        index.append(Indexed(node, _order_document(node, invoice)))
    return index


def _order_node(
    shop: DemoShop,
    position: int,
    invoice: InvoiceSpec,
    partner: PartnerSpec,
    variant: Node | None,
    *,
    fulfilled: bool,
) -> Node:
    number = FIRST_ORDER_ID + shop.spec.account_id * 10**6 + position
    total = invoice.price * invoice.quantity
    created = noon(invoice.invoice_date) if invoice.invoice_date else None
    line = order_line("LineItem", number * 10, invoice.product_name, invoice.quantity, invoice.price, variant)
    return {
        "__typename": "Order",
        "id": gid("Order", number),
        "legacyResourceId": str(number),
        "name": f"#{FIRST_ORDER_NUMBER + position}",
        "number": FIRST_ORDER_NUMBER + position,
        "createdAt": created,
        "processedAt": created,
        "updatedAt": created,
        "email": partner.email,
        "phone": partner.phone,
        "customer": _customer(partner),
        "currencyCode": "CLP",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED" if fulfilled else "UNFULFILLED",
        "fullyPaid": True,
        "totalPriceSet": money_bag(total),
        "currentTotalPriceSet": money_bag(total),
        "subtotalPriceSet": money_bag(total),
        "lineItems": connection_field(lambda: [line]),
        "fulfillments": list_field([_fulfillment(number, created)] if fulfilled else []),
        "statusPageUrl": later(lambda: f"https://{shop.spec.store_domain}/account/orders/{number}"),
    }


def _fulfillment(order_number: int, created: str | None) -> Node:
    tracking = f"CHX{order_number % 10**9:09d}"
    return {
        "id": gid("Fulfillment", order_number + 10**11),
        "status": "SUCCESS",
        "displayStatus": "DELIVERED",
        "createdAt": created,
        "trackingInfo": list_field([{"company": "Chilexpress", "number": tracking, "url": None}]),
    }


def _customer(partner: PartnerSpec) -> Node:
    first, _, last = partner.name.partition(" ")
    return {
        "id": gid("Customer", 6_600_000_000_000 + partner.id),
        "displayName": partner.name,
        "firstName": first,
        "lastName": last or None,
        "numberOfOrders": str(partner.total_purchases),
        "email": partner.email,
        "phone": partner.phone,
        "defaultEmailAddress": {"emailAddress": partner.email} if partner.email else None,
        "defaultPhoneNumber": {"phoneNumber": partner.phone} if partner.phone else None,
    }


def _order_document(node: Node, invoice: InvoiceSpec) -> Document:
    total = (Decimal(invoice.price * invoice.quantity),)
    dated = (node["createdAt"] or "",)
    return Document(
        exact={
            # Both "name:#1001" and "name:1001" are used in Shopify's examples.
            "name": (node["name"], node["name"].lstrip("#")),
            "email": (node["email"] or "",),
            "phone": (node["phone"] or "",),
            "sku": (invoice.sku,),
            "financial_status": ("paid",),
            "fulfillment_status": ("shipped", "fulfilled")
            if node["displayFulfillmentStatus"] == "FULFILLED"
            else ("unshipped", "unfulfilled"),
            "status": ("open", "any"),
            "tag": (),
            "created_at": dated,
            "processed_at": dated,
            "updated_at": dated,
        },
        text={},
        numbers={
            "id": (Decimal(node["legacyResourceId"]),),
            "customer_id": (Decimal(node["customer"]["id"].rsplit("/", 1)[-1]),),
            "total_price": total,
            "current_total_price": total,
        },
        default=dict.fromkeys(
            words(f"{node['name']} {node['email']} {node['customer']['displayName']} {invoice.product_name}"), 1
        ),
    )


def order_line(kind: str, number: int, title: str, quantity: int, price: int, variant: Node | None) -> Node:
    """A ``LineItem`` or ``DraftOrderLineItem``; without a variant it is a custom article."""
    return {
        "__typename": kind,
        "id": gid(kind, number),
        "title": title,
        "name": title if variant is None else f"{title} - {variant['title']}",
        "quantity": quantity,
        "currentQuantity": quantity,
        "sku": None if variant is None else variant["sku"],
        "variantTitle": None if variant is None else variant["title"],
        "variant": variant,
        "product": None if variant is None else variant["product"],
        "originalUnitPriceSet": money_bag(price),
        "discountedUnitPriceSet": money_bag(price),
        "originalUnitPriceWithCurrency": money(price),
        "originalTotalSet": money_bag(price * quantity),
        "discountedTotalSet": money_bag(price * quantity),
    }
