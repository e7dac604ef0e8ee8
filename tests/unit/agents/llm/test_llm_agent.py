"""The model words answers from cited passages; whatever it may not say or do, the embedded brain's decision stands."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from prometheus_client import generate_latest
from tests.unit.agents.llm.brains import (
    NOW,
    SETTINGS,
    Brain,
    brain,
    contracts,
    first_passage,
    request,
    says,
    small_shop,
)
from tests.unit.agents.talk import SCOPE

from smarteros.agents.llm.protocol import Answered, LlmFault, Question
from smarteros.domain.errors import ConfigError
from smarteros.domain.llm import LlmSettings
from smarteros.observability.metrics import REGISTRY
from smarteros.tools.breaker import CircuitBreaker

SHIPPING = "¿cuánto cuesta el despacho y cuánto demora?"
MONTH = "2026-11"


class Faulty:
    """A LanguageModel whose calls end in this fault."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault
        self.asked = 0

    def ask(self, settings: LlmSettings, key: str | None, question: Question, timeout_s: float) -> Answered:
        self.asked += 1
        raise self.fault


def outcomes(agent: Brain, text: str = SHIPPING, **context: Any) -> str:
    """Ask and return what the metrics say became of it."""

    def counted() -> Counter[str]:
        counts: Counter[str] = Counter()
        for metric in REGISTRY.collect():
            for sample in metric.samples:
                if sample.name == "smos_llm_calls_total" and sample.labels["tenant"] == SCOPE.tenant_id:
                    counts[sample.labels["outcome"]] += int(sample.value)
        return counts

    before = counted()
    agent.ask(text, **context)
    return ",".join((counted() - before).elements())


def test_an_answer_is_worded_from_the_cited_passages():
    reply = "El despacho cuesta $4.500 a todo Chile y demora 4 días hábiles."
    decision = brain(says(reply, 1, 2)).ask(SHIPPING)
    assert decision.reply == reply
    assert [citation.document for citation in decision.rag_context] == ["despachos.md", "despachos.md"]


def test_intent_route_and_confidence_stay_the_embedded_brains():
    ours, theirs = brain(first_passage).ask(SHIPPING), small_shop().decide(request(SHIPPING))
    kept = ("intent", "route", "confidence", "entities", "actions", "language", "frustrated")
    assert [getattr(ours, name) for name in kept] == [getattr(theirs, name) for name in kept]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (says("El despacho cuesta $3.500 a todo Chile."), "discarded_fact"),
        (says("El despacho demora 4 días."), "discarded_fact"),
        (says("El despacho es gratis."), "discarded_fact"),
        (says("Mira https://otra.cl/despachos"), "discarded_fact"),
        (says("El despacho cuesta cuarenta lucas."), "discarded_fact"),
        (says("El despacho cuesta $4.500 e incluye seguro contra robos."), "discarded_grounding"),
        (says("El despacho no cuesta $4.500."), "discarded_polarity"),
        (lambda _: {"answerable": True, "reply": "El despacho cuesta $4.500.", "citations": []}, "discarded_citation"),
        (says("El despacho cuesta $4.500.", 9), "discarded_citation"),
        (says("El despacho cuesta $4.500.", 0), "discarded_citation"),
        (says("El despacho cuesta $4.500.", 2), "discarded_fact"),
        (says("", 1), "discarded_malformed"),
        (says("El despacho cuesta $4.500. " * 100), "discarded_malformed"),
        (says("Escribe a [EMAIL_7]."), "discarded_placeholder"),
        (says("", answerable=False), "discarded_unanswered"),
        (lambda _: "no es JSON", "malformed"),
        (lambda _: {"reply": "El despacho cuesta $4.500."}, "malformed"),
    ],
)
def test_an_answer_that_says_more_than_it_cites_is_discarded(script: Any, outcome: str):
    agent = brain(script)
    assert outcomes(agent) == outcome
    assert brain(script).ask(SHIPPING) == small_shop().decide(request(SHIPPING))


@pytest.mark.parametrize(
    "text", ["hola", "¿Cómo?", "quiero hablar con una persona", "gracias, chao", "pésimo servicio"]
)
def test_where_there_is_nothing_to_word_no_model_is_asked(text: str):
    agent = brain()
    agent.ask(text)
    assert agent.asked == 0


def test_a_tenant_without_a_model_is_answered_by_the_embedded_brain():
    agent = brain(settings=None)
    assert agent.ask(SHIPPING) == small_shop().decide(request(SHIPPING))
    assert agent.asked == 0


def test_a_question_without_passages_is_not_asked():
    agent = brain()
    assert agent.ask(SHIPPING, tenant_id="TENANT_EMPTY").reply is None
    assert agent.asked == 0


def test_what_to_search_for_is_asked_only_where_it_was_not_recognised():
    agent = brain(lambda _: {"query": "zapatillas trail", "color": "", "size": "", "brand": ""})
    recognised = agent.ask("¿tienen zapatillas rojas talla 42?")
    assert agent.asked == 0
    assert recognised.actions
    unknown = agent.ask("busco algo para andar en el cerro hasta 50 lucas")
    assert agent.asked == 1
    assert unknown.actions[0].tool == "shopify_search_products"
    assert unknown.actions[0].params["query"] == "zapatillas trail"
    assert unknown.actions[0].params.get("price_max") in (None, 50_000)


def test_a_filter_that_the_customer_did_not_name_is_left_out():
    agent = brain(lambda _: {"query": "ropa", "color": "rosado", "size": "XL", "brand": "cerro"})
    params = agent.ask("busco algo para andar en el cerro").actions[0].params
    assert params["query"] == "ropa"
    assert "color" not in params
    assert "size" not in params
    assert params["brand"] == "cerro"


@pytest.mark.parametrize("query", ["", "x" * 200, "https://evil.cl", "zapatillas {{7*7}}", "a; DROP TABLE x"])
def test_a_query_that_is_no_search_is_discarded(query: str):
    agent = brain(lambda _: {"query": query, "color": "", "size": "", "brand": ""})
    text = "busco algo para andar en el cerro"
    assert agent.ask(text) == small_shop().decide(request(text))


@pytest.mark.parametrize(
    "kind", ["timeout", "unavailable", "rate_limited", "rejected", "refused", "malformed", "misconfigured"]
)
def test_a_fault_of_the_model_costs_nothing_but_its_help(kind: Any):
    agent = brain(model=Faulty(LlmFault(kind, "scripted")))
    assert outcomes(agent) == kind
    assert agent.ask(SHIPPING) == small_shop().decide(request(SHIPPING))


def test_a_missing_key_is_told_and_the_embedded_brain_answers():
    agent = brain(model=Faulty(ConfigError("secret_missing", "no key")))
    assert outcomes(agent) == "misconfigured"


def test_a_model_that_fails_again_and_again_is_left_alone_for_a_while():
    now = [0.0]
    model = Faulty(LlmFault("unavailable", "scripted"))
    agent = brain(model=model, breaker=CircuitBreaker(failures_to_open=3, open_for_s=30, monotonic=lambda: now[0]))
    for message_id in range(10):
        agent.ask(SHIPPING, message_id=message_id)
    assert model.asked == 3
    assert outcomes(agent, message_id=50) == "circuit_open"
    now[0] = 31.0
    agent.ask(SHIPPING, message_id=60)
    assert model.asked == 4


def test_turns_that_wait_for_a_model_never_hold_every_thread():
    entered, go_on = threading.Semaphore(0), threading.Event()

    class Slow:
        def ask(self, settings: LlmSettings, key: str | None, question: Question, timeout_s: float) -> Answered:
            entered.release()
            go_on.wait(10)
            raise LlmFault("timeout", "scripted")

    agent = brain(model=Slow(), places=threading.BoundedSemaphore(2))
    waiting = [threading.Thread(target=agent.ask, args=(SHIPPING,), kwargs={"message_id": n}) for n in range(2)]
    for thread in waiting:
        thread.start()
    for _ in waiting:
        assert entered.acquire(timeout=20)
    assert outcomes(agent, message_id=9) == "busy"
    go_on.set()
    for thread in waiting:
        thread.join(10)


def test_the_time_a_model_gets_is_part_of_what_the_flow_promises():
    given: list[float] = []

    class Watch:
        def ask(self, settings: LlmSettings, key: str | None, question: Question, timeout_s: float) -> Answered:
            given.append(timeout_s)
            raise LlmFault("timeout", "scripted")

    patient = SETTINGS.model_copy(update={"timeout_ms": 20_000})
    brain(model=Watch(), settings=patient, in_force=contracts()).ask(SHIPPING)
    brain(model=Watch(), settings=SETTINGS.model_copy(update={"timeout_ms": 300})).ask(SHIPPING)
    assert 0.5 <= given[0] < 2.0  # e2e_faq_quick promises 2 s
    assert given[1] == 0.3


def test_the_same_question_of_the_same_message_is_asked_once():
    agent = brain()
    assert agent.ask(SHIPPING) == agent.ask(SHIPPING)
    assert agent.asked == 1
    agent.ask(SHIPPING, message_id=2)
    assert agent.asked == 2


def test_tokens_and_money_are_counted_by_tenant_and_model():
    agent = brain()
    agent.ask(SHIPPING)
    spent, (call,) = agent.ledger.spent(SCOPE, MONTH), agent.ledger.calls(SCOPE, 7, 1)
    assert (spent.calls, spent.tokens) == (1, call.input_tokens + call.output_tokens)
    assert call.micro_usd == spent.micro_usd > 0
    exposed = generate_latest(REGISTRY).decode()
    assert 'smos_llm_tokens_total{kind="input",model="gpt-4o-mini",tenant="TENANT_BICICLETAS"}' in exposed
    assert 'smos_llm_cost_usd_total{model="gpt-4o-mini",tenant="TENANT_BICICLETAS"}' in exposed


def test_a_call_is_kept_with_its_hash_model_output_and_cost():
    agent = brain()
    agent.ask(SHIPPING)
    (call,) = agent.ledger.calls(SCOPE, 7, 1)
    assert (call.provider, call.model, call.outcome, call.called_at) == ("openai", "gpt-4o-mini", "answered", NOW)
    assert len(call.request_hash) == 64
    assert call.output is not None
    assert call.output["citations"] == [1]


@pytest.mark.parametrize(
    "limit",
    [{"monthly_usd_cents": 0}, {"monthly_clp": 0, "clp_per_usd": 950}, {"monthly_tokens": 10}],
)
def test_over_the_months_limit_no_call_is_made(limit: dict[str, int]):
    agent = brain(settings=LlmSettings(provider="openai", model="gpt-4o-mini", **limit))
    assert outcomes(agent) == "over_budget"
    assert agent.asked == 0


def test_the_limit_holds_before_the_call_and_what_was_set_aside_is_given_back():
    agent = brain(settings=LlmSettings(provider="openai", model="gpt-4o-mini", monthly_tokens=8_000))
    for message_id in range(90):
        agent.ask(SHIPPING, message_id=message_id)
    assert agent.asked > 5  # far more than what was set aside for each would allow
    assert agent.ledger.spent(SCOPE, MONTH).tokens <= 8_000
    assert outcomes(agent, message_id=99) == "over_budget"


def test_a_time_out_counts_in_full_because_the_provider_may_charge_it():
    agent = brain(model=Faulty(LlmFault("timeout", "scripted")))
    agent.ask(SHIPPING)
    (call,) = agent.ledger.calls(SCOPE, 7, 1)
    assert call.estimated
    assert call.output_tokens == SETTINGS.max_output_tokens
    assert agent.ledger.spent(SCOPE, MONTH).micro_usd > 0


def test_a_refused_request_costs_nothing():
    agent = brain(model=Faulty(LlmFault("rate_limited", "scripted")))
    agent.ask(SHIPPING)
    assert agent.ledger.spent(SCOPE, MONTH).micro_usd == 0


def test_a_limit_in_money_needs_a_known_price():
    unknown = LlmSettings(provider="openai", model="house-model-7b", monthly_usd_cents=500)
    assert outcomes(brain(settings=unknown)) == "price_unknown"
    priced = {"price": {"input_usd_per_million": "0.2", "output_usd_per_million": "0.8"}}
    agent = brain(settings=LlmSettings.model_validate({**unknown.model_dump(), **priced}))
    agent.ask(SHIPPING)
    (call,) = agent.ledger.calls(SCOPE, 7, 1)
    assert call.micro_usd == -(-(call.input_tokens * 2 + call.output_tokens * 8) // 10)


def test_the_tables_price_is_not_believed_of_another_server():
    elsewhere = SETTINGS.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    assert outcomes(brain(settings=elsewhere)) == "price_unknown"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"monthly_clp": 1000},
        {"monthly_usd_cents": -1},
        {"monthly_tokens": 1, "base_url": "http://user:pass@host/v1"},
        {"monthly_tokens": 1, "base_url": "file:///etc/passwd"},
        {"monthly_tokens": 1, "model": "m odel\n"},
    ],
)
def test_settings_that_bound_nothing_are_refused(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=r"limit|clp_per_usd|greater|pattern"):
        LlmSettings.model_validate({"provider": "openai", "model": "gpt-4o-mini", **wrong})
