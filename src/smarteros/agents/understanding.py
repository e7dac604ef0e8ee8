"""What the customer wants: the dialogue first, then documents, then the classifier.

What is certain without statistics (a "sí" to an offer, an invoice in the photo) is decided by rule and reported with
``EVIDENT`` confidence; everything else carries the classifier's calibrated probability.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from smarteros.agents.advice import advice
from smarteros.agents.basket import CartTalk, added_if_found, bought, cart_talk
from smarteros.agents.clauses import Wish, behind_the_opening, wishes, without_opening
from smarteros.agents.dialogue import (
    Understood,
    changes_offer,
    from_pending,
    goes_on_with,
    is_ellipsis,
    merged,
    refines_search,
)
from smarteros.agents.entities import EntityExtractor, Extraction
from smarteros.agents.intents import NOT_IN_SCOPE, IntentModel, IntentScores
from smarteros.agents.options import picked
from smarteros.agents.product_questions import about_shown_product, asks_for_stock
from smarteros.agents.purchases import about_purchases
from smarteros.agents.query import NO_WORDS, search_query
from smarteros.agents.tongues import only_asks_for_language
from smarteros.agents.unseen_cart import about_unseen_cart
from smarteros.domain.decisions import Action, AgentRequest, Candidate, DialogueState, Entities, Intent

EVIDENT = 0.97  # decided by rule; never certain, because the rule may have misread
REFINEMENT = 0.9
_SURE = 0.8
_SUPPOSED = 0.5  # below it an intent is hardly more than the least improbable one
_NAMED = 0.75  # the shop sells it, so it is probably asked for
_LEAST_EVIDENCE = 0.35  # when no intent reaches it, the message says too little
_HINT_FACTOR = 1.5
_CONTEXT_FACTOR = 10.0
_STRANGER_FACTOR = 0.1
_OPTION_FACTOR = 3.0
_MOST_CANDIDATES = 4
_SHOPPING: frozenset[Intent] = frozenset({"product_query", "cart_request"})
_COURTESIES: frozenset[Intent] = frozenset({"greeting", "thanks_goodbye"})
_FAQ: frozenset[Intent] = frozenset(
    {"faq_hours", "faq_address", "faq_payment_methods", "faq_shipping", "faq_returns", "faq_contact"}
)
_ABOUT_A_PURCHASE: frozenset[Intent] = frozenset({"warranty_inquiry", "return_request", "faq_returns", "order_status"})


@dataclass(frozen=True)
class Understanding:
    """A message understood in its conversation.

    ``extraction`` is of the part that asks, ``question`` what to search passages with, ``second`` another wish and
    ``more`` those after it. ``earlier`` are the words of the search this message goes on with. ``candidates`` are the
    most probable intents in scope of the whole message. ``action`` is what the dialogue alone makes clear is to be
    done, ``then`` what is to be done with the only product a search finds.
    """

    intent: Intent
    confidence: float
    entities: Entities
    extraction: Extraction
    question: str
    cart: CartTalk | None = None
    second: Wish | None = None
    more: tuple[Wish, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    action: Action | None = None
    earlier: str = ""
    then: Action | None = None

    @property
    def further(self) -> tuple[Wish, ...]:
        """The wishes besides the first."""
        return () if self.second is None else (self.second, *self.more)


class Interpreter:
    """Turns a request and what was found in its text into an Understanding."""

    def __init__(self, extractor: EntityExtractor, model: IntentModel) -> None:
        self._extractor = extractor
        self._model = model

    def understand(self, request: AgentRequest, extraction: Extraction) -> Understanding:
        """Decide what is wanted."""
        understood = self._understood(request, extraction)
        number = understood.entities.order_number
        if understood.intent != "order_status" or number is None or understood.action is not None:
            return understood
        return replace(understood, action=Action(tool="shopify_order_status", params={"order_number": number}))

    def _understood(self, request: AgentRequest, extraction: Extraction) -> Understanding:
        state = request.context.state
        chosen = self._from_options(request, extraction)
        if chosen is not None:
            return chosen
        if only_asks_for_language(request.message.content):
            return self._said_before(request, extraction)
        answered = about_purchases(extraction, state) or from_pending(extraction, state)
        if answered is not None:
            entities = _named(answered, extraction)
            return Understanding(answered.intent, EVIDENT, entities, extraction, "", action=answered.action)
        cart = cart_talk(extraction, state)
        if cart is not None and cart.wish.act == "add" and self._names_others(extraction, state):
            cart = None  # "y la crema café" after a list of shoes
        if cart is not None or about_unseen_cart(extraction, state):
            entities = extraction.entities if cart is not None else merged(state.wanted, extraction.entities)
            return Understanding("cart_request", EVIDENT, entities, extraction, "", cart)
        looked_up = self._looked_up(extraction, state)
        if looked_up is not None:
            return looked_up
        said = self._of_goods(self._from_words(request, extraction))
        return self._with_document(request, extraction, said) or self._adding(
            extraction, state, self._in_dialogue(extraction, state, said)
        )

    def _adding(self, extraction: Extraction, state: DialogueState, said: Understanding) -> Understanding:
        """Let what is named to be added go into the cart when it is found."""
        named = any(mention.kind == "category" for mention in extraction.mentions)
        if said.intent not in _SHOPPING or said.cart is not None or said.action is not None or not named:
            return said
        return replace(said, then=added_if_found(extraction, state))

    def _from_options(self, request: AgentRequest, extraction: Extraction) -> Understanding | None:
        """Read the answer to "¿Preguntas por … o por …?"; what the question itself named is carried over."""
        context = request.context
        choice = picked(extraction.folded, context.state.options)
        if choice is None:
            return None
        if not choice:
            return Understanding("ambiguous", 0.0, extraction.entities, extraction, extraction.folded)
        asked = self._extractor.extract(context.history[-1]) if context.history else extraction
        first, *more = choice
        return Understanding(
            first,
            EVIDENT,
            _carried(context.state.entities, extraction.entities),
            asked,
            f"{asked.folded} {extraction.folded}" if context.history else extraction.folded,
            second=Wish(more[0], asked, IntentScores({more[0]: EVIDENT})) if more else None,
        )

    def _said_before(self, request: AgentRequest, extraction: Extraction) -> Understanding:
        """Understand what was asked before the wish for another language, to answer it again in that one."""
        if not request.context.history:
            return Understanding("greeting", EVIDENT, extraction.entities, extraction, extraction.folded)
        before = self._extractor.extract(request.context.history[-1])
        return self._from_words(request, before)

    def _from_words(self, request: AgentRequest, extraction: Extraction) -> Understanding:
        scores = _with_priors(self._model.scores(extraction), request, extraction)
        whole = Understanding(
            scores.best,
            scores.confidence,
            extraction.entities,
            extraction,
            extraction.folded,
            candidates=_candidates(scores),
        )
        if scores.probabilities[scores.best] < _LEAST_EVIDENCE:
            whole = replace(whole, intent="ambiguous")
        opened_only = whole.intent in {"greeting", "ambiguous"}
        if opened_only or whole.confidence < _SURE:
            asked = behind_the_opening(extraction.folded, self._extractor, self._model)
            # Of a doubtful question the opening may be what makes it doubtful.
            if asked is not None and (opened_only or asked.scores.confidence > whole.confidence):
                whole = replace(
                    whole,
                    intent=asked.intent,
                    confidence=asked.scores.confidence,
                    extraction=asked.extraction,
                    question=asked.extraction.folded,
                )
        found = wishes(extraction.folded, self._extractor, self._model)
        if len(found) > 1:
            first, second, *more = found
            return replace(
                whole,
                intent=first.intent,
                confidence=first.scores.confidence,
                extraction=first.extraction,
                question=first.extraction.folded,
                second=second,
                more=tuple(more),
            )
        if found and (found[0].intent == whole.intent or whole.confidence < found[0].scores.confidence):
            return replace(whole, intent=found[0].intent, confidence=max(found[0].scores.confidence, whole.confidence))
        return whole

    def _names_others(self, extraction: Extraction, state: DialogueState) -> bool:
        """Tell whether a message names a thing of the shop that is neither on the list nor in the cart."""
        known = (*(product.title for product in state.offered), *(item.title for item in state.cart))
        return self._extractor.goods.name_others(extraction.folded, known)

    def _looked_up(self, extraction: Extraction, state: DialogueState) -> Understanding | None:
        """Read a question about a product that was shown, or a wish for advice."""
        asked = about_shown_product(extraction, state)
        if asked is not None and not self._is_of_the_shop(extraction):
            return Understanding("product_query", EVIDENT, state.wanted, extraction, "", action=asked)
        advised = advice(extraction, state)
        # "¿Me recomiendas una película?" has the form of it and asks a shop for nothing.
        if advised is not None and self._model.scores(extraction).best != "out_of_scope":
            return Understanding("product_query", EVIDENT, extraction.entities, extraction, "", action=advised)
        return None

    def _is_of_the_shop(self, extraction: Extraction) -> bool:
        """Tell whether a message surely asks about the shop and not about a product: "¿es seguro pagar aquí?"."""
        scores = self._model.scores(extraction)
        if asks_for_stock(extraction):  # "¿cuántas quedan?" sounds like "¿dónde quedan?"
            return False
        return scores.best not in _SHOPPING | NOT_IN_SCOPE and scores.confidence >= _SURE

    def _of_goods(self, said: Understanding) -> Understanding:
        """Take what is in the shop's catalogue for a question about it where the classifier knows of nothing better."""
        doubtful = said.intent in {"out_of_scope", "ambiguous"} or said.confidence < _SUPPOSED
        if doubtful and self._extractor.goods.are_asked_for(without_opening(said.extraction.folded)):
            return replace(said, intent="product_query", confidence=_NAMED)
        return said

    def _with_document(
        self, request: AgentRequest, extraction: Extraction, said: Understanding
    ) -> Understanding | None:
        """Read a photographed or typed invoice as a warranty question, unless the words ask for something else."""
        read = request.message.ocr_entities
        number = extraction.entities.invoice_number or (read.invoice_number if read else None)
        shown = request.message.type == "image_with_text" or bool(request.context.invoice_detected)
        if number is None and not shown:
            return None
        clear = said.confidence >= _SURE and said.intent not in NOT_IN_SCOPE | _COURTESIES
        if clear and said.intent not in _ABOUT_A_PURCHASE:
            return said
        earlier = request.context.state.intent
        # A doubtful guess does not change the matter, but it is better than none.
        wanted = earlier if not clear and earlier in {"warranty_inquiry", "return_request"} else said.intent
        return replace(
            said,
            intent="return_request" if wanted in {"return_request", "faq_returns"} else "warranty_inquiry",
            confidence=max(EVIDENT if shown else REFINEMENT, said.confidence),
            entities=extraction.entities.model_copy(update={"invoice_number": number}),
            question=said.question if clear else "",
        )

    def _in_dialogue(self, extraction: Extraction, state: DialogueState, said: Understanding) -> Understanding:
        """Let earlier turns complete a search or a purchase."""
        chooses = said.intent == "return_request" and changes_offer(extraction, state)
        sure_of_other = said.confidence >= _SURE and said.intent not in _SHOPPING and not chooses
        buys = said.intent == "cart_request" and said.confidence >= _SURE
        other = bool(state.offered) and self._names_others(extraction, state)
        if refines_search(extraction, state) and not sure_of_other and not buys and not other:
            entities = merged(state.wanted, extraction.entities)
            sure = max(REFINEMENT, said.confidence)
            return replace(
                said,
                intent="product_query",
                confidence=sure,
                entities=entities,
                earlier=goes_on_with(extraction, state),
            )
        if (
            said.intent == "product_query"
            and state.searched_words
            and search_query(extraction, extraction.entities) == NO_WORDS
        ):
            return replace(said, entities=merged(state.wanted, extraction.entities), earlier=state.searched_words)
        if said.intent == "cart_request" and (state.offered or state.cart):
            cart = bought(extraction, state) if said.confidence >= _SURE else None
            if cart is None and state.offered:
                wanted = merged(state.wanted, extraction.entities)
                return replace(said, entities=wanted, earlier=goes_on_with(extraction, state))
            return replace(said, cart=cart)
        if said.intent == "cart_request" and state.pending == "cart_offer":  # of a list nobody here has seen
            return replace(said, entities=merged(state.wanted, extraction.entities))
        return said


def _candidates(scores: IntentScores) -> tuple[Candidate, ...]:
    ranked = scores.ranked_in_scope()[:_MOST_CANDIDATES]
    return tuple(Candidate(intent=i, probability=round(min(scores.probabilities[i], 1.0), 4)) for i in ranked)


def _named(answered: Understood, extraction: Extraction) -> Entities:
    """Return what an answer names; a bare number is what was asked for and nothing else."""
    update: dict[str, str | int | None] = {}
    if answered.invoice_number is not None:
        update = {"invoice_number": answered.invoice_number, "amount": None, "order_number": None}
        update = {name: value for name, value in update.items() if name not in answered.keeps}
    elif answered.order_number is not None:
        update = {"order_number": answered.order_number, "amount": None, "quantity": None, "size": None}
    return extraction.entities.model_copy(update=update)


def _carried(earlier: Entities, now: Entities) -> Entities:
    """Lay what a message names over all that was named before."""
    return earlier.model_copy(update={name: value for name, value in now if value is not None})


def _with_priors(scores: IntentScores, request: AgentRequest, extraction: Extraction) -> IntentScores:
    """Weigh what the router supposed and, for a message too short to stand alone, what was talked about."""
    factors: dict[Intent, float] = {}
    if request.context.route_hint == "faq":
        factors.update(dict.fromkeys(_FAQ, _HINT_FACTOR))
    factors.update(dict.fromkeys(request.context.state.options, _OPTION_FACTOR))
    earlier = request.context.state.intent
    if earlier is not None and earlier not in NOT_IN_SCOPE | _COURTESIES and is_ellipsis(extraction):
        # "¿Y envío?" after a list goes on with the purchase, not with the search: one that does names something.
        continued = earlier not in _SHOPPING and extraction.folded.lstrip("¿ ").startswith(
            ("y ", "and ", "what about ", "how about ")
        )
        if continued:
            factors[earlier] = factors.get(earlier, 1.0) * _CONTEXT_FACTOR
            # Alone "¿y a Valdivia?" is a traveller's question; what continues a talk seldom leaves the shop.
            return _reweighed(scores, {**factors, "out_of_scope": _STRANGER_FACTOR}, fixed={"ambiguous"})
    return _reweighed(scores, factors, fixed=NOT_IN_SCOPE) if factors else scores


def _reweighed(scores: IntentScores, factors: Mapping[Intent, float], *, fixed: Collection[Intent]) -> IntentScores:
    """Apply prior odds; "¿Cómo?" must not become a FAQ by being asked at the FAQ's door, hence ``fixed``."""
    weighed: dict[Intent, float] = {
        i: p * (1.0 if i in fixed else factors.get(i, 1.0)) for i, p in scores.probabilities.items()
    }
    total = sum(weighed.values())
    return IntentScores({intent: weight / total for intent, weight in weighed.items()})
