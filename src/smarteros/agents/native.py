"""The native agent: a small classifier and own grammars to understand, the tenant's own passages to answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import cast

import structlog

from smarteros.agents import base_vectors, replies
from smarteros.agents.advice import RECOMMENDS
from smarteros.agents.catalogue import CatalogueWords, TitleSource
from smarteros.agents.clear_answers import clear_answer
from smarteros.agents.entities import EntityExtractor
from smarteros.agents.faq_answers import FaqAnswers, category_priors, find_answers, is_faq
from smarteros.agents.gazetteer import base_gazetteer
from smarteros.agents.intents import Examples, base_languages
from smarteros.agents.language import LanguageDetector
from smarteros.agents.memory import give_back_freed_memory
from smarteros.agents.mood import is_frustrated
from smarteros.agents.purchases import list_invoices, lost_the_paper
from smarteros.agents.query import NO_WORDS, search_query
from smarteros.agents.shared_model import SharedModel
from smarteros.agents.tongues import is_portuguese, language_asked_for
from smarteros.agents.training.memory import MemoryExampleStore
from smarteros.agents.training.protocol import ExampleStore
from smarteros.agents.training.tenant_models import TenantModels
from smarteros.agents.training.titles import titles_of
from smarteros.agents.understanding import Interpreter, Understanding
from smarteros.contracts.checks import ROUTE_OF_TOOL
from smarteros.domain.decisions import ROUTE_OF_INTENT, Action, AgentRequest, Decision, Language, Route
from smarteros.domain.knowledge import Category
from smarteros.domain.tenants import TenantScope
from smarteros.embedders.loading import Embedders
from smarteros.kit.clock import in_santiago
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.observability.metrics import BRAIN_COMPLETE

_log = structlog.get_logger()

_PRODUCTS_PER_SEARCH = 5
_SURE = 0.8
_PREPARED_AT_START = 50
_SEARCHED = ("size", "color", "brand", "price_min", "price_max")


@dataclass(frozen=True)
class Brain:
    """What was learnt for all tenants: only read once it is made, so threads may share it."""

    extractor: EntityExtractor
    languages: LanguageDetector
    shared: SharedModel

    @classmethod
    def trained(cls, extra_examples: Examples | None = None) -> Brain:
        """Learn the base pack and the extra examples by words alone; one or two seconds of CPU."""
        extractor = EntityExtractor(base_gazetteer())
        brain = cls(
            extractor,
            base_languages(),
            SharedModel(extractor, extra_examples=extra_examples),
        )
        give_back_freed_memory()
        return brain

    def seeing(self, embedders: Embedders) -> Brain:
        """Return what is understood with the sentence encoders, when they are loaded; one or two seconds of CPU."""
        embedders.wait()
        brain = replace(self, shared=self.shared.seeing(embedders))
        base_vectors.forget()
        return brain


class NativeAgent:
    """Agent that runs inside the process: no account, no model download, some milliseconds a message.

    It learns on a thread of its own, from ``learn_soon`` or from the first question, which waits for it. Then it goes
    on with the sentence encoders and answers better from there on.
    """

    def __init__(
        self,
        knowledge: KnowledgeBase,
        *,
        extra_examples: Examples | None = None,
        embedders: Embedders | None = None,
        examples: ExampleStore | None = None,
        catalogue: TitleSource | None = None,
    ) -> None:
        """Without ``embedders`` it compares words only; ``examples`` are those of the tenants."""
        self._knowledge = knowledge
        self._catalogue = CatalogueWords(catalogue)
        self._extra_examples = extra_examples
        self._embedders = embedders
        self._starting = threading.Lock()
        self._started = False
        self._learnt: Future[None] = Future()
        self._brain: Brain | None = None
        self._complete = threading.Event()
        self._tenants = TenantModels(examples or MemoryExampleStore(), titles_of(knowledge))

    def learn_soon(self) -> None:
        """Begin to learn, once; returns at once. A process that may never be asked leaves it to the first question."""
        with self._starting:
            if not self._started:
                self._started = True
                threading.Thread(target=self._learn, name="agent-training", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether it has learnt what it needs and can answer at once."""
        return self._learnt.done() and self._learnt.exception() is None

    @property
    def usable(self) -> bool:
        """Whether questions are answered, the first perhaps after some seconds; False when learning failed."""
        return not self._learnt.done() or self._learnt.exception() is None

    def wait_until_ready(self) -> None:
        """Return when it has learnt; raises what went wrong."""
        self.learn_soon()
        self._learnt.result()

    def prepare(self, tenant_id: str) -> None:
        """Return when the tenant's answers are the best it can give; raises what went wrong at the first learning."""
        shared = self.shared_model()
        self._tenants.best(TenantScope(tenant_id=tenant_id), shared)
        give_back_freed_memory()

    def prepare_soon(self, tenant_ids: Sequence[str]) -> None:
        """Learn, and make the best models of the first of these tenants; returns at once.

        Their first questions meet them already. Of more tenants each pays for its own first question.
        """
        first = tuple(tenant_ids[:_PREPARED_AT_START])
        threading.Thread(target=self._prepare_all, args=(first,), name="agent-tenants", daemon=True).start()

    def _prepare_all(self, tenant_ids: Sequence[str]) -> None:
        for tenant_id in tenant_ids:
            try:
                self.prepare(tenant_id)
            except Exception as error:  # his first question finds out, or it was only the database
                _log.warning("tenant_not_prepared", tenant=tenant_id, error=type(error).__name__)
        BRAIN_COMPLETE.set(1)

    def shared_model(self) -> SharedModel:
        """Return what all tenants' models are made from, with the encoders: waits for them."""
        self.wait_until_ready()
        self._complete.wait()
        return self._now().shared

    def _now(self) -> Brain:
        self.wait_until_ready()
        return cast(Brain, self._brain)

    def _learn(self) -> None:
        try:
            self._brain = Brain.trained(self._extra_examples)
            self._learnt.set_result(None)
        except Exception as error:  # raised again to whoever asks; a thread that dies alone would leave them waiting
            self._learnt.set_exception(error)
            self._complete.set()
            return
        try:
            if self._embedders is not None:
                self._brain = self._brain.seeing(self._embedders)
                give_back_freed_memory()
        except Exception as error:  # it can answer without
            _log.error("encoders_not_used", error=type(error).__name__, detail=str(error))
        finally:
            self._complete.set()

    def decide(self, request: AgentRequest) -> Decision:
        """Decide one turn; see ``Agent.decide``."""
        brain = self._now()
        scope = TenantScope(tenant_id=request.tenant_id)
        model = self._tenants.of(scope, brain.shared)
        context, text = request.context, request.message.content
        state = context.state
        current: Language = state.language or ("en" if context.language.startswith("en") else "es")
        language = self._language(brain, request, current)
        extractor = self._catalogue.extractor(scope, brain.extractor, state.offered)
        extraction = extractor.extract(
            text,
            today=in_santiago(context.now).date() if context.now is not None else None,
            about_sizes=state.entities.category is not None or bool(state.offered or state.searched_words),
        )
        understood = Interpreter(extractor, model).understand(request, extraction)
        complains = understood.intent == "complaint" and understood.confidence >= _SURE
        clear = clear_answer(
            self._knowledge, scope, understood, model.scores(extraction), language=language, now=context.now
        )
        if clear is not None:
            understood = replace(understood, intent=clear.intent, confidence=clear.confidence)
        answers = find_answers(
            self._knowledge, request.tenant_id, understood, model, language=language, now=context.now, clear=clear
        )
        return Decision(
            intent=understood.intent,
            confidence=round(min(understood.confidence, 1.0), 4),
            route=_route(understood),
            entities=understood.entities,
            actions=_actions(understood),
            reply=_reply(understood, answers),
            reply_suggestion=_lead_in(understood, language),
            rag_context=answers.citations,
            language=language,
            frustrated=is_frustrated(text, context.history, complains=complains),
            cart=understood.cart.wish if understood.cart is not None else None,
            second_intent=understood.second.intent if understood.second else None,
            second_reply=_second_reply(understood, answers),
            candidates=understood.candidates,
            foreign="pt" if is_portuguese(text) else None,
        )

    def _language(self, brain: Brain, request: AgentRequest, current: Language) -> Language:
        """The language asked for, else the one written in; Portuguese is answered in Spanish."""
        text = request.message.content
        asked = language_asked_for(text) or ("es" if is_portuguese(text) else None)
        return asked or brain.languages.detect(text, current=current, history=request.context.history)

    def category_priors(self, tenant_id: str, text: str) -> dict[Category, float]:
        """Return the probability that a message on its own wants each category of passages."""
        brain = self._now()
        model = self._tenants.of(TenantScope(tenant_id=tenant_id), brain.shared)
        return category_priors(model.scores(brain.extractor.extract(text)))


def _route(understood: Understanding) -> Route:
    """Return the route of the intent; what the dialogue has a tool called for is told on the tool's."""
    route = ROUTE_OF_INTENT[understood.intent]
    return route if understood.action is None else ROUTE_OF_TOOL.get(understood.action.tool, route)


def _actions(understood: Understanding) -> tuple[Action, ...]:
    if understood.action is not None:
        return (understood.action,)
    if understood.cart is not None:
        return understood.cart.actions()
    entities = understood.entities
    route = ROUTE_OF_INTENT[understood.intent]
    if route == "odoo_invoice_lookup" and entities.invoice_number is not None:
        return (Action(tool="odoo_find_invoice", params={"invoice_number": entities.invoice_number}),)
    if route == "odoo_invoice_lookup" and lost_the_paper(understood.extraction):
        return (list_invoices(),)
    if route == "shopify_sales":
        query = search_query(understood.extraction, entities, understood.earlier)
        if query != NO_WORDS or understood.intent == "product_query":
            filters = {name: getattr(entities, name) for name in _SEARCHED if getattr(entities, name) is not None}
            params = {"query": query, **filters, "limit": _PRODUCTS_PER_SEARCH}
            search = Action(tool="shopify_search_products", params=params)
            return (search,) if understood.then is None else (search, understood.then)
    return ()


def _reply(understood: Understanding, answers: FaqAnswers) -> str | None:
    """Answer a FAQ, and a second one in the same message, by the words of the best passage of each."""
    if not is_faq(understood.intent):
        return None
    texts = [text for intent, text in answers.texts.items() if is_faq(intent)]
    return "\n\n".join(dict.fromkeys(texts)) or None


def _second_reply(understood: Understanding, answers: FaqAnswers) -> str | None:
    """Answer the FAQs that came along with a matter of another kind; FAQs alone are answered together."""
    if is_faq(understood.intent):
        return None
    intents = [wish.intent for wish in understood.further if is_faq(wish.intent)]
    texts = [answers.texts[intent] for intent in intents if intent in answers.texts]
    return "\n\n".join(dict.fromkeys(texts)) or None


def _lead_in(understood: Understanding, language: Language) -> str | None:
    route, entities = ROUTE_OF_INTENT[understood.intent], understood.entities
    if understood.cart is not None:
        return replies.preparing_cart(language) if understood.cart.lines else None
    if understood.action is not None and understood.action.tool == RECOMMENDS:
        return replies.recommending(language)
    if understood.action is not None and route == "shopify_sales":
        return None
    if route == "shopify_sales":
        return replies.searching(understood.extraction, entities, language)
    if route == "odoo_invoice_lookup" and entities.invoice_number is not None:
        return replies.checking_invoice(entities.invoice_number, language)
    return None
