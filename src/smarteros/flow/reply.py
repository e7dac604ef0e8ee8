"""``reply``: choose the contract's text, make sure nobody else is speaking, and post it exactly once."""

from __future__ import annotations

from typing import Any

import structlog

from smarteros.contracts.expressions import ReplyContext
from smarteros.domain.carts import CartItem, CartWish
from smarteros.domain.decisions import DialogueState, Pending
from smarteros.domain.errors import SmosError
from smarteros.domain.ids import reply_id
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.tenants import TENANT_SUSPENDED, Tenant
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStart, TurnStory
from smarteros.flow.context import reply_context
from smarteros.flow.fence import Fence, FencedError
from smarteros.flow.hand_overs import HandOvers
from smarteros.flow.parts import Parts
from smarteros.flow.sources import Sources
from smarteros.flow.summary import summary_for_agent
from smarteros.flow.wording import FACT_LOCK, ChosenText, count_lock, written_reply
from smarteros.observability.steps import watched

_log = structlog.get_logger()

_MOST_OTHER_PHOTOS = 8
# Routes of a question in between: the offer before it is still open.
_IN_BETWEEN = frozenset({"kb_direct", "clarify"})
_WHY_NOT_SENT = {
    "outside_window": "Pasaron más de 24 horas desde su último mensaje: el canal solo acepta una plantilla.",
    TENANT_SUSPENDED: "La tienda está suspendida: el bot no responde.",
    "loop_guard": "Demasiadas respuestas seguidas: puede que al otro lado haya otro bot.",
}


class ReplyStep:
    """Answers the customer, or is silent when a person has taken over."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, turn: ClaimedTurn, resolved: ResolvedTurn, decided: DecidedTurn, called: ToolsCalled) -> Replied:
        """Reply to the turn."""
        tenant = self._parts.tenants.get(turn.start.tenant_id)
        with watched("reply", tenant.tenant_id, turn.start.turn_id) as watch:
            policy = self._parts.knowledge.policy(tenant.scope)
            facts = reply_context(tenant, policy, resolved, decided, called.results)
            sources = Sources(self._parts.knowledge, tenant, policy, resolved, decided, called.results)
            chosen = written_reply(self._parts.contracts.by_id[decided.flow_id], facts, sources)
            count_lock(tenant.tenant_id, decided.flow_id, chosen)
            ending = Replied(
                outcome="escalated" if chosen.escalate else "answered",
                reason=None if chosen.note is None else FACT_LOCK,
                rule=chosen.rule,
                withheld_facts=tuple(sorted({fact.kind for fact in chosen.unfounded})),
                text=chosen.text,
                state=_next_state(resolved, decided, facts, chosen),
            )
            summary = "\n".join(
                filter(None, (summary_for_agent(self._parts.links, tenant, resolved, decided, called), chosen.note))
            )
            draft = TurnStory(resolved=resolved, decided=decided, called=called, replied=ending, summary=summary)
            replied = post(self._parts, tenant, turn, draft)
        return replied.model_copy(update={"duration_ms": watch.duration_ms})

    def resume(self, turn: ClaimedTurn, draft: TurnStory) -> Replied:
        """Finish a turn whose worker died with this draft written down."""
        tenant = self._parts.tenants.get(turn.start.tenant_id)
        with watched("reply", tenant.tenant_id, turn.start.turn_id) as watch:
            replied = post(self._parts, tenant, turn, draft, again=True)
        return replied.model_copy(update={"duration_ms": watch.duration_ms})


def post(parts: Parts, tenant: Tenant, turn: ClaimedTurn, draft: TurnStory, *, again: bool = False) -> Replied:
    """Post a draft through the fence and hand over when that is how it ends; ``again`` after an earlier attempt."""
    fence = Fence(parts, tenant, turn)
    try:
        text, posted = fence.carry_through(draft) if again else fence.send(draft)
    except FencedError as fenced:
        ended = stopped(parts, tenant, turn.start, fenced.replied, draft)
        # Nothing of this draft was said: what it would have led to is not to be remembered.
        return ended.model_copy(update={"state": draft.resolved.state})
    update: dict[str, Any] = {"text": text, "message_id": posted.message_id, "replied_at": parts.clock.now()}
    if draft.replied.outcome == "escalated":
        try:
            hand_over(parts, tenant, turn.start, draft.summary, decided=draft.decided, rule=draft.replied.rule)
        except SmosError as error:
            # The customer has been told of a person: that nobody was called must not look like a success.
            update |= {"outcome": "failed", "reason": error.code}
    elif draft.replied.reason == FACT_LOCK:
        _tell_people(parts, tenant, turn.start, draft.summary)
    return draft.replied.model_copy(update=update)


def stopped(parts: Parts, tenant: Tenant, start: TurnStart, replied: Replied, draft: TurnStory) -> Replied:
    """End a turn whose reply was fenced: what the customer will not read goes to a person, with the reason."""
    if replied.outcome == "escalated":
        why = _WHY_NOT_SENT.get(replied.reason or "", replied.reason or "")
        note = f"{draft.summary}\n• {why}\n• Respuesta que no envié: {draft.replied.text or ''}"
        hand_over(parts, tenant, start, note, decided=draft.decided, rule=replied.reason)
        return replied.model_copy(update={"rule": replied.reason})
    return replied


def _tell_people(parts: Parts, tenant: Tenant, start: TurnStart, note: str) -> None:
    """Leave a private note. The customer has his answer, so a channel that does not take it fails nothing."""
    message = OutgoingReply(
        reply_id=reply_id(f"{start.turn_id}:note"),
        conversation_id=start.conversation_id,
        account_id=start.account_id,
        text=note,
        private=True,
    )
    try:
        parts.patiently(lambda: parts.channel.post(tenant, message, maybe_sent=True))
    except SmosError as error:
        _log.warning("note_not_left", tenant=tenant.tenant_id, turn=start.turn_id, code=error.code)


def hand_over(
    parts: Parts,
    tenant: Tenant,
    start: TurnStart,
    note: str,
    *,
    decided: DecidedTurn | None = None,
    rule: str | None = None,
) -> None:
    """Give the conversation to a person, with the summary as a private note and where the flow wants it to be found.

    A turn that was not decided belongs to no flow: then the default flow's word counts, as in its record.
    """
    hand_overs = HandOvers(parts.channel, parts.contracts, parts.links)
    parts.patiently(
        lambda: hand_overs.of_turn(
            tenant,
            start.conversation_id,
            note,
            account_id=start.account_id,
            flow_id=decided.flow_id if decided else None,
            rule=rule,
            turn_id=start.turn_id,
        )
    )


def _cart(resolved: ResolvedTurn, facts: ReplyContext) -> tuple[CartItem, ...]:
    """Return the cart after this turn: as the shop told it, emptied, or as it was."""
    wish = facts.wish
    if facts.cart is not None:
        pairs = zip(facts.cart.lines, facts.cart.quantities, strict=True)
        seen = {item.product_id: item.options for item in (*_offered_items(resolved), *resolved.state.cart)}
        items = (CartItem.of(product, quantity) for product, quantity in pairs)
        # A cart's products are read with the one variant that is in it; what else they come in was told before.
        return tuple(item.model_copy(update={"options": seen.get(item.product_id, item.options)}) for item in items)
    emptied = wish is not None and wish.act in ("remove", "clear") and not wish.between
    return () if emptied and not facts.tool_failed else resolved.state.cart


def _offered_items(resolved: ResolvedTurn) -> tuple[CartItem, ...]:
    return tuple(CartItem.of(product) for product in resolved.state.offered)


def _cart_talk(resolved: ResolvedTurn, facts: ReplyContext, cart: tuple[CartItem, ...]) -> dict[str, Any]:
    """Return what the next words about the cart will refer to."""
    state, wish = resolved.state, facts.wish
    known = {item.variant_id for item in cart}
    added = [item.variant_id for item in cart if item not in state.cart]
    if wish is None:
        spoken_of = next(iter(added), state.spoken_of)
        return {"cart": cart, "guessed": state.guessed and bool(cart), "spoken_of": spoken_of}
    # A size that had to be looked up has another id than the one the customer chose from.
    spoken_of = wish.spoken_of if wish.spoken_of in known else next(iter(added), state.spoken_of)
    return {
        "cart": cart,
        "guessed": wish.guessed and facts.cart is not None,
        "spoken_of": spoken_of,
        "asked": _asked(wish, facts),
    }


def _asked(wish: CartWish, facts: ReplyContext) -> CartWish | None:
    """Return what the customer is asked to choose: between things, or what there is instead of what there is not."""
    detail = facts.detail
    if facts.cart_problem != "no_such_variant" or detail is None:
        return wish if wish.between else None
    there = tuple(
        CartItem(
            product_id=detail.id,
            variant_id=variant.variant_id,
            title=detail.title,
            variant=variant.variant,
            price=variant.price,
            currency=detail.currency,
        )
        for variant in detail.variants
        if variant.available
    )
    return wish.model_copy(update={"between": there}) if there else None


def _searched_words(decided: DecidedTurn) -> str | None:
    """Return the words the catalogue was searched with in this turn."""
    searches = (action.params for action in decided.decision.actions if action.tool == "shopify_search_products")
    return next((str(params["query"]) for params in searches if params.get("query")), None)


def _pending(resolved: ResolvedTurn, facts: ReplyContext, chosen: ChosenText) -> Pending | None:
    """Return what a bare yes will answer: an offer stands while the customer asks something in between."""
    stands = resolved.state.pending == "cart_offer" and facts.route in _IN_BETWEEN and not chosen.escalate
    return chosen.pending or ("cart_offer" if stands else None)


def _next_state(resolved: ResolvedTurn, decided: DecidedTurn, facts: ReplyContext, chosen: ChosenText) -> DialogueState:
    """Return what the next turn must know."""
    failed = facts.photo and not (facts.reading and facts.reading.trusted)
    return DialogueState.model_validate(
        {
            "flow_id": decided.flow_id,
            "intent": facts.intent,
            "language": facts.language,
            "entities": facts.entities,
            "offered": facts.products or resolved.state.offered,
            "pending": _pending(resolved, facts, chosen),
            "options": decided.decision.options,
            "foreign": decided.decision.foreign or resolved.state.foreign,
            "invoices": facts.listed.invoices if facts.listed is not None else resolved.state.invoices,
            "searched_words": _searched_words(decided) or resolved.state.searched_words,
            "searched": facts.entities if facts.intent == "product_query" else resolved.state.searched,
            **_cart_talk(resolved, facts, _cart(resolved, facts)),
            "clarifications": resolved.state.clarifications + 1 if facts.route == "clarify" else 0,
            "failed_photos": resolved.state.failed_photos + 1 if failed else 0,
            "other_photos": (*resolved.state.other_photos, *resolved.other_photos)[-_MOST_OTHER_PHOTOS:],
        }
    )
