"""The agent contract: what an agent is asked and what it decides.

Request and response are the two JSON bodies of ``POST /api/v1/workspaces/{ws}/bots/{bot}/run``; an agent of any
vendor speaks them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field

from smarteros.domain.carts import CartItem, CartWish
from smarteros.domain.messages import ChannelName, Contact
from smarteros.domain.model import Model
from smarteros.domain.tools import InvoiceEntry, Product

Intent = Literal[
    "product_query", "cart_request", "order_status", "warranty_inquiry", "return_request",
    "faq_hours", "faq_address", "faq_payment_methods", "faq_shipping", "faq_returns", "faq_contact",
    "greeting", "thanks_goodbye", "human_request", "complaint", "ambiguous", "out_of_scope",
]  # fmt: skip
Route = Literal[
    "shopify_sales", "support", "odoo_invoice_lookup", "kb_direct", "smalltalk", "human_handoff", "clarify",
    "fallback",
]  # fmt: skip
ROUTE_OF_INTENT: dict[Intent, Route] = {
    "product_query": "shopify_sales",
    "cart_request": "shopify_sales",
    "order_status": "support",
    "warranty_inquiry": "odoo_invoice_lookup",
    "return_request": "odoo_invoice_lookup",
    "faq_hours": "kb_direct",
    "faq_address": "kb_direct",
    "faq_payment_methods": "kb_direct",
    "faq_shipping": "kb_direct",
    "faq_returns": "kb_direct",
    "faq_contact": "kb_direct",
    "greeting": "smalltalk",
    "thanks_goodbye": "smalltalk",
    "human_request": "human_handoff",
    "complaint": "human_handoff",
    "ambiguous": "clarify",
    "out_of_scope": "fallback",
}
Language = Literal["es", "en"]
# What the bot asked last: a bare "sí", a choice or the next photo answers it.
Pending = Literal["cart_offer", "invoice_photo", "invoice_fact", "return_offer"]


class Entities(Model):
    """What a message names. Every field is optional; numbers are whole, money is CLP."""

    category: str | None = None
    size: str | None = None
    color: str | None = None
    brand: str | None = None
    model: str | None = None
    gender: str | None = None
    quantity: int | None = None
    price_min: int | None = None
    price_max: int | None = None
    order_number: str | None = None
    invoice_number: str | None = None
    rut: str | None = None
    date: str | None = None
    phone: str | None = None
    email: str | None = None
    place: str | None = None
    sku: str | None = None
    coupon: str | None = None
    amount: int | None = None


PhotoShows = Literal["invoice", "unreadable", "no_invoice", "not_read"]


class OtherPhoto(Model):
    """A photo of the customer that the answer does not rest on: a person may need it, so it is not forgotten.

    ``shows``: another ``invoice``, something ``unreadable``, ``no_invoice`` (the product, a defect), or ``not_read``
    when there were too many of them. The picture itself stays in the channel, at message ``message_id``.
    """

    message_id: int
    shows: PhotoShows


def _without_bare_variants(cart: Any) -> Any:
    """Forget carts of earlier versions, which were ids without prices."""
    if not isinstance(cart, (list, tuple)):
        return cart
    return [item for item in cast("Sequence[Any]", cart) if not isinstance(item, str)]


class DialogueState(Model):
    """What must be remembered from the earlier turns of one conversation (context kept across flows)."""

    flow_id: str | None = None
    intent: Intent | None = None
    language: Language | None = None
    entities: Entities = Entities()
    offered: tuple[Product, ...] = Field(default=(), description="Products of the last list, in its order")
    pending: Pending | None = None
    clarifications: int = Field(default=0, description="Clarifying questions in a row")
    failed_photos: int = Field(default=0, description="Photos in a row from which no invoice could be read")
    other_photos: tuple[OtherPhoto, ...] = ()
    options: tuple[Intent, ...] = Field(default=(), description="What the customer was asked to choose between")
    invoices: tuple[InvoiceEntry, ...] = Field(default=(), description="His purchases as they were listed last")
    cart: Annotated[tuple[CartItem, ...], BeforeValidator(_without_bare_variants)] = Field(
        default=(), description="The cart as it was told last, in its order"
    )
    asked: CartWish | None = Field(
        default=None, description="What is to be done once the customer says with which item"
    )
    guessed: bool = Field(default=False, description="The cart is the first of a list, taken for a bare yes")
    spoken_of: str | None = Field(default=None, description="Variant of the cart spoken of last")
    searched: Entities = Field(default=Entities(), description="What the last search named")
    searched_words: str = Field(default="", description="The words of the last search of the catalogue")
    foreign: Literal["pt"] | None = Field(default=None, description="A language we do not speak, as the customer knows")

    @property
    def wanted(self) -> Entities:
        """What was searched last, also after another matter in between."""
        return self.entities if self.searched == Entities() else self.searched


class OcrEntities(Model):
    """Fields read from a photographed invoice (seed: ``message.ocr_entities``)."""

    invoice_number: str | None = None
    product_name: str | None = None
    product_size: str | None = None
    purchase_date: str | None = Field(default=None, description="ISO 8601 day")
    warranty_days: int | None = None


class AgentMessage(Model):
    """The message part of a request."""

    id: int
    type: Literal["text", "image_with_text", "media"] = "text"
    content: str = Field(default="", max_length=20_000)
    attachments: tuple[dict[str, Any], ...] = ()
    ocr_extracted_text: str | None = None
    ocr_entities: OcrEntities | None = None


class AgentContext(Model):
    """Everything an agent may use besides the message."""

    language: str = "es-CL"
    shopify_connected: bool = False
    shopify_store_domain: str | None = None
    route_hint: str | None = None
    ocr_confidence: float | None = None
    invoice_detected: bool | None = None
    history: tuple[str, ...] = Field(default=(), description="Earlier customer messages, oldest first")
    state: DialogueState = DialogueState()
    now: datetime | None = Field(default=None, description="Instant the customer wrote, aware UTC")


class AgentRequest(Model):
    """Body of the agent endpoint."""

    tenant_id: str
    channel: ChannelName
    conversation_id: int
    contact: Contact
    message: AgentMessage
    context: AgentContext = AgentContext()


class Action(Model):
    """Something the agent wants done before the reply; only tools the contract allows are called."""

    type: Literal["CALL_MCP"] = "CALL_MCP"
    tool: str
    params: dict[str, Any] = Field(default_factory=dict)


class Citation(Model):
    """Where an answer's words come from.

    ``question`` is set where the knowledge base computed the answer (opening hours) instead of quoting a passage: asked
    again it gives the same, so nobody need be believed.
    """

    document: str
    title: str
    text: str
    score: float
    question: str | None = None


class Candidate(Model):
    """An intent in scope and how probable it is."""

    intent: Intent
    probability: float = Field(ge=0, le=1)


class Decision(Model):
    """What the agent decided.

    ``confidence`` is the probability of the best in-scope intent, 0 to 1. ``reply`` is a final text taken from the
    tenant's own passages, ``reply_suggestion`` a lead-in for a template.
    """

    intent: Intent
    confidence: float = Field(ge=0, le=1)
    route: Route
    entities: Entities = Entities()
    actions: tuple[Action, ...] = ()
    reply: str | None = None
    reply_suggestion: str | None = None
    rag_context: tuple[Citation, ...] = ()
    language: Language = "es"
    frustrated: bool = False
    cart: CartWish | None = Field(default=None, description="What the customer wants done with his cart")
    second_intent: Intent | None = Field(default=None, description="Another question in the same message")
    second_reply: str | None = Field(default=None, description="Answer to the second question, if a passage gives it")
    candidates: tuple[Candidate, ...] = Field(default=(), description="Most probable intents in scope, best first")
    options: tuple[Intent, ...] = Field(default=(), description="What to let the customer choose between")
    foreign: Literal["pt"] | None = Field(default=None, description="Language of the message that we do not speak")
