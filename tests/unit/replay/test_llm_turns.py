"""A turn whose answer a language model has worded: recorded by the live brain, played again without any network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.unit.agents.llm.brains import patient
from tests.unit.agents.llm.providers import Provider, import_libraries, provider_server
from tests.unit.replay.conftest import HOURS, Shop

from smarteros.agents.llm.stored_ledger import PostgresLlmLedger
from smarteros.domain.llm import LlmSettings
from smarteros.kit.clock import in_santiago

HOURS_QUESTION = "¿cuál es el horario de atención?"
WORDED = "De lunes a viernes atendemos de 10:00 a 19:00."


@pytest.fixture
def server() -> Iterator[Provider]:
    import_libraries()
    with provider_server() as provider:
        provider.output = {"answerable": True, "reply": WORDED, "citations": [1]}
        yield provider


@pytest.fixture
def worded(shop: Shop, server: Provider, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with a language model of its own."""
    settings = LlmSettings(
        provider="openai", model="house", base_url=f"{server.url}/v1", monthly_tokens=100_000, timeout_ms=20_000
    )
    monkeypatch.setattr(shop.services.agent.with_model, "contracts", patient(shop.services.contracts))
    shop.services.tenants.save(shop.tenant.model_copy(update={"llm": settings}))
    return shop


def test_a_worded_turn_is_played_again_bit_for_bit_without_network(worded: Shop, server: Provider) -> None:
    turn = worded.answer(HOURS_QUESTION)
    asked = len(server.received)
    server.output = {"answerable": True, "reply": "Otra cosa.", "citations": [1]}

    result = worded.replayer(agent=worded.services.agent.recorded).replay(turn)

    assert (result.verdict, result.differences) == ("same", ())
    assert WORDED in (result.recorded_reply or "")
    assert result.replayed_reply == result.recorded_reply
    assert (asked, len(server.received)) == (1, 1)


def test_it_is_played_again_after_the_shop_went_back_to_the_embedded_brain(worded: Shop) -> None:
    turn = worded.answer(HOURS_QUESTION)
    worded.services.tenants.save(worded.tenant.model_copy(update={"llm": None}))

    assert worded.replayer(agent=worded.services.agent.recorded).replay(turn).verdict == "same"


def test_another_text_in_the_knowledge_base_is_named_as_the_reason(worded: Shop) -> None:
    turn = worded.answer(HOURS_QUESTION)
    changed = HOURS.model_copy(update={"markdown": HOURS.markdown.replace("19:00", "20:00")})
    worded.services.knowledge.replace(worded.tenant.scope, (changed,))

    result = worded.replayer(agent=worded.services.agent.recorded).replay(turn)

    assert result.verdict == "different"
    assert "llm_not_recorded" in str(result.differences[0].replayed)


def test_a_shops_month_is_in_the_books(worded: Shop, server: Provider) -> None:
    worded.answer(HOURS_QUESTION)
    worded.answer(HOURS_QUESTION)
    month = in_santiago(datetime.now(UTC)).strftime("%Y-%m")
    spent = PostgresLlmLedger(worded.services.database).spent(worded.tenant.scope, month)
    assert (spent.calls, spent.tokens) == (2, 2 * (321 + 45))
