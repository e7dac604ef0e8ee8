"""Turns that a shop's own bot has decided, in a whole installation: told, traced, and played again without asking."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.agents.botpress.bots import KEY, Bots, bots_serving, shipping
from tests.unit.agents.llm.brains import patient
from tests.unit.replay.conftest import Shop

from smarteros.domain.botpress import BOT_KEY_PATH, BotpressSettings
from smarteros.privacy.explain import asked_for, explain
from smarteros.privacy.tracing import Tracer
from smarteros.store.turn_inputs import find_turn

GREETING = "hola, buenas tardes"


@pytest.fixture(scope="module")
def bots() -> Iterator[Bots]:
    with bots_serving() as opened:
        yield opened


@pytest.fixture
def decided(shop: Shop, bots: Bots, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with a bot of its own."""
    bots.forget()
    settings: BotpressSettings = bots.settings(("v12", "with a key"))
    monkeypatch.setattr(shop.services.agent.with_bot, "contracts", patient(shop.services.contracts))
    shop.services.secrets.write(shop.tenant.scope, BOT_KEY_PATH, KEY)
    shop.services.tenants.save(shop.tenant.model_copy(update={"botpress": settings}))
    return shop


def explained(shop: Shop, turn: str) -> str:
    services = shop.services
    tenant, recorded = find_turn(services.database, services.tenants.find, turn)
    calls = asked_for(services.llm_ledger, tenant, recorded)
    return "\n".join(explain(tenant, recorded, services.contracts, calls).in_words())


def test_a_turn_the_bot_decided_is_played_again_without_asking_it(decided: Shop, bots: Bots) -> None:
    turn = decided.answer(GREETING)
    bots.says = lambda _asked: shipping(confidence=0.5)
    decided.services.tenants.save(decided.tenant.model_copy(update={"botpress": None}))

    result = decided.replayer(agent=decided.services.agent.recorded).replay(turn)

    assert (result.verdict, result.differences) == ("same", ())
    assert len(bots.asked) == 1


def test_the_bot_and_what_became_of_its_answer_are_told_and_traced(decided: Shop) -> None:
    turn = decided.answer(GREETING)
    assert "asked      botpress v12:bot-keye: used" in explained(decided, turn)
    assert "understood faq_shipping (confidence 0.93" in explained(decided, turn)
    services = decided.services
    story = Tracer(services.database, services.tenants.find).story(f"{decided.tenant.tenant_id}:7")
    (asked,) = (each for each in story if each.what == "botpress")
    assert asked.details["outcome"] == "used"
    assert KEY not in str(story)


def test_a_turn_decided_without_the_bots_help_says_why_and_is_played_again(decided: Shop, bots: Bots) -> None:
    bots.says = lambda _asked: "Claro que sí."
    turn = decided.answer(GREETING)
    assert "asked      botpress v12:bot-keye: malformed" in explained(decided, turn)
    assert "understood greeting" in explained(decided, turn)
    assert decided.replayer(agent=decided.services.agent.recorded).replay(turn).verdict == "same"
