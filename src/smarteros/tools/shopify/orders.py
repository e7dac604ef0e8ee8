"""``shopify_order_status``: where an order is, told to its customer only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from pydantic import AliasPath, BaseModel, Field

from smarteros.domain.errors import PermanentError, RejectedInputError
from smarteros.domain.messages import Contact
from smarteros.domain.tools import DeliveryStatus, Order, OrderLine, OrderLookup, PaymentStatus, Tracking
from smarteros.kit.clock import in_santiago
from smarteros.tools.identity import e164, is_same_person
from smarteros.tools.inputs import OrderInput
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.shopify.answers import amount
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.credentials import SERVICE

ORDERS_DOCUMENT = """
query ReadOrders($query: String!, $first: Int!) {
  orders(first: $first, query: $query, sortKey: CREATED_AT, reverse: true) {
    nodes {
      name createdAt cancelledAt email phone displayFinancialStatus displayFulfillmentStatus
      customer { defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } }
      currentTotalPriceSet { shopMoney { amount currencyCode } }
      lineItems(first: 20) { nodes { title variantTitle currentQuantity } }
      fulfillments(first: 5) { displayStatus trackingInfo(first: 5) { company number url } }
    }
  }
}
"""
_MOST = 5
_PARCEL: dict[str, DeliveryStatus] = {
    "DELIVERED": "delivered",
    "PICKED_UP": "delivered",
    "OUT_FOR_DELIVERY": "out_for_delivery",
    "IN_TRANSIT": "in_transit",
    "CARRIER_PICKED_UP": "in_transit",
    "ATTEMPTED_DELIVERY": "in_transit",
    "DELAYED": "in_transit",
}
"""What Shopify's display status of a parcel means to a customer; all others: it has been sent."""

_SPEC = ToolSpec(
    name="shopify_order_status",
    title="Where is my order",
    description=(
        "Find an order by its number, or the customer's latest one, and tell payment, dispatch and tracking. Details "
        "are given only when the conversation's phone or e-mail is the order's."
    ),
    read_only=True,
    input_model=OrderInput,
    output_model=OrderLookup,
)


class _Money(BaseModel):
    amount: Decimal
    currencyCode: str


class _Line(BaseModel):
    title: str
    variantTitle: str | None
    currentQuantity: int


class _Fulfillment(BaseModel):
    displayStatus: str | None
    trackingInfo: list[Tracking]


class _Customer(BaseModel):
    email: str | None = Field(default=None, validation_alias=AliasPath("defaultEmailAddress", "emailAddress"))
    phone: str | None = Field(default=None, validation_alias=AliasPath("defaultPhoneNumber", "phoneNumber"))


class _Order(BaseModel):
    """An order as Shopify tells it. Phone and e-mail may be the order's own or the customer's."""

    name: str
    createdAt: datetime
    cancelledAt: datetime | None
    email: str | None
    phone: str | None
    displayFinancialStatus: str | None
    displayFulfillmentStatus: str
    customer: _Customer | None
    total: _Money = Field(validation_alias=AliasPath("currentTotalPriceSet", "shopMoney"))
    lines: list[_Line] = Field(validation_alias=AliasPath("lineItems", "nodes"))
    fulfillments: list[_Fulfillment]

    def is_of(self, contact: Contact) -> bool:
        """Tell whether the contact's phone or e-mail is the order's or its customer's."""
        customer = self.customer or _Customer()
        phones = [phone for phone in (self.phone, customer.phone) if phone]
        emails = [email for email in (self.email, customer.email) if email]
        return is_same_person(contact, phones, emails)

    def in_our_terms(self) -> Order:
        """Return what its customer may hear."""
        return Order(
            number=self.name,
            placed_on=in_santiago(self.createdAt).date(),
            payment=cast(PaymentStatus, (self.displayFinancialStatus or "PENDING").lower()),
            delivery=self._delivery(),
            lines=tuple(
                OrderLine(title=line.title, variant=line.variantTitle or "", quantity=line.currentQuantity)
                for line in self.lines
                if line.currentQuantity > 0
            ),
            total_price=amount(self.total.amount, self.total.currencyCode),
            currency=self.total.currencyCode,
            tracking=tuple(info for parcel in self.fulfillments for info in parcel.trackingInfo),
        )

    def _delivery(self) -> DeliveryStatus:
        if self.cancelledAt is not None:
            return "cancelled"
        if self.displayFulfillmentStatus == "PARTIALLY_FULFILLED":
            return "partial"
        if not self.fulfillments or self.displayFulfillmentStatus != "FULFILLED":
            return "unfulfilled"
        parcels: set[DeliveryStatus] = {
            _PARCEL.get(parcel.displayStatus or "", "shipped") for parcel in self.fulfillments
        }
        return parcels.pop() if len(parcels) == 1 else "partial" if "delivered" in parcels else "shipped"


class OrdersAnswer(BaseModel):
    """Data of ORDERS_DOCUMENT, the latest order first."""

    orders: list[_Order] = Field(validation_alias=AliasPath("orders", "nodes"))


@dataclass(frozen=True)
class OrderReader:
    """Reads orders. There is no fallback: where a parcel was yesterday is no answer."""

    client: ShopifyClient

    def tool(self) -> EmbeddedTool[OrderInput]:
        """Offer the reading as a tool."""
        return EmbeddedTool(_SPEC, SERVICE, OrderInput, self.run)

    def run(self, params: OrderInput, run: ToolRun) -> OrderLookup:
        """Find the order; its details are in the answer only when the asker is its customer."""
        if run.tenant.shop_door == "ucp":
            raise RejectedInputError("orders_not_told", "Without credentials the shop tells nobody's orders.")
        contact = run.context.contact
        if params.order_number is not None:
            orders = self._read(f"name:{params.order_number.lstrip('#')}", run)
            wanted = params.order_number.lstrip("#").casefold()
            orders = [order for order in orders if order.name.lstrip("#").casefold() == wanted]
        else:
            who = _search_for(contact)
            orders = [order for order in self._read(who, run) if order.is_of(contact)] if who else []
        if not orders:
            return OrderLookup()
        own = next((order for order in orders if order.is_of(contact)), None)
        if own is None:
            return OrderLookup(found=True)
        if own.displayFinancialStatus is not None and own.displayFinancialStatus not in _PAYMENTS:
            raise PermanentError("shopify_answer_unreadable", "Shopify names a payment status we do not know.")
        return OrderLookup(found=True, identity_verified=True, order=own.in_our_terms())

    def _read(self, query: str, run: ToolRun) -> list[_Order]:
        variables = {"query": query, "first": _MOST}
        return self.client.query(run.tenant, ORDERS_DOCUMENT, variables, OrdersAnswer, run.deadline).orders


_PAYMENTS = frozenset(
    {
        *("AUTHORIZED", "EXPIRED", "PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "PENDING", "REFUNDED", "VOIDED"),
    }
)


def _search_for(contact: Contact) -> str | None:
    """Write the search for a contact's orders, quoted: what a stranger calls his e-mail must not act as syntax."""
    phone = e164(contact.phone or "")
    email = (contact.email or "").strip()
    conditions = [f'phone:"{phone}"'] if phone else []
    conditions += [f'email:"{email}"'] if email and not set(email) & set('"\\\\ ') else []
    return " OR ".join(conditions) or None
