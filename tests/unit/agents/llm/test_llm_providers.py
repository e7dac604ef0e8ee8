"""What goes over the wire to OpenAI, Anthropic and Google, and what is made of their answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support import serving
from tests.unit.agents.llm.brains import KEY, Brain, brain, request, small_shop
from tests.unit.agents.llm.providers import INPUT_TOKENS, OUTPUT_TOKENS, Provider, provider_server
from tests.unit.agents.talk import SCOPE

from smarteros.agents.llm.pydantic_ai_model import PydanticAiModel
from smarteros.domain.llm import LlmSettings
from smarteros.domain.messages import Contact

ANSWER = {"answerable": True, "reply": "El despacho cuesta $4.500 a todo Chile.", "citations": [1]}
SHIPPING = "¿cuánto cuesta el despacho?"
pytestmark = pytest.mark.usefixtures("libraries")
PROVIDERS = {
    "openai": ("gpt-4o-mini", "/v1"),
    "anthropic": ("claude-haiku-4-5", ""),
    "google": ("gemini-2.5-flash-lite", ""),
    # A server that only speaks like OpenAI, with a model nobody has heard of.
    "openai-compatible": ("house-model-7b", "/v1"),
}


@pytest.fixture
def server() -> Iterator[Provider]:
    with provider_server() as provider:
        provider.output = ANSWER
        yield provider


@pytest.fixture
def model() -> Iterator[PydanticAiModel]:
    opened = PydanticAiModel()
    yield opened
    opened.close()


def settings_for(name: str, url: str, **more: Any) -> LlmSettings:
    model, path = PROVIDERS[name]
    provider = "openai" if name == "openai-compatible" else name
    return LlmSettings.model_validate(
        {
            "provider": provider,
            "model": model,
            "base_url": url + path,
            "monthly_tokens": 1_000_000,
            "timeout_ms": 20_000,
            **more,
        }
    )


@pytest.fixture(params=sorted(PROVIDERS))
def connected(request: pytest.FixtureRequest, server: Provider, model: PydanticAiModel) -> Brain:
    return brain(settings=settings_for(request.param, server.url), model=model)


def outcome_of(agent: Brain) -> str:
    (call,) = agent.ledger.calls(SCOPE, 7, 1)
    return call.outcome


def test_an_answer_comes_back_with_its_tokens(connected: Brain, server: Provider):
    assert connected.ask(SHIPPING).reply == ANSWER["reply"]
    (call,) = connected.ledger.calls(SCOPE, 7, 1)
    assert (call.outcome, call.input_tokens, call.output_tokens) == ("answered", INPUT_TOKENS, OUTPUT_TOKENS)
    assert len(server.received) == 1


def test_the_key_is_in_a_header_and_nowhere_else(connected: Brain, server: Provider):
    connected.ask(SHIPPING)
    (sent,) = server.received
    carrying = [name for name, value in sent.headers.items() if KEY in value]
    assert carrying and set(carrying) <= {"authorization", "x-api-key", "x-goog-api-key"}
    assert KEY not in sent.raw + sent.path


def test_the_schema_is_sent_and_no_tool_but_the_answer(connected: Brain, server: Provider):
    connected.ask(SHIPPING)
    body = server.received[0].body
    assert "citations" in json.dumps({key: value for key, value in body.items() if key not in ("messages", "contents")})
    names = [tool.get("name") or tool.get("function", {}).get("name") for tool in body.get("tools", [])]
    assert set(names) <= {"answer"}


def test_neither_tenant_nor_customer_is_recognisable_on_the_wire(connected: Brain, server: Provider):
    contact = Contact(id=3, name="Rosa Fuentes", phone="+56979540471", email="rosa.fuentes@correo.cl")
    text = (
        f"{SHIPPING} soy Rosa, rut 12.345.678-5, fono +56 9 7954 0471 o 979540471, rosa.fuentes@correo.cl, tarjeta "
        f"4111 1111 1111 1111, vivo en Los Aromos 345 depto 12, cliente de {SCOPE.tenant_id} ws_tenant_bicicletas"
    )
    history = ("mi otro correo es r2@correo.cl y mi fono ９ ７９５４ ０４７２",)
    connected.agent.decide(request(text, contact=contact, history=history))
    sent = server.received[0].everything.lower()
    for secret in (
        "12.345.678", "7954", "979540471", "@correo.cl", "4111", "aromos 345", "tenant_bicicletas", "fuentes",
    ):  # fmt: skip
        assert secret not in sent, secret
    assert "[rut_1]" in sent
    assert "[card_1]" in sent


def test_a_hidden_value_of_the_shop_comes_back_in_the_answer(server: Provider, model: PydanticAiModel):
    server.output = {"answerable": True, "reply": "Estamos en [ADDRESS_1], Ñuñoa.", "citations": [1]}
    agent = brain(settings=settings_for("openai", server.url), model=model)
    reply = agent.ask("¿dónde quedan?").reply
    sent = server.received[0].raw
    if "ADDRESS_1" in sent:
        assert reply == "Estamos en Irarrázaval 2020, Ñuñoa."
    else:  # an address without "calle" or "avenida" is not recognised; then the placeholder hides nothing
        assert reply == small_shop().decide(request("¿dónde quedan?")).reply


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, "rejected"), (404, "rejected"), (429, "rate_limited"), (500, "unavailable"), (503, "unavailable"),
     (529, "unavailable")],
)  # fmt: skip
def test_an_error_status_is_sorted_and_not_tried_again(connected: Brain, server: Provider, status: int, outcome: str):
    server.status = status
    assert connected.ask(SHIPPING) == small_shop().decide(request(SHIPPING))
    assert outcome_of(connected) == outcome
    assert len(server.received) == 1


def test_silence_ends_at_the_time_limit(server: Provider, model: PydanticAiModel):
    for name in PROVIDERS:
        server.silent = True
        agent = brain(settings=settings_for(name, server.url, timeout_ms=150), model=model)
        assert agent.ask(SHIPPING).reply == ANSWER["reply"]  # the embedded brain's words are the same here
        assert outcome_of(agent) == "timeout"


def test_what_does_not_fit_the_schema_is_a_fault_and_asked_once(connected: Brain, server: Provider):
    server.output = {"reply": 7}
    connected.ask(SHIPPING)
    assert outcome_of(connected) == "malformed"
    (call,) = connected.ledger.calls(SCOPE, 7, 1)
    assert (call.input_tokens, call.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
    assert len(server.received) == 1


def test_an_answer_that_was_cut_off_is_a_fault(connected: Brain, server: Provider):
    server.output, server.cut_off = '{"answerable": true, "reply": "El despa', True
    connected.ask(SHIPPING)
    assert outcome_of(connected) in {"malformed", "refused"}


def test_a_refusal_of_the_model_is_a_fault(connected: Brain, server: Provider):
    server.refuses, server.output = True, ""
    assert connected.ask(SHIPPING) == small_shop().decide(request(SHIPPING))
    assert outcome_of(connected) in {"refused", "malformed"}


def test_a_server_that_is_not_there_is_a_fault(model: PydanticAiModel):
    agent = brain(settings=settings_for("openai", "http://127.0.0.1:9"), model=model)
    agent.ask(SHIPPING)
    assert outcome_of(agent) == "unavailable"


def test_a_redirect_does_not_carry_the_key_away(server: Provider, model: PydanticAiModel):
    taken: list[Any] = []

    async def thief(scope: Any, receive: Any, send: Any) -> None:
        taken.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    with serving(thief) as elsewhere:
        server.redirect_to = f"{elsewhere}/v1/chat/completions"
        agent = brain(settings=settings_for("openai", server.url), model=model)
        assert agent.ask(SHIPPING) == small_shop().decide(request(SHIPPING))
    assert taken == []


def test_the_environment_of_the_process_is_nobodys_settings(
    server: Provider, model: PydanticAiModel, monkeypatch: pytest.MonkeyPatch
):
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY",
                 "GOOGLE_API_KEY", "GEMINI_API_KEY"):  # fmt: skip
        monkeypatch.setenv(name, "of-the-installation")
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "x-leak: of-the-installation")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in PROVIDERS:
        brain(settings=settings_for(name, server.url), model=model).ask(SHIPPING)
    assert len(server.received) == len(PROVIDERS)
    assert not any("of-the-installation" in sent.everything for sent in server.received)


def test_without_a_key_only_an_own_server_is_asked(server: Provider, model: PydanticAiModel):
    keyless = brain(settings=settings_for("openai-compatible", server.url), model=model, key=None)
    assert keyless.ask(SHIPPING).reply == ANSWER["reply"]
    for name in ("anthropic", "google"):
        agent = brain(settings=settings_for(name, server.url), model=model, key=None)
        agent.ask(SHIPPING)
        assert outcome_of(agent) == "misconfigured"
    assert len(server.received) == 1


def test_without_the_extra_the_embedded_brain_answers(
    server: Provider, model: PydanticAiModel, monkeypatch: pytest.MonkeyPatch
):
    for library in ("openai", "anthropic", "google"):
        monkeypatch.setitem(sys.modules, f"pydantic_ai.models.{library}", None)
    for name in PROVIDERS:
        agent = brain(settings=settings_for(name, server.url), model=model)
        assert agent.ask(SHIPPING) == small_shop().decide(request(SHIPPING))
        assert outcome_of(agent) == "misconfigured"
