"""A customer who wants no more messages hears so once, and from then on only people write to him."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import PermanentError
from smarteros.domain.messages import CONTACT_BLOCKED
from smarteros.domain.turns import ClaimedTurn, TurnRecord
from smarteros.flow.fence import FencedError
from smarteros.flow.workflow import TurnWorkflow
from smarteros.kit.clock import SystemClock
from smarteros.privacy.contacts import KnownBy
from smarteros.privacy.opt_out import confirmation, opts_out
from smarteros.privacy.subject import PersonalData
from smarteros.store.turns import list_turns

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
ANA = KnownBy("chatwoot_id", "5")


class NobodyAsked:
    def decide(self, request: object) -> Any:
        raise AssertionError("the agent was asked")


def run(bench: Bench, turn: ClaimedTurn) -> TurnRecord:
    TurnWorkflow(replace(bench.parts, contracts=CONTRACTS, agent=cast("Any", NobodyAsked()))).run(turn)
    with bench.database.tenant(TENANT.scope) as connection:
        return list_turns(connection, TENANT.tenant_id, bench.conversation_id, 10)[-1]


def says(bench: Bench, message_id: int, text: str) -> TurnRecord:
    bench.receive(message_id, text, ago_s=30.0)
    return run(bench, bench.claim(message_id))


def given_back(bench: Bench) -> None:
    """A person has resolved the conversation, and the customer writes again: it is the bot's."""
    bench.channel.state = bench.channel.state.model_copy(update={"status": "pending"})


def rights(bench: Bench) -> PersonalData:
    return PersonalData(bench.database, SystemClock(), bench.contact_keys)


def test_the_wish_is_confirmed_once_and_a_person_is_told(bench: Bench) -> None:
    record = says(bench, 1, "No quiero más mensajes por favor")

    assert (record.outcome, record.rule) == ("escalated", "opt_out")
    assert bench.channel.posted == [confirmation("", "es")]
    (note,) = bench.channel.notes
    assert "No quiero más mensajes por favor" in note
    assert bench.channel.state.status == "open"


def test_what_he_writes_afterwards_goes_to_a_person_without_an_answer(bench: Bench) -> None:
    says(bench, 1, "STOP")
    given_back(bench)
    record = says(bench, 2, "¿tienen zapatillas talla 42?")
    given_back(bench)
    again = says(bench, 3, "stop")

    assert [(r.outcome, r.reason) for r in (record, again)] == [("muted", CONTACT_BLOCKED)] * 2
    assert len(bench.channel.posted) == 1
    assert len(bench.channel.notes) == 3
    assert bench.channel.state.status == "open"


def test_a_worker_that_dies_after_the_confirmation_leaves_the_wish_to_the_next_one(bench: Bench) -> None:
    bench.receive(1, "denme de baja", ago_s=30.0)
    turn = bench.claim(1)

    def die() -> None:
        raise KeyboardInterrupt

    bench.channel.on_post = die
    with pytest.raises(KeyboardInterrupt):
        run(bench, turn)
    assert run(bench, bench.take_over(1)).rule == "opt_out"
    given_back(bench)

    assert says(bench, 2, "hola").reason == CONTACT_BLOCKED
    assert len(bench.channel.posted) == 1


def test_a_reply_that_was_being_written_is_not_sent_to_a_person_blocked_meanwhile(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    assert rights(bench).block(TENANT, ANA) == 1

    with pytest.raises(FencedError) as fenced:
        attempt.send("Sí, tenemos.")
    assert fenced.value.replied.reason == CONTACT_BLOCKED
    assert bench.channel.posted == []


def test_a_channel_that_takes_no_note_does_not_make_the_bot_speak_to_a_blocked_person(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise PermanentError("conversation_gone", "gone")

    rights(bench).block(TENANT, ANA)
    monkeypatch.setattr(bench.channel, "hand_over", gone)
    record = says(bench, 1, "hola")

    assert (record.outcome, record.reason, bench.channel.posted) == ("failed", "conversation_gone", [])


def test_the_bot_speaks_again_when_the_block_is_lifted(bench: Bench) -> None:
    rights(bench).block(TENANT, ANA)
    assert rights(bench).unblock(TENANT, ANA) == 1
    assert rights(bench).unblock(TENANT, ANA) == 0
    bench.receive(1)
    bench.begin(1).send("Sí, tenemos.")

    assert bench.channel.posted == ["Sí, tenemos."]


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop por favor", "¡BAJA!", "no quiero más mensajes", "No me escriban más.", "no me escribas más",
        "quiero darme de baja", "denme de baja por favor", "dejen de escribirme!!", "no quiero recibir mas publicidad",
        "no me manden más mensajes", "please stop messaging me", "Unsubscribe", "Don’t text me again",
        "no more messages", "ya no me escriban", "no quiero que me escriban", "basta de mensajes",
        "ya no quiero mensajes",
        "Paren de escribirme.", "no me llamen ni me escriban más", "no vuelvan a escribirme", "déjenme en paz",
        "no más mensajes porfa", "quiero cancelar mi suscripción", "no me hable más", "remove me from your list",
    ],
)  # fmt: skip
def test_words_that_say_so_are_understood(text: str) -> None:
    assert opts_out(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "no me escriban más tarde de las 9", "¿la zapatilla de caña baja?", "no quiero que me den de baja",
        "no quiero más zapatillas", "no me mandes más fotos", "stop, ¿tienen talla 42?", "¿cuál es la más baja?",
        "quiero la baja de precio", "no quiero que me escriban más información", "bájame el precio",
        "no me escriban al correo, escríbanme por aquí", "no me escriban hasta el lunes", "¿por qué no me escriben?",
        "ya no me escriben nunca, ¿y mi pedido?", "basta de esperar, ¿dónde está mi pedido?", "no me hable así",
        "no me contacten por teléfono, mejor por aquí", "¿la suscripción se puede cancelar?", "ya no me sirve",
        "¿por qué dejaron de mandarme los avisos del pedido?", "no me manden la negra, quiero la roja",
    ],
)  # fmt: skip
def test_other_words_are_no_such_wish(text: str) -> None:
    assert not opts_out(text)


def test_the_confirmation_is_in_the_language_of_the_conversation_or_of_the_wish() -> None:
    assert confirmation("stop messaging me", None) == confirmation("STOP", "en")
    assert confirmation("STOP", None) == confirmation("stop messaging me", "es") != confirmation("STOP", "en")
