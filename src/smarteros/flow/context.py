"""What the contract's conditions and texts may see of a turn."""

from __future__ import annotations

from typing import Any, TypeVar

from smarteros.agents.options import question_for
from smarteros.contracts.expressions import ReplyContext
from smarteros.domain.carts import CartProblem
from smarteros.domain.knowledge import Policy
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import (
    Cart,
    CustomerPurchases,
    InvoiceList,
    InvoiceLookup,
    OrderLookup,
    ProductDetail,
    ProductList,
    TicketResult,
    ToolResult,
)
from smarteros.domain.turns import DecidedTurn, ResolvedTurn
from smarteros.flow.variants import VARIANT_NOT_FOUND
from smarteros.kit.clock import in_santiago

M = TypeVar("M", bound=Model)

_LISTING = ("shopify_search_products", "shopify_recommend_products")
_CART_PROBLEMS: dict[str | None, CartProblem] = {
    "variant_unknown": "sold_out",
    "variant_sold_out": "sold_out",
    "quantity_not_available": "sold_out",
    VARIANT_NOT_FOUND: "no_such_variant",
}


def reply_context(
    tenant: Tenant,
    policy: Policy,
    resolved: ResolvedTurn,
    decided: DecidedTurn,
    results: tuple[ToolResult, ...] = (),
) -> ReplyContext:
    """Gather the facts of the turn. Prices, dates and links come from tool results or KB passages, nowhere else."""
    decision, state = decided.decision, resolved.state
    listed = next((found for tool in _LISTING if (found := _result(tool, ProductList, results))), None)
    passage = decision.rag_context[0].text if decision.rag_context else None
    lookup = _result("odoo_find_invoice", InvoiceLookup, results)
    if lookup is not None and lookup.invoice is not None:
        policy = policy.for_product(lookup.invoice.product_name)
    return ReplyContext(
        tenant_name=tenant.name,
        contact_name=resolved.messages[-1].contact.name,
        language=decision.language,
        intent=decision.intent,
        route=decision.route,
        confidence=decision.confidence,
        entities=decision.entities,
        text=resolved.text,
        today=in_santiago(resolved.messages[-1].created_at).date(),
        lead_in=decision.reply_suggestion,
        answer=decision.reply or passage,
        second_answer=decision.second_reply,
        choice=question_for(decision.options, decision.language),
        foreign=decision.foreign if state.foreign is None else None,  # told once
        products=listed.products if listed else (),
        cart=_result("shopify_create_cart", Cart, results),
        wish=decision.cart,
        had_cart=bool(state.cart),
        cart_problem=next((_CART_PROBLEMS[r.error_code] for r in results if r.error_code in _CART_PROBLEMS), None),
        detail=_result("shopify_get_product", ProductDetail, results),
        order_lookup=_result("shopify_order_status", OrderLookup, results),
        stale=any(result.data is not None and result.data.get("as_of") is not None for result in results),
        lookup=lookup,
        purchases=_result("odoo_customer_history", CustomerPurchases, results),
        listed=_result("odoo_list_invoices_by_contact", InvoiceList, results),
        request=_result("odoo_create_ticket", TicketResult, results),
        policy=policy,
        reading=resolved.reading,
        photo=resolved.photo,
        tool_failed=any(result.data is None for result in results),
        pending=state.pending,
        clarifications=state.clarifications,
        failed_photos=state.failed_photos,
        frustrated=decision.frustrated,
    )


def _result(tool: str, model: type[M], results: tuple[ToolResult, ...]) -> M | None:
    data: dict[str, Any] | None = next((r.data for r in results if r.tool == tool and r.data is not None), None)
    return None if data is None else model.model_validate(data)
