"""Conditions and texts of a contract: Jinja2 with everything taken out that a contract does not need.

A contract is the operator's file; what customers, shops and papers say reaches it as *values* only and is never
parsed as a template. Two fences: the node list of ``syntax`` refuses at load what could call, import or grow
without bound, and the sandbox of this module shows a text nothing but the fields of our own models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel

from smarteros.contracts.derived import derived_from
from smarteros.contracts.syntax import ALLOWED_FILTERS, ALLOWED_TESTS, refuse_unsafe_nodes
from smarteros.domain.carts import CartProblem, CartWish
from smarteros.domain.decisions import Entities, Intent, Language, Pending, Route
from smarteros.domain.errors import ConfigError, PermanentError
from smarteros.domain.knowledge import Policy
from smarteros.domain.tools import (
    Cart,
    CustomerHistory,
    CustomerPurchases,
    Invoice,
    InvoiceList,
    InvoiceLookup,
    Order,
    OrderLookup,
    Product,
    ProductDetail,
    TicketResult,
)
from smarteros.domain.turns import DocumentReading
from smarteros.kit.clp import format_clp
from smarteros.kit.words import date_in_words

MAX_OUTPUT_CHARS = 8_000
LOOP_ATTRIBUTES = frozenset({"index", "index0", "first", "last", "length"})


@dataclass(frozen=True, kw_only=True)
class ReplyContext:
    """Exactly the names a condition, text or parameter of a contract may use.

    ``today`` is the Chilean day on which the customer wrote. ``route`` is the route after the thresholds were
    applied (``clarify`` when the intent was not believed). ``clarifications`` and ``failed_photos`` count what
    happened before this turn. ``choice`` is a question that lets the customer choose between what is probable, and
    ``foreign`` the language of a message that is answered in another, the first time. ``purchases`` is the history of
    who asks, ``listed`` his invoices, ``request`` what became of a return he confirmed. ``invoice`` and
    ``customer_history`` are not fields, nor is ``order``: they exist only when the asker is their customer. ``wish`` is
    what is to be done with the cart, ``had_cart`` that there was one before, ``cart_problem`` why none could be made
    although the shop answered, ``detail`` a product that was looked into.
    """

    tenant_name: str
    today: date
    contact_name: str | None = None
    language: Language = "es"
    intent: Intent
    route: Route
    confidence: float
    entities: Entities = field(default_factory=Entities)
    text: str = ""
    lead_in: str | None = None
    answer: str | None = None
    second_answer: str | None = None
    choice: str | None = None
    foreign: Literal["pt"] | None = None
    products: tuple[Product, ...] = ()
    cart: Cart | None = None
    wish: CartWish | None = None
    had_cart: bool = False
    cart_problem: CartProblem | None = None
    detail: ProductDetail | None = None
    order_lookup: OrderLookup | None = None
    stale: bool = False
    lookup: InvoiceLookup | None = None
    purchases: CustomerPurchases | None = None
    listed: InvoiceList | None = None
    request: TicketResult | None = None
    policy: Policy = field(default_factory=Policy)
    reading: DocumentReading | None = None
    photo: bool = False
    tool_failed: bool = False
    pending: Pending | None = None
    clarifications: int = 0
    failed_photos: int = 0
    frustrated: bool = False

    @property
    def invoice(self) -> Invoice | None:
        """The invoice found, or None while the asker's identity is not verified (privacy, flows.md)."""
        return self.lookup.invoice if self.lookup is not None and self.lookup.identity_verified else None

    @property
    def customer_history(self) -> CustomerHistory | None:
        """What the shop knows of the invoice's customer, under the same condition as ``invoice``."""
        return self.lookup.customer_history if self.lookup is not None and self.lookup.identity_verified else None

    @property
    def order(self) -> Order | None:
        """The order found, under the same condition."""
        lookup = self.order_lookup
        return lookup.order if lookup is not None and lookup.identity_verified else None

    def variables(self) -> dict[str, Any]:
        """The names and their values."""
        return {name: getattr(self, name) for name in CONTEXT_NAMES}


CONTEXT_NAMES: tuple[str, ...] = (*(each.name for each in fields(ReplyContext)), "invoice", "customer_history", "order")
# A raw lookup also holds the invoice or order of somebody else; only conditions may look at it.
TEXT_NAMES: tuple[str, ...] = tuple(name for name in CONTEXT_NAMES if name not in {"lookup", "order_lookup"})


class _Sandbox(ImmutableSandboxedEnvironment):
    """Only fields of our models and what they tell besides can be read, and nothing can be called."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        if isinstance(obj, BaseModel):
            return attr in type(obj).model_fields or attr in derived_from(type(obj))
        return isinstance(obj, LoopContext) and attr in LOOP_ATTRIBUTES

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002
        return False


def _printed(value: Any) -> Any:
    # "hasta el None" must not reach a customer: a text that prints a missing fact is a fault of the contract.
    if value is None:
        raise TemplateError("the text prints a value that is missing")
    return value


def _date_words(day: date, language: str = "es") -> str:
    return date_in_words(day, language)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        undefined=StrictUndefined,
        autoescape=False,  # chat messages are plain text, never HTML
        loader=None,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printed,
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in ALLOWED_FILTERS}
    environment.filters |= {"clp": format_clp, "date_words": _date_words}
    environment.tests = {name: environment.tests[name] for name in ALLOWED_TESTS}
    return environment


ENVIRONMENT = _environment()


@lru_cache(maxsize=4_096)
def compile_expression(source: str) -> Callable[..., Any]:
    """Compile a condition or parameter. ConfigError ``contract_expression_invalid`` when it cannot be allowed."""
    try:
        # Before compiling: the compiler works out constants, and 'x' * 999999999 is one.
        refuse_unsafe_nodes(ENVIRONMENT.parse("{{ " + source + " }}"))
        return ENVIRONMENT.compile_expression(source, undefined_to_none=False)
    except (TemplateError, ValueError, RecursionError) as error:
        raise ConfigError("contract_expression_invalid", f"{source!r}: {error}") from error


@lru_cache(maxsize=4_096)
def compile_text(source: str) -> Template:
    """Compile a text. ConfigError ``contract_text_invalid`` when it cannot be allowed."""
    try:
        refuse_unsafe_nodes(ENVIRONMENT.parse(source))
        return ENVIRONMENT.from_string(source)
    except (TemplateError, ValueError, RecursionError) as error:
        raise ConfigError("contract_text_invalid", str(error)) from error


@lru_cache(maxsize=4_096)
def constants_of(text: str) -> str:
    """Return the words of a text that are the contract's own, whatever its conditions and values."""
    tree = ENVIRONMENT.parse(text)
    data = [node.data for node in tree.find_all(nodes.TemplateData)]
    constants = [node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]
    return "\n".join((*data, *constants))


def value_of(expression: str, context: ReplyContext) -> Any:
    """Evaluate the expression of a tool parameter; None means the parameter is left out."""
    compiled = compile_expression(expression)
    try:
        value = compiled(**context.variables())
        if isinstance(value, StrictUndefined):
            value._fail_with_undefined_error()  # pyright: ignore[reportPrivateUsage]
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise ConfigError("contract_expression_failed", f"{expression!r}: {error}") from error
    return value


def holds(expression: str | None, context: ReplyContext) -> bool:
    """Tell whether a condition is true; no condition always holds."""
    return True if expression is None else bool(value_of(expression, context))


def render(text: str, context: ReplyContext) -> str:
    """Write a text for a customer.

    A text longer than ``MAX_OUTPUT_CHARS`` is a PermanentError, not a cut: half a link or price is worse than
    a person.
    """
    template = compile_text(text)
    values = {name: value for name, value in context.variables().items() if name in TEXT_NAMES}
    try:
        return _bounded(template.generate(**values))
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise ConfigError("contract_text_failed", f"{text[:60]!r}: {error}") from error


def _bounded(pieces: Iterator[str]) -> str:
    written: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_OUTPUT_CHARS:
            raise PermanentError("reply_too_long", f"A reply grew beyond {MAX_OUTPUT_CHARS} characters")
        written.append(piece)
    return "".join(written).strip()
