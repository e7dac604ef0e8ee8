"""Where an order is: told to its customer, and to nobody else."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from smarteros.domain.messages import Contact
from smarteros.kit.http import HttpClient
from smarteros.tools.deadline import Deadline
from smarteros.tools.inputs import OrderInput
from smarteros.tools.protocol import ToolContext
from smarteros.tools.registry import ToolRun
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.orders import OrderReader

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback, MemorySecrets

    from smarteros.domain.tenants import Tenant


def an_order(name: str = "#1001", **changes: Any) -> dict[str, Any]:
    order = {
        "name": name,
        "createdAt": "2026-11-01T01:30:00Z",
        "cancelledAt": None,
        "email": None,
        "phone": "+56912345678",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "customer": None,
        "currentTotalPriceSet": {"shopMoney": {"amount": "39990.0", "currencyCode": "CLP"}},
        "lineItems": {
            "nodes": [
                {"title": "Zapatilla Running Azul", "variantTitle": "42 / Azul", "currentQuantity": 1},
                {"title": "Devuelta", "variantTitle": None, "currentQuantity": 0},
            ]
        },
        "fulfillments": [
            {
                "displayStatus": "IN_TRANSIT",
                "trackingInfo": [{"company": "Chilexpress", "number": "CHX1", "url": None}],
            }
        ],
    }
    return {**order, **changes}


@pytest.fixture
def orders(http: HttpClient, secrets: MemorySecrets) -> OrderReader:
    return OrderReader(ShopifyClient(http, secrets))


def serve(server: Loopback, *nodes: dict[str, Any]) -> None:
    server.respond = lambda _: (200, {"data": {"orders": {"nodes": list(nodes)}}})


def asked_by(tenant: Tenant, phone: str | None = None, email: str | None = None, proven: str | None = None) -> ToolRun:
    contact = Contact(id=1, phone=phone, email=email, proven=proven)
    context = ToolContext(conversation_id=1, contact=contact, today=date(2026, 11, 23))
    return ToolRun(tenant, context, Deadline.after(5))


def by_whatsapp(tenant: Tenant) -> ToolRun:
    return asked_by(tenant, phone="+56912345678", proven="+56912345678")


def test_its_customer_hears_payment_delivery_lines_and_tracking(
    orders: OrderReader, server: Loopback, tenant: Tenant
) -> None:
    serve(server, an_order())
    found = orders.run(OrderInput(order_number="1001"), by_whatsapp(tenant))
    assert found.identity_verified
    assert found.order is not None
    assert found.order.placed_on == date(2026, 10, 31), "half past one in London is the evening before in Chile"
    assert (found.order.payment, found.order.delivery, found.order.total_price) == ("paid", "in_transit", 39990)
    assert [line.title for line in found.order.lines] == ["Zapatilla Running Azul"]
    assert found.order.tracking[0].number == "CHX1"


@pytest.mark.parametrize(
    ("phone", "email", "proven"),
    [
        ("+56987654321", None, "+56987654321"),
        (None, None, None),
        ("+56912345678", "maria@example.cl", None),
        (None, "maria@example.cl", "otro@example.cl"),
    ],
)
def test_nobody_else_hears_more_than_that_there_is_one(
    orders: OrderReader, server: Loopback, tenant: Tenant, phone: str | None, email: str | None, proven: str | None
) -> None:
    serve(server, an_order(email="maria@example.cl"))
    found = orders.run(OrderInput(order_number="#1001"), asked_by(tenant, phone, email, proven))
    assert (found.found, found.identity_verified, found.order) == (True, False, None)


def test_the_order_of_another_number_is_no_answer(orders: OrderReader, server: Loopback, tenant: Tenant) -> None:
    serve(server, an_order("#10011"))
    assert not orders.run(OrderInput(order_number="1001"), by_whatsapp(tenant)).found


def test_without_a_number_the_askers_latest_order_is_meant(
    orders: OrderReader, server: Loopback, tenant: Tenant
) -> None:
    serve(server, an_order("#9", phone="+56900000000"), an_order("#8"), an_order("#7"))
    found = orders.run(OrderInput(), by_whatsapp(tenant))
    assert found.order is not None
    assert found.order.number == "#8"
    assert server.requests[0].body["variables"]["query"] == 'phone:"+56912345678"'


def test_who_has_neither_phone_nor_address_has_no_latest_order_and_the_shop_is_not_asked(
    orders: OrderReader, server: Loopback, tenant: Tenant
) -> None:
    assert not orders.run(OrderInput(), asked_by(tenant)).found
    assert server.requests == []


@pytest.mark.parametrize("email", ['x" OR status:any OR "', "a b@c.cl", "x\\@y.cl"])
def test_an_address_that_would_be_syntax_is_not_searched_for(
    orders: OrderReader, server: Loopback, tenant: Tenant, email: str
) -> None:
    assert not orders.run(OrderInput(), asked_by(tenant, email=email, proven=email)).found
    assert server.requests == []


@pytest.mark.parametrize("number", ["1001 OR status:any", "*", "name:1", "a" * 40, "1001\n"])
def test_a_number_that_would_be_syntax_is_refused(number: str) -> None:
    try:
        assert OrderInput(order_number=number).order_number == number.strip()
        assert number.strip().isalnum()
    except ValidationError:
        pass


@pytest.mark.parametrize(
    ("changes", "delivery"),
    [
        ({"cancelledAt": "2026-11-02T00:00:00Z"}, "cancelled"),
        ({"displayFulfillmentStatus": "UNFULFILLED", "fulfillments": []}, "unfulfilled"),
        ({"displayFulfillmentStatus": "PARTIALLY_FULFILLED"}, "partial"),
        ({"fulfillments": [{"displayStatus": "DELIVERED", "trackingInfo": []}]}, "delivered"),
        ({"fulfillments": [{"displayStatus": "OUT_FOR_DELIVERY", "trackingInfo": []}]}, "out_for_delivery"),
        ({"fulfillments": [{"displayStatus": "LABEL_PRINTED", "trackingInfo": []}]}, "shipped"),
        ({"fulfillments": [{"displayStatus": None, "trackingInfo": []}]}, "shipped"),
    ],
)
def test_what_shopify_says_of_parcels_has_our_words(
    orders: OrderReader, server: Loopback, tenant: Tenant, changes: dict[str, Any], delivery: str
) -> None:
    serve(server, an_order(**changes))
    found = orders.run(OrderInput(order_number="1001"), by_whatsapp(tenant))
    assert found.order is not None
    assert found.order.delivery == delivery
