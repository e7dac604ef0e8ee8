"""A recorded turn played again gives the same reply, and a difference is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.replay.conftest import HOURS, Shop

from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tools import ToolResult

DAY = timedelta(days=1)


class AlwaysGreets:
    """An agent that understands every message as a greeting, or as ``decision`` says."""

    def __init__(self, decision: Decision | None = None) -> None:
        self.asked: list[AgentRequest] = []
        self.decision = decision or Decision(intent="greeting", confidence=0.99, route="smalltalk")

    def decide(self, request: AgentRequest) -> Decision:
        self.asked.append(request)
        return self.decision


def test_a_turn_played_again_says_the_same_word_for_word(shop: Shop) -> None:
    result = shop.replayer().replay(shop.answer("¿cuál es el horario de atención?"))

    assert (result.verdict, result.differences, result.notes) == ("same", (), ())
    assert result.recorded_reply is not None
    assert "10:00 a 19:00" in result.recorded_reply
    assert result.replayed_reply == result.recorded_reply


def test_tools_answer_what_they_answered(shop: Shop, found_shoes: ToolResult) -> None:
    result = shop.replayer().replay(shop.answer("¿Tienen zapatillas talla 42?", found_shoes))

    assert result.verdict == "same"
    assert "39990 CLP" in (result.replayed_reply or "")


def test_the_agent_is_asked_what_it_was_asked(shop: Shop) -> None:
    agent = AlwaysGreets()
    shop.replayer(agent=agent).replay(shop.answer("¿cuál es el horario de atención?"))

    (asked,) = agent.asked
    assert asked.message.content == "¿cuál es el horario de atención?"
    assert (asked.context.history, asked.contact.name) == (("hola",), "Camila")


def test_another_agent_shows_as_a_difference_in_decision_and_reply(shop: Shop) -> None:
    result = shop.replayer(agent=AlwaysGreets()).replay(shop.answer("¿cuál es el horario de atención?"))

    differences = {each.what: (each.recorded, each.replayed) for each in result.differences}
    assert result.verdict == "different"
    assert differences["intent"] == ("faq_hours", "greeting")
    assert "reply" in differences
    lines = "\n".join(result.in_words())
    assert "--- recorded" in lines
    assert "+++ replayed" in lines


def test_what_a_tool_was_never_asked_is_not_made_up(shop: Shop) -> None:
    wishes = Decision.model_validate(
        {
            "intent": "product_query",
            "confidence": 0.99,
            "route": "shopify_sales",
            "actions": [{"tool": "shopify_search_products", "params": {"query": "botas"}}],
        }
    )
    result = shop.replayer(agent=AlwaysGreets(wishes)).replay(shop.answer("¿cuál es el horario de atención?"))

    assert result.replayed_reply is None
    assert any("shopify_search_products" in note for note in result.notes)


def test_a_shop_that_has_changed_its_name_is_replayed_under_the_old_one(shop: Shop) -> None:
    turn = shop.answer("hola")
    shop.services.tenants.save(shop.tenant.model_copy(update={"name": "Otra Tienda"}))

    assert shop.replayer().replay(turn).verdict == "same"


def test_new_texts_of_the_shop_are_named_as_the_reason(shop: Shop) -> None:
    turn = shop.answer("¿cuál es el horario de atención?")
    later = HOURS.model_copy(update={"markdown": HOURS.markdown.replace("19:00", "20:30")})
    shop.services.knowledge.replace(shop.tenant.scope, (later,))
    result = shop.replayer().replay(turn)

    assert result.verdict == "different"
    assert "20:30" in (result.replayed_reply or "")
    assert result.notes == ("the knowledge base has changed (import 1 then, 2 now)",)


def test_a_turn_that_was_not_decided_cannot_be_played(shop: Shop) -> None:
    result = shop.replayer().replay(shop.answer("hola", outcome="muted"))

    assert (result.verdict, result.reason) == ("not_replayable", "muted: it was not decided")


def test_all_turns_of_a_time_are_played_in_order(shop: Shop, found_shoes: ToolResult) -> None:
    turns = [shop.answer("hola"), shop.answer("¿Tienen zapatillas talla 42?", found_shoes), shop.answer("gracias")]
    results = list(shop.replayer().replay_since(shop.tenant, datetime.now(UTC) - DAY))

    assert [(r.turn_id, r.verdict) for r in results] == [(turn, "same") for turn in turns]
    assert list(shop.replayer().replay_since(shop.tenant, datetime.now(UTC) + DAY)) == []


def test_no_tenant_plays_the_turns_of_another(shop: Shop) -> None:
    turn = shop.answer("hola")
    stranger = shop.tenant.model_copy(update={"tenant_id": "REPLAY_STRANGER"})

    assert list(shop.replayer().replay_since(stranger, datetime.now(UTC) - DAY)) == []
    with pytest.raises(RejectedInputError):
        shop.replayer().replay(turn.replace(shop.tenant.tenant_id, "REPLAY_STRANGER"))


@pytest.mark.parametrize("odd", ["", "x", "REPLAY_NOBODY:1:000000000001", "\x00", ":::"])
def test_an_unknown_turn_is_refused_in_one_sentence(shop: Shop, odd: str) -> None:
    with pytest.raises(RejectedInputError):
        shop.replayer().replay(odd)
