"""``smos agent train``: conversations teach the brain, with a review in between, and never to its harm."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.agents.diary import Diary, clarify, sure
from tests.unit.agents.talk import held_out
from typer.testing import CliRunner, Result

from smarteros.agents.training.conversations import MOST_OF_ONE_CONVERSATION, proposals_of
from smarteros.agents.training.held_out import parts_of
from smarteros.cli.agent import app
from smarteros.domain.decisions import DialogueState
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import PeopleSaid, Proposal
from smarteros.store.examples import PostgresExampleStore
from smarteros.store.turn_inputs import recorded_since

# Don Goyo is a boatman on an island: nobody but this shop's customers knows that he brings parcels.
GOYO = (
    "don goyo viene el jueves?",
    "me lo puede mandar con don goyo",
    "don goyo lleva cosas grandes también?",
    "cuánto cobra don goyo por traerlo",
    "don goyo pasa por Quemchi esta semana",
    "si compro hoy lo alcanza a traer don goyo?",
    "don goyo anda con la lancha mala?",
    "le aviso yo a don goyo o ustedes",
)
UNSEEN = "¿don goyo sale mañana?"


def train(shop: Diary, *options: str) -> Result:
    return CliRunner().invoke(app, ["train", "--tenant", shop.tenant.tenant_id, "--json", *options])


def found(shop: Diary, people: dict[int, PeopleSaid] | None = None) -> dict[str, Proposal]:
    now = datetime.now(UTC)
    with shop.database.tenant(shop.tenant.scope) as connection:
        turns = list(recorded_since(connection, shop.tenant.tenant_id, now - timedelta(days=1)))
    return {proposal.text: proposal for proposal in proposals_of(turns, people or {}, now=now)}


def goyo_is_about_shipping(shop: Diary) -> None:
    for conversation, text in enumerate(GOYO, start=1):
        shop.asks_and_picks(conversation, text, "por los costos de envío", "faq_shipping", "order_status")


def test_what_customers_chose_makes_a_doubtful_phrasing_understood_and_can_be_taken_back(shop: Diary):
    goyo_is_about_shipping(shop)
    before = shop.ask(UNSEEN)
    result = train(shop, "--from-conversations")
    report = json.loads(result.stdout)
    after = shop.ask(UNSEEN)
    assert result.exit_code == 0
    assert before.intent != "faq_shipping" or before.confidence < 0.5
    assert (after.intent, after.confidence > 0.7) == ("faq_shipping", True)
    assert report["activated"] == 1
    assert report["right_after"] > report["right_before"]
    assert report["held_out"] == len(GOYO) == report["intents"]["faq_shipping"]["examples"]
    assert all(flip["after"] == "faq_shipping" for flip in report["flips"])
    CliRunner().invoke(app, ["examples", "remove", "--tenant", shop.tenant.tenant_id, GOYO[0]])
    rolled = CliRunner().invoke(app, ["models", "rollback", "--tenant", shop.tenant.tenant_id, "--json"])
    assert json.loads(rolled.stdout)[0]["version"] == 1


def test_a_review_is_read_back_as_a_person_left_it(shop: Diary, tmp_path: Path):
    goyo_is_about_shipping(shop)
    review = tmp_path / "review.jsonl"
    CliRunner().invoke(
        app, ["train", "--tenant", shop.tenant.tenant_id, "--from-conversations", "--review", str(review)]
    )
    lines = [json.loads(line) for line in review.read_text("utf-8").splitlines()]
    assert {line["source"] for line in lines} == {"chosen_option"}
    assert PostgresExampleStore(shop.database).active(shop.tenant.scope) is None
    for line in lines[:2]:
        line["accepted"] = False
    lines.append({"text": "don goyo trae la mercadería los lunes?", "intent": "faq_shipping", "accepted": True})
    review.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    assert json.loads(train(shop, "--review", str(review)).stdout)["activated"] == 1
    active = PostgresExampleStore(shop.database).active(shop.tenant.scope)
    assert active is not None
    texts = {example.text for example in active.examples}
    assert texts == {line["text"] for line in lines if line["accepted"]}


def test_wrong_labels_are_not_activated(shop: Diary, tmp_path: Path):
    questions = [message.text for message in held_out("held_out") if message.intent == "faq_shipping"]
    review = tmp_path / "poison.jsonl"
    poison = [
        {"text": text, "intent": "faq_hours", "accepted": True, "conversation": n} for n, text in enumerate(questions)
    ]
    review.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in poison), "utf-8")
    before = shop.ask("¿cuánto cuesta el despacho a Temuco?")
    result = train(shop, "--review", str(review))
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["activated"] is None
    assert "contradict" in report["reason"]
    assert len(report["contradicted"]) > 0.2 * len(poison)
    assert PostgresExampleStore(shop.database).active(shop.tenant.scope) is None
    assert shop.ask("¿cuánto cuesta el despacho a Temuco?").intent == before.intent == "faq_shipping"


def test_labels_without_sense_are_not_activated(shop: Diary, tmp_path: Path):
    intents = ("faq_hours", "complaint", "order_status", "product_query")
    lines = [
        {"text": text, "intent": intents[n % 4], "accepted": True, "conversation": n} for n, text in enumerate(GOYO)
    ]
    review = tmp_path / "noise.jsonl"
    review.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    report = json.loads(train(shop, "--review", str(review)).stdout)
    assert report["activated"] is None
    assert "not understood better" in report["reason"]


def test_one_conversation_is_too_little_to_judge_by(shop: Diary):
    shop.asks_and_picks(1, GOYO[0], "el envío", "faq_shipping", "order_status")
    result = train(shop, "--from-conversations")
    assert result.exit_code == 1
    assert "at least two conversations" in json.loads(result.stdout)["reason"]


def test_without_anything_new_nothing_is_wrong(shop: Diary):
    result = train(shop, "--from-conversations")
    assert (result.exit_code, json.loads(result.stdout)["reason"]) == (0, "nothing new was accepted")


def test_personal_data_is_not_learnt(shop: Diary):
    shop.asks_and_picks(1, "don goyo me llama al +56 9 8765 4321?", "el envío", "faq_shipping", "order_status")
    (text,) = found(shop)
    assert "8765" not in text
    assert "[PHONE_1]" in text


def test_what_was_answered_well_is_accepted_and_what_the_customer_denied_is_not(shop: Diary):
    shop.say(1, "hasta cuándo atienden los sábados", sure("faq_hours"))
    shop.say(2, "cuánto sale llevarlo a Chaitén", sure("faq_hours"))
    shop.say(2, "no pregunté eso, quiero saber por el flete", sure("faq_shipping"))
    shop.say(3, "mi paquete no llega hace un mes", sure("order_status"))
    shop.say(3, "quiero hablar con alguien", sure("human_request"), outcome="escalated")
    proposals = found(shop)
    assert (
        proposals["hasta cuándo atienden los sábados"].accepted,
        proposals["cuánto sale llevarlo a Chaitén"].accepted,
    ) == (
        True,
        False,
    )
    assert proposals["cuánto sale llevarlo a Chaitén"].source == "misunderstood"
    assert "mi paquete no llega hace un mes" not in proposals


def test_a_conversation_that_may_go_on_teaches_nothing_yet(shop: Diary):
    shop.say(1, "hasta cuándo atienden los sábados", sure("faq_hours"), ago=timedelta(minutes=5))
    assert found(shop) == {}


def test_a_conversation_a_person_had_to_finish_is_no_success(shop: Diary):
    shop.say(1, "hasta cuándo atienden los sábados", sure("faq_hours"))
    assert found(shop, {1: PeopleSaid(status="resolved", replies=("Le respondo yo",))}) == {}
    assert len(found(shop, {1: PeopleSaid(status="resolved")})) == 1
    assert found(shop, {1: PeopleSaid(status="pending")}) == {}


@pytest.mark.parametrize(
    ("people", "intent", "accepted", "source"),
    [
        (PeopleSaid(notes=("intención: faq_shipping",)), "faq_shipping", True, "person_note"),
        (PeopleSaid(labels=("vip", "faq_shipping")), "faq_shipping", True, "person_label"),
        (
            PeopleSaid(labels=("faq_shipping", "complaint"), replies=("Sale los jueves",)),
            "order_status",
            None,
            "person_reply",
        ),
        (PeopleSaid(notes=("intent: nonsense",), replies=("Sale los jueves",)), "order_status", None, "person_reply"),
    ],
)
def test_a_person_of_the_shop_says_what_was_meant(
    shop: Diary, people: PeopleSaid, intent: str, accepted: bool | None, source: str
):
    shop.say(1, GOYO[0], clarify("order_status", "faq_shipping"))
    shop.say(1, "no sé", sure("human_request"), outcome="escalated")
    proposal = found(shop, {1: people})[GOYO[0]]
    assert (proposal.intent, proposal.accepted, proposal.source) == (intent, accepted, source)


def test_one_customer_does_not_shape_the_brain(shop: Diary):
    for text in (*GOYO, *(f"y {text}" for text in GOYO)):
        shop.say(1, text, clarify("faq_shipping", "order_status"))
        shop.say(1, "el envío", sure("faq_shipping"), state=DialogueState(options=("faq_shipping", "order_status")))
    assert len(found(shop)) == MOST_OF_ONE_CONVERSATION


def test_one_conversation_is_never_on_both_sides_of_the_evaluation():
    proposals = [Proposal(text=f"texto {n}", intent="faq_hours", conversation=n % 7) for n in range(40)]
    parts = parts_of(proposals)
    sides = [{proposal.conversation for proposal in part} for part in parts]
    assert sum(len(side) for side in sides) == 7
    assert sum(len(part) for part in parts) == 40


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ('{"text": "a", "intent": "nope"}', "intent:"),
        ('{"text": "", "intent": "complaint"}', "text:"),
    ],
)
def test_a_bad_line_of_the_review_is_named(shop: Diary, tmp_path: Path, line: str, reason: str):
    review = tmp_path / "review.jsonl"
    review.write_text(f'{{"text": "hola", "intent": "greeting"}}\n{line}\n', "utf-8")
    result = train(shop, "--review", str(review))
    assert isinstance(result.exception, RejectedInputError)
    assert f"line 2: {reason}" in str(result.exception)
