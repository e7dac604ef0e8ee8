"""A shop's own bot as its brain: what it is asked, what of its answer counts, and what is done without it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from tests.unit.agents.botpress.bots import KEY, Bots, Brain, Door, brain, shipping, wait_a_moment
from tests.unit.agents.llm.brains import contracts, request, small_shop
from tests.unit.agents.talk import SCOPE

from smarteros.agents.botpress.client import HttpBots
from smarteros.agents.botpress.contract import asked_of
from smarteros.agents.botpress.protocol import BotFault, BotQuestion
from smarteros.agents.native import NativeAgent
from smarteros.domain.botpress import BotpressSettings
from smarteros.domain.decisions import AgentRequest, DialogueState, Entities
from smarteros.domain.messages import Contact
from smarteros.domain.tools import Product
from smarteros.observability.metrics import REGISTRY
from smarteros.tools.breaker import CircuitBreaker
from smarteros.tools.deadline import DeadlineError

GREETING = "hola, buenas tardes"
CLOUD: Door = ("cloud", "with a key")
V12: Door = ("v12", "with a key")


def counted(dialect: str, outcome: str) -> float:
    labels = {"tenant": SCOPE.tenant_id, "dialect": dialect, "outcome": outcome}
    return REGISTRY.get_sample_value("smos_botpress_calls_total", labels) or 0.0


def test_the_bot_decides_instead_of_the_embedded_brain(shop: Brain, door: Door):
    before = counted(door[0], "used")
    decision = shop.ask(GREETING)
    assert (decision.intent, decision.route, decision.confidence) == ("faq_shipping", "kb_direct", 0.93)
    assert decision.reply == "Sí, despachamos."
    assert shop.outcome() == "used"
    assert counted(door[0], "used") == before + 1


def test_it_is_asked_by_the_contract_without_personal_data(shop: Brain, bots: Bots):
    history = ("soy rosa@correo.cl", "mi RUT es 12.345.678-5")
    state = DialogueState(
        intent="product_query", entities=Entities(category="zapatillas", size="42", rut="12.345.678-5", email="a@b.cl")
    )
    shop.ask("mi otro número es +56987651234, ¿despachan a Calama?", history=history, state=state)
    (asked,) = bots.asked
    assert AgentRequest.model_validate(asked).context.state.entities == Entities(category="zapatillas", size="42")
    assert asked["contact"] == {"id": 3, "name": None, "phone": None, "email": None}
    assert asked["message"]["content"] == "mi otro número es [PHONE_1], ¿despachan a Calama?"
    assert len(asked["context"]["history"]) == 2
    sent = json.dumps(asked, ensure_ascii=False)
    for personal in ("Rosa", "Fuentes", "8765", "12.345", "rosa@", "a@b.cl", KEY):
        assert personal not in sent


def test_hidden_data_comes_back_into_what_the_bot_asks_for(shop: Brain, bots: Bots):
    lookup = {"type": "CALL_MCP", "tool": "odoo_find_invoice", "params": {"invoice_number": "[NUMBER_1]"}}
    bots.says = lambda _asked: shipping(
        intent="warranty_inquiry", route="odoo_invoice_lookup", reply=None, actions=[lookup]
    )
    decision = shop.ask("¿tiene garantía lo de la boleta 4455667788?")
    assert decision.actions[0].params == {"invoice_number": "4455667788"}


def test_a_question_that_was_answered_is_not_asked_again(shop: Brain, bots: Bots):
    assert shop.ask(GREETING) == shop.ask(GREETING)
    assert len(bots.asked) == 1


def test_each_conversation_is_one_of_its_own_at_botpress(bots: Bots):
    seen: list[str] = []

    class Watching:
        def ask(
            self, settings: BotpressSettings, key: str | None, question: BotQuestion, timeout_s: float
        ) -> dict[str, Any]:
            assert (settings.bot, key, timeout_s > 0) == ("bot-keyed", KEY, True)
            seen.append(question.user)
            return shipping()

    watched = brain(bots, bots.settings(CLOUD), asks=Watching())
    for tenant_id, conversation_id in (("TENANT_A", 1), ("TENANT_A", 1), ("TENANT_A", 2), ("TENANT_B", 1)):
        watched.agent.secrets.values[tenant_id, "botpress/bot_key"] = KEY  # pyright: ignore[reportAttributeAccessIssue]
        asked = _request(GREETING, len(seen)).model_copy(
            update={"tenant_id": tenant_id, "conversation_id": conversation_id}
        )
        watched.agent.decide(asked)
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
    assert all(user.isascii() and len(user) < 70 and "TENANT" not in user for user in seen)


def test_a_conversation_goes_on_where_it_was(shop: Brain, bots: Bots):
    for number in range(1, 20):
        bots.says = lambda _asked, number=number: shipping(reply=f"Respuesta {number}.")
        assert shop.ask(GREETING, message_id=number).reply == f"Respuesta {number}."
    assert len(bots.asked) == 19


WRONG = {
    "words": "Claro, te ayudo con eso.",
    "a list": "[1, 2]",
    "no intent": json.dumps({"reply": "hola"}),
    "unknown intent": json.dumps(shipping(intent="refund_everything")),
    "another key": json.dumps(shipping(sql="DROP TABLE")),
    "a number as text": json.dumps(shipping(confidence="0.9")),
    "too sure": json.dumps(shipping(confidence=1.2)),
    "not a number": json.dumps(shipping(confidence=float("nan"))),
    "a route of another intent": json.dumps(shipping(route="odoo_invoice_lookup")),
    "an unknown tool": json.dumps(shipping(actions=[{"type": "CALL_MCP", "tool": "shell", "params": {}}])),
    "another action": json.dumps(shipping(actions=[{"type": "EXEC", "tool": "odoo_find_invoice", "params": {}}])),
    "endless words": json.dumps(shipping(reply="a" * 5_000)),
    "depth": json.dumps(shipping(actions=[{"tool": "odoo_find_invoice", "params": {"a": [[[[[[[[1]]]]]]]]}}])),
    "a number without end": json.dumps(shipping(entities={"price_max": 10**40})),
    "half a character": '{"intent": "faq_shipping", "confidence": 0.9, "route": "kb_direct", "reply": "\\ud800"}',
}


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("door", [CLOUD, V12], ids=" ".join, indirect=True)
def test_what_is_not_the_contract_to_the_letter_is_not_used(shop: Brain, bots: Bots, said: str):
    bots.says = lambda _asked: said
    assert shop.ask(GREETING).intent == "greeting"
    assert shop.outcome() in {"malformed", "discarded_malformed"}


def test_hidden_data_it_was_not_shown_is_not_used(shop: Brain, bots: Bots):
    bots.says = lambda _asked: shipping(reply="Te llamo al [PHONE_7].")
    assert shop.ask(GREETING).intent == "greeting"
    assert shop.outcome() == "discarded_placeholder"


def test_controls_in_its_words_are_taken_out(shop: Brain, bots: Bots):
    bots.says = lambda _asked: shipping(reply="Sí,\x00 despa\u202echamos.")
    assert shop.ask(GREETING).reply == "Sí, despachamos."


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("http_500", "unavailable"), ("http_429", "rate_limited"), ("huge", "malformed"), ("error_in_200", None)],
)
@pytest.mark.parametrize("door", [CLOUD, V12], ids=" ".join, indirect=True)
def test_a_bot_in_trouble_costs_only_its_help(shop: Brain, bots: Bots, door: Door, fault: str, outcome: str | None):
    bots.faults.set("botpress", fault, value=1 if fault == "huge" else None)
    outcome = outcome or ("rejected" if door[0] == "cloud" else "malformed")
    before = counted(door[0], outcome)
    assert shop.ask(GREETING).intent == "greeting"
    assert shop.outcome() == outcome
    assert counted(door[0], outcome) == before + 1


@pytest.mark.parametrize(("door", "fault"), [(CLOUD, "silent"), (CLOUD, "hang"), (V12, "hang")])
def test_a_bot_that_does_not_answer_in_time_is_not_waited_for(bots: Bots, door: Door, fault: str):
    bots.faults.set("botpress", fault, value=3)
    hurried = brain(bots, bots.settings(door, timeout_ms=100))
    assert hurried.ask(GREETING).intent == "greeting"
    assert hurried.outcome() == "timeout"


def test_the_time_it_gets_is_part_of_what_the_flow_promises(bots: Bots):
    given: list[float] = []

    class Slow:
        def ask(
            self, settings: BotpressSettings, key: str | None, question: BotQuestion, timeout_s: float
        ) -> dict[str, Any]:
            del settings, key, question
            given.append(timeout_s)
            raise BotFault("timeout", "scripted")

    slow = brain(bots, bots.settings(CLOUD), asks=Slow(), in_force=contracts())
    slow.ask("¿a qué hora abren?")
    assert given == [pytest.approx(1.4)]  # 70 % of the two seconds of the FAQ flow


def test_a_late_answer_is_not_taken_for_that_of_the_next_message(bots: Bots):
    asked, may_answer, said = threading.Event(), threading.Event(), threading.Event()

    def slowly(_asked: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        may_answer.wait(20)
        said.set()
        return shipping(reply="Tarde.")

    def pause(seconds: float) -> None:
        if not may_answer.is_set():
            asked.wait(20)
            raise DeadlineError  # the time is up while the bot still thinks
        wait_a_moment(seconds)

    bots.says = slowly
    shop = brain(bots, bots.settings(CLOUD), asks=HttpBots(bots.http, pause))
    assert shop.ask(GREETING, message_id=1).intent == "greeting"
    may_answer.set()
    assert said.wait(20)
    bots.says = lambda _asked: shipping(reply="A tiempo.")
    assert shop.ask(GREETING, message_id=2).reply == "A tiempo."


def test_after_faults_in_a_row_it_is_left_alone_for_a_while(bots: Bots):
    now = [0.0]
    bots.faults.set("botpress", "http_500")
    shop = brain(bots, bots.settings(V12), breaker=CircuitBreaker(monotonic=lambda: now[0]))
    for number in range(1, 7):
        shop.ask(GREETING, message_id=number)
    assert [shop.outcome(number) for number in (5, 6)] == ["unavailable", "circuit_open"]
    bots.faults.clear()
    now[0] = 31.0
    assert shop.ask(GREETING, message_id=7).intent == "faq_shipping"


def test_it_is_not_waited_for_when_too_many_wait_already(bots: Bots):
    busy = brain(bots, bots.settings(CLOUD), places=threading.BoundedSemaphore(1))
    with busy.agent.places:
        assert busy.ask(GREETING).intent == "greeting"
    assert busy.outcome() == "busy"
    assert busy.ask(GREETING, message_id=2).intent == "faq_shipping"


@pytest.mark.parametrize("dialect", ["cloud", "v12"])
def test_a_wrong_key_is_refused_and_seen(bots: Bots, dialect: Any):
    shop = brain(bots, bots.settings((dialect, "with a key")), key="another-key-than-the-one-of-the-shops-bot")
    assert shop.ask(GREETING).intent == "greeting"
    assert shop.outcome() == "rejected"


def test_a_key_no_header_takes_is_the_operators_matter(bots: Bots):
    shop = brain(bots, bots.settings(V12), key="clave\nX-Evil: 1")
    shop.ask(GREETING)
    assert (shop.outcome(), bots.asked) == ("misconfigured", [])


OFFERED = Product(
    id="gid://shopify/Product/5", variant_id="gid://shopify/ProductVariant/50", title="Casco", variant="Única",
    price=25990, stock=2, url="https://shop.test/5",
)  # fmt: skip
OWN_MATTERS = {
    "wants a person": ("necesito hablar con una persona", {}),
    "is angry": ("¡esto es una estafa, son unos ladrones, estoy furiosa!", {}),
    "answers an offer": (
        "sí",
        {"state": DialogueState(intent="product_query", offered=(OFFERED,), pending="cart_offer")},
    ),
    "chooses": ("1", {"state": DialogueState(intent="ambiguous", options=("faq_hours", "faq_shipping"))}),
    "says nothing": ("\u200b", {}),
    "sends a photo": ("aquí va", {"message": {"type": "image_with_text"}}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "more"), OWN_MATTERS.values(), ids=OWN_MATTERS.keys())
def test_what_only_we_can_understand_and_what_goes_to_a_person_is_not_sent(bots: Bots, text: str, more: dict[str, Any]):
    shop = brain(bots, bots.settings(V12))
    assert shop.ask(text, **more) == small_shop().decide(_request(text, 1, **more))
    assert (bots.asked, shop.outcome()) == ([], None)


def test_a_shop_without_a_bot_is_answered_as_ever(bots: Bots):
    assert brain(bots, None).ask(GREETING).intent == "greeting"
    assert bots.asked == []


def test_v12_is_sent_as_much_as_it_takes_and_the_rest_beside_it(bots: Bots):
    long = "¿despachan a " + "la casa de mi tía " * 30 + "?"
    assert brain(bots, bots.settings(V12)).ask(long).intent == "faq_shipping"
    assert bots.asked[0]["message"]["content"] == long


def test_passages_we_found_stand_beside_the_bots_words(bots: Bots):
    bots.says = lambda _asked: shipping(intent="faq_hours", reply="Abrimos de 11:00 a 19:30.")
    decision = brain(bots, bots.settings(V12)).ask("¿a qué hora abren?")
    assert any("11:00" in cited.text for cited in decision.rag_context)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dialect": "v12", "bot": "tienda"},
        {"dialect": "cloud", "bot": "../admin"},
        {"dialect": "cloud", "bot": "a", "url": "ftp://x.cl"},
        {"dialect": "cloud", "bot": "a", "url": "https://user@x.cl"},
    ],
)
def test_settings_that_lead_nowhere_are_refused(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=r"url|bot"):
        BotpressSettings.model_validate(wrong)


def test_the_same_question_is_the_same_whoever_the_bot_is():
    native: NativeAgent = small_shop()
    first, again, other = (_request(text, 1) for text in (GREETING, GREETING, "hola, buenos días"))
    hashes = [
        asked.hash for each in (first, again, other) if (asked := asked_of(each, native.decide(each), contracts()))
    ]
    assert len(hashes) == 3
    assert hashes[0] == hashes[1] != hashes[2]


def _request(text: str, message_id: int, **more: Any) -> AgentRequest:
    return request(text, message_id=message_id, contact=Contact(id=3, name="Rosa Fuentes"), **more)
