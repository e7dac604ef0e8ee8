"""The runner, played against a tiny stack on a loopback port."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smarteros.contracts.loader import load_contract
from smarteros.contracts.models import Contract, Scenario
from smarteros.domain.errors import ConfigError
from smarteros.scenarios import runner as runner_module
from smarteros.scenarios.expectations import compare
from smarteros.scenarios.results import ScenarioResult
from smarteros.scenarios.runner import ScenarioRunner

from .tiny_stack import TinyStack


@pytest.fixture
def contract(spoiled: Callable[..., Path]) -> Contract:
    return load_contract(spoiled())


@pytest.fixture
def play(tiny: TinyStack, contract: Contract) -> Any:
    def play_turns(*turns: dict[str, Any], **scenario: Any) -> ScenarioResult:
        runner = ScenarioRunner(tiny.url)
        try:
            return runner.run(contract, Scenario.model_validate({"name": "s", "turns": turns} | scenario))
        finally:
            runner.close()

    return play_turns


def test_a_scenario_passes_when_everything_is_as_expected(play: Any) -> None:
    expect = {
        "intent": "faq_hours", "route": "kb_direct", "flow": "e2e_faq_quick", "outcome": "answered",
        "rule": "answered_from_kb", "confidence": "> 0.90", "latency": "< 2s", "contains": ["9:00"],
        "not_contains": ["10:00"],
    }  # fmt: skip
    result = play({"say": "¿Horario?", "expect": expect})
    assert result.passed, result.failures
    (turn,) = result.turns
    assert turn.reply == "Nuestro horario es de 9:00 a 18:00"
    assert turn.latency_ms is not None


@pytest.mark.parametrize(
    ("expect", "failure"),
    [
        ({"intent": "greeting"}, "intent is 'faq_hours', expected 'greeting'"),
        ({"route": "clarify"}, "route is 'kb_direct'"),
        ({"flow": "other"}, "flow is 'e2e_faq_quick'"),
        ({"outcome": "escalated"}, "outcome is 'answered'"),
        ({"rule": "clarify"}, "rule is 'answered_from_kb'"),
        ({"confidence": "> 0.97"}, "confidence is 0.96, expected > 0.97"),
        ({"products": "> 0"}, "products is unknown"),
        ({"ocr_confidence": "> 0.9"}, "ocr_confidence is unknown"),
        ({"latency": "< 0ms"}, "latency (ms) is"),
        ({"contains": ["10:00"]}, "does not contain '10:00'"),
        ({"not_contains": ["9:00"]}, "contains '9:00', which it must not"),
        ({"audit": {"intent": "greeting"}}, "no audit event has"),
        ({"outcome": "muted"}, "there must be none"),
    ],
)
def test_what_is_not_as_expected_is_said_in_a_sentence(expect: dict[str, Any], failure: str, play: Any) -> None:
    result = play({"say": "¿Horario?", "expect": expect})
    assert not result.passed
    assert any(failure in sentence and sentence.startswith("turn 1: ") for sentence in result.failures)


def test_products_readings_and_audit_details_are_looked_at(play: Any, tiny: TinyStack) -> None:
    tiny.turn = {
        "tool_results": [{"tool": "shopify_search_products", "outcome": "ok", "data": {"products": [{}, {}]}}],
        "reading": {"confidence": 0.95},
    }
    tiny.details = {"products_returned": 2}
    expect = {"products": "== 2", "ocr_confidence": "> 0.90", "audit": {"kind": "turn", "products_returned": 2}}
    assert play({"say": "botas", "expect": expect}).failures == ()


def test_a_customer_without_a_reply_is_a_failure(play: Any, tiny: TinyStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "REPLY_WITHIN_S", 0.05)
    monkeypatch.setattr(runner_module, "RECORD_WITHIN_S", 0.05)
    tiny.answer, tiny.records = None, False
    assert any("no reply within" in failure for failure in play({"say": "hola", "expect": {}}).failures)


def test_silence_is_right_when_a_person_has_the_conversation(
    play: Any, tiny: TinyStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "SILENCE_S", 0.05)
    tiny.answer, tiny.records = None, False
    assert play({"say": "hola", "expect": {"outcome": "muted"}}).passed


def test_all_turns_are_one_conversation(play: Any, tiny: TinyStack) -> None:
    assert play({"say": "uno", "expect": {}}, {"say": "dos", "expect": {}}).passed
    created = [path for method, path, _ in tiny.calls if method == "POST" and path.endswith("/conversations")]
    assert len(created) == 1


def test_a_photo_is_sent_as_an_attachment(play: Any, tiny: TinyStack) -> None:
    assert play({"photo": {"invoice": "INV-1"}, "expect": {}}, {"photo": {}, "expect": {}}).passed
    bodies = [body for method, path, body in tiny.calls if method == "POST" and path.endswith("/messages")]
    assert all(b'name="attachments[]"' in body and b"\x89PNG" in body for body in bodies)
    assert b"PNG picture" in bodies[0]


def test_clock_and_faults_are_set_before_and_reset_after(play: Any, tiny: TinyStack) -> None:
    fault = {"service": "shopify", "kind": "hang", "value": 10}
    play({"say": "hola", "faults": [fault], "expect": {}}, now="2025-11-01T12:00:00-03:00")
    controls = [
        (m, p, json.loads(b or b"null")) for m, p, b in tiny.calls if p.startswith("/sandbox/") and p[9:] != "info"
    ]
    assert controls == [
        ("POST", "/sandbox/clock", {"account_id": 1, "now": "2025-11-01T12:00:00-03:00"}),
        ("POST", "/sandbox/faults", {**fault, "value": 10.0, "times": None, "scope": "TENANT_DEMO"}),
        ("DELETE", "/sandbox/faults", None),
        ("POST", "/sandbox/clock", {"account_id": 1, "now": None}),
    ]


def test_clock_and_faults_are_reset_when_the_scenario_breaks(play: Any, tiny: TinyStack) -> None:
    tiny.refuses_faults = True
    fault = {"service": "odoo", "kind": "unheard_of"}
    result = play({"say": "hola", "faults": [fault], "expect": {}}, now="2025-11-01T12:00:00-03:00")
    assert any("no such fault" in failure for failure in result.failures)
    assert ("DELETE", "/sandbox/faults", b"") in tiny.calls
    assert json.loads(tiny.calls[-1][2]) == {"account_id": 1, "now": None}


def test_a_forged_webhook_is_in_chatwoots_form_with_a_signature_that_is_wrong(play: Any, tiny: TinyStack) -> None:
    expect = {"http_status": 401, "error": "Invalid HMAC signature", "audit": {"kind": "webhook_refused"}}
    assert play({"say": "hola", "signature": "wrong", "expect": expect}).failures == ()
    body = next(json.loads(body) for _, path, body in tiny.calls if path.startswith("/webhooks"))
    assert (body["event"], body["account"]["id"], body["content"]) == ("message_created", 1, "hola")
    assert not any(path.startswith("/public") for _, path, _ in tiny.calls)


def test_a_forged_webhook_that_is_believed_is_a_failure(play: Any, tiny: TinyStack) -> None:
    tiny.webhook_status = 200
    result = play({"say": "hola", "signature": "wrong", "expect": {"http_status": 401}})
    assert result.failures == ("turn 1: HTTP status is 200, expected 401",)


@pytest.mark.parametrize(
    ("scenario", "code"),
    [({"tenant": "TENANT_NOBODY"}, "unknown_tenant"), ({"channel": "email"}, "unknown_inbox")],
)
def test_what_the_stack_does_not_have_is_a_failure_of_the_scenario(
    scenario: dict[str, Any], code: str, play: Any
) -> None:
    (failure,) = play({"say": "hola", "expect": {}}, **scenario).failures
    assert failure.startswith(code)


def test_an_address_that_is_no_stack_is_a_mistake_of_the_operator(tiny: TinyStack) -> None:
    with pytest.raises(ConfigError, match="unexpected answer"):
        ScenarioRunner(f"{tiny.url}/public")


@pytest.mark.parametrize(
    ("comparison", "value", "result"),
    [("> 0.90", 0.91, True), ("> 0.90", 0.90, False), ("< 5s", 4999, True), ("< 5s", 5000, False),
     ("<= 300ms", 300, True), (">= 2", 1, False), ("== 0", 0, True)],
)  # fmt: skip
def test_comparisons_mean_what_they_say(comparison: str, value: float, result: bool) -> None:
    assert compare(comparison, value) is result
