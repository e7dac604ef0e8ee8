"""What a believed webhook of a shop means: a product to be read again, or an order that came from a conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field, ValidationError

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.store.catalogue import is_new_webhook, record_conversion
from smarteros.store.database import Database
from smarteros.store.tables import conversations
from smarteros.tools.shopify.cart import CONVERSATION_ATTRIBUTE

PRODUCT_TOPICS = frozenset({"products/create", "products/update", "products/delete"})
ORDER_TOPIC = "orders/create"
Outcome = Literal["accepted", "duplicate", "ignored"]


class _NoteAttribute(BaseModel):
    name: str
    value: Any = None


class _ProductEvent(BaseModel):
    """The part of a product's webhook that is used: which product. What it is now is read in the shop."""

    id: int = Field(gt=0, lt=10**20)


class _OrderEvent(BaseModel):
    """The part of ``orders/create`` that is used. Amounts are in the shop's currency."""

    id: int = Field(gt=0, lt=10**20)
    name: str = Field(max_length=100, pattern=r"^[^\x00-\x1f]*$")
    created_at: datetime
    total_price: Decimal = Field(ge=0, lt=Decimal(10**15), allow_inf_nan=False)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    test: bool = False
    note_attributes: list[_NoteAttribute] = Field(default_factory=list[_NoteAttribute])

    @property
    def conversation_id(self) -> int | None:
        """The conversation whose cart this was. The buyer could have written it himself: it proves nothing else."""
        for attribute in self.note_attributes:
            value = str(attribute.value)
            if attribute.name == CONVERSATION_ATTRIBUTE and value.isascii() and value.isdecimal() and len(value) < 18:
                return int(value)
        return None


@dataclass(frozen=True)
class ShopEvents:
    """Takes believed webhooks. ``refresh_soon`` has a product read again, later."""

    database: Database
    clock: Clock
    refresh_soon: Callable[[Tenant, str], None]

    def take(self, tenant: Tenant, topic: str, event_id: str, body: Any) -> Outcome:
        """Do what an event asks for, once. RejectedInputError when its body is not what the topic says.

        Topic and event id are not signed, only the body is. So nothing is believed of a product but its number, and
        an order counts once, whatever the event is called.
        """
        try:
            if topic in PRODUCT_TOPICS:
                product = _ProductEvent.model_validate(body)
            elif topic == ORDER_TOPIC:
                return self._take_order(tenant, event_id, _OrderEvent.model_validate(body))
            else:
                return "ignored"
        except ValidationError:
            raise RejectedInputError("unreadable_event", f"The body is not that of a {topic}.") from None
        with self.database.tenant(tenant.scope) as connection:
            if not is_new_webhook(connection, tenant.tenant_id, event_id, topic, self.clock.now()):
                return "duplicate"
        self.refresh_soon(tenant, f"gid://shopify/Product/{product.id}")
        return "accepted"

    def _take_order(self, tenant: Tenant, event_id: str, order: _OrderEvent) -> Outcome:
        conversation_id = order.conversation_id
        with self.database.tenant(tenant.scope) as connection:
            if not is_new_webhook(connection, tenant.tenant_id, event_id, ORDER_TOPIC, self.clock.now()):
                return "duplicate"
            if order.test or conversation_id is None or not _is_known(connection, tenant, conversation_id):
                return "ignored"
            record_conversion(
                connection,
                tenant.tenant_id,
                order_id=str(order.id),
                conversation_id=conversation_id,
                order_name=order.name,
                amount=order.total_price,
                currency=order.currency,
                ordered_at=order.created_at,
            )
        return "accepted"


def _is_known(connection: sa.Connection, tenant: Tenant, conversation_id: int) -> bool:
    """Tell whether the tenant has had such a conversation."""
    columns = conversations.c
    mine = sa.and_(columns.tenant_id == tenant.tenant_id, columns.conversation_id == conversation_id)
    return connection.execute(sa.select(sa.exists().where(mine))).scalar_one()
