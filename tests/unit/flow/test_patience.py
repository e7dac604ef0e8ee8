"""How long the bot waits for a customer who may not have finished."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.domain.decisions import DialogueState
from smarteros.domain.messages import Attachment, Contact, IncomingMessage
from smarteros.flow.loop_guard import is_loop
from smarteros.flow.turn_taking import MOST_BURST_S, MOST_PATIENCE_S, patience_s

CART_OFFERED = DialogueState(pending="cart_offer")
PHOTO = (Attachment(id=1, kind="image", url="https://chat.example/boleta.jpg"),)


def message(text: str, **changes: Any) -> IncomingMessage:
    fields: dict[str, Any] = {
        "id": 1,
        "tenant_id": "FLOW_SHOP",
        "account_id": 31,
        "conversation_id": 1,
        "inbox_id": 52,
        "channel": "whatsapp",
        "contact": Contact(id=5),
        "text": text,
        "created_at": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return IncomingMessage(**(fields | changes))


def patience(*texts: str, ages: tuple[float, ...] | None = None, state: DialogueState | None = None) -> float:
    return patience_s([message(t) for t in texts], ages or (0.0,) * len(texts), state or DialogueState())


@pytest.mark.parametrize(
    "text",
    ["¿Tienen zapatillas talla 42?", "Where are you located?", "¿Cómo?", "sí", "no", "42", "gracias", "👍",
     "quiero hablar con una persona", "busco poleras", "zapatillas talla 99", "sí, por favor", "Zapatillas.",
     "PÉSIMO SERVICIO, llevo tres semanas esperando", "hola, ¿a qué hora abren?", "muchas gracias, eso era todo"],
)  # fmt: skip
def test_whoever_has_said_everything_is_answered_at_once(text: str) -> None:
    assert patience(text) == 0.0


@pytest.mark.parametrize(
    "text",
    ["hola", "buenas", "hola, buenas tardes", "una consulta", "Hola, una consulta", "el de", "busco zapatillas,",
     "quería saber si...", "zapatillas y", "te mando la foto", "ahí va la boleta", "le envío el comprobante",
     "here is the receipt", "mmm", "zapatillas", "tienen", "i have a question"],
)  # fmt: skip
def test_a_fragment_waits_for_the_rest(text: str) -> None:
    assert 1.0 <= patience(text) <= MOST_PATIENCE_S


def test_a_greeting_waits_less_than_an_announced_question() -> None:
    assert patience("hola") < patience("una consulta")


def test_the_wait_counts_from_the_last_message() -> None:
    assert patience("hola", ages=(1.0,)) == pytest.approx(0.5)
    assert patience("hola", ages=(2.0,)) == 0.0


def test_a_question_ends_the_wait_of_the_fragments_before_it() -> None:
    assert patience("hola", "una consulta", "¿tienen zapatillas talla 42?") == 0.0


def test_a_slow_typist_is_given_more_time_than_a_fast_one() -> None:
    assert patience("hola", "zapatillas", ages=(0.4, 0.0)) < patience("hola", "zapatillas", ages=(1.5, 0.0))


def test_a_word_that_answers_our_question_needs_no_more_words() -> None:
    assert patience("azules") > 0.0
    assert patience("azules", state=CART_OFFERED) == 0.0
    assert patience("azules", state=DialogueState(clarifications=1)) == 0.0


def test_a_mail_is_complete() -> None:
    assert patience_s([message("hola", channel="email")], [0.0], DialogueState()) == 0.0


def test_a_photo_waits_for_its_words_unless_it_was_asked_for() -> None:
    photo = message("", attachments=PHOTO)
    assert 0.0 < patience_s([photo], [0.0], DialogueState()) < MOST_PATIENCE_S
    assert patience_s([photo], [0.0], DialogueState(pending="invoice_photo")) == 0.0
    assert patience_s([message("así llegó", attachments=PHOTO)], [0.0], DialogueState()) == 0.0


def test_no_messages_need_no_patience() -> None:
    assert patience_s([], [], DialogueState()) == 0.0


ANY_TEXT = st.text(max_size=60) | st.sampled_from(["hola", "una consulta", "el de", "¿y?", "zapatillas,", "te mando"])
BURSTS = st.lists(st.tuples(ANY_TEXT, st.floats(0, 20)), min_size=1, max_size=5)
STATES = st.sampled_from([DialogueState(), CART_OFFERED, DialogueState(clarifications=1)])


@given(burst=BURSTS, state=STATES)
def test_nobody_waits_longer_than_the_bounds(burst: list[tuple[str, float]], state: DialogueState) -> None:
    ages = sorted((age for _, age in burst), reverse=True)
    wait = patience_s([message(text) for text, _ in burst], ages, state)

    assert 0.0 <= wait <= MOST_PATIENCE_S
    assert wait == 0.0 or ages[0] + wait <= MOST_BURST_S
    assert wait == 0.0 or ages[-1] + wait <= MOST_PATIENCE_S


@given(burst=BURSTS, words=st.text(max_size=40), state=STATES)
def test_a_question_never_waits(burst: list[tuple[str, float]], words: str, state: DialogueState) -> None:
    ages = sorted((age for _, age in burst), reverse=True)
    messages = [*(message(text) for text, _ in burst), message(f"{words}?")]

    assert patience_s(messages, [*ages, 0.0], state) == 0.0


@given(text=ANY_TEXT, state=STATES, earlier=st.floats(0, 3), later=st.floats(0, 3))
def test_patience_only_shrinks_while_nothing_comes(
    text: str, state: DialogueState, earlier: float, later: float
) -> None:
    earlier, later = sorted((earlier, later))
    at_first = patience_s([message(text)], [earlier], state)
    assert patience_s([message(text)], [later], state) <= at_first


@given(turn_s=st.floats(0.05, 22))
def test_two_bots_that_answer_each_other_end_within_half_an_hour(turn_s: float) -> None:
    replies: tuple[list[float], list[float]] = ([], [])
    now, speaker = 0.0, 0
    while not is_loop([now - at for at in replies[speaker]]):
        replies[speaker].append(now)
        now, speaker = now + turn_s, 1 - speaker
        assert now <= 1800 + turn_s

    assert len(replies[0]) + len(replies[1]) <= 80


def test_a_talkative_customer_is_no_loop() -> None:
    assert not is_loop([7.0 * reply for reply in range(1, 10)])
