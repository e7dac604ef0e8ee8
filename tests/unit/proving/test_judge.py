"""The judge finds the guilty guilty and the innocent innocent."""

from __future__ import annotations

from smarteros.proving.judge import CHARGES, Charge, judge
from smarteros.proving.transcript import Entry, Kind, ScriptedTurn, Transcript, sign_of

HOURS = ScriptedTurn(number=1, messages=1, expects=("Lunes",))
PAYMENT = ScriptedTurn(number=2, messages=1, expects=("Webpay",))
BURST = ScriptedTurn(number=1, messages=2, expects=("Lunes",))
SAID = {"hours": "Lunes a Viernes", "payment": "Webpay o transferencia", "other": "Hola, ¿en qué te ayudo?"}


def customer(number: int, at: float, turn: int = 1) -> Entry:
    return Entry(id=number, kind="customer", text="¿…?", turn=turn, at=at, arrived=at + 0.1)


def bot(number: int, at: float, *to: int, says: str = "hours", marker: str | None = None) -> Entry:
    return Entry(id=number, kind="bot", text=SAID[says], marker=marker or f"m{number}", at=at, answers=to)


def sign(number: int, kind: Kind, at: float) -> Entry:
    return Entry(id=number, kind=kind, at=at)


def charges(*entries: Entry, turns: tuple[ScriptedTurn, ...] = (HOURS,)) -> list[Charge]:
    findings = judge(_transcript(entries, turns)).findings
    return [finding.charge for finding in findings if finding.charge in CHARGES]


def _transcript(entries: tuple[Entry, ...], turns: tuple[ScriptedTurn, ...] = (HOURS,)) -> Transcript:
    return Transcript(tenant_id="TENANT_DEMO", conversation_id=1, entries=entries, turns=turns)


def test_a_question_with_its_answer_is_innocent() -> None:
    assert charges(customer(1, 0), bot(2, 1, 1)) == []


def test_a_message_without_a_reply_is_lost() -> None:
    assert charges(customer(1, 0)) == ["lost"]


def test_a_message_is_not_saved_by_the_reply_to_another_one() -> None:
    before = (customer(1, 0), bot(2, 1, 1), customer(3, 2, turn=2))
    assert charges(*before, turns=(HOURS, PAYMENT)) == ["lost"]
    assert charges(*before, customer(4, 3, turn=2), bot(5, 4, 4, says="payment"), turns=(HOURS, PAYMENT)) == ["lost"]


def test_a_reply_that_says_something_else_has_lost_the_question() -> None:
    assert charges(customer(1, 0), bot(2, 1, 1, says="other")) == ["lost"]


def test_a_question_the_bot_could_not_answer_is_not_lost_when_it_called_a_person() -> None:
    gave_up = (customer(1, 0), bot(2, 1, 1, says="other"))

    assert charges(*gave_up, sign(3, "note", 1.1), sign(4, "handed", 1.2)) == []
    assert charges(*gave_up, customer(3, 2, turn=2), sign(4, "handed", 2.1), turns=(HOURS, PAYMENT)) == ["lost"]


def test_questions_answered_in_one_go_need_not_all_be_in_the_words() -> None:
    both = (customer(1, 0), customer(2, 1, turn=2), bot(3, 2, 1, 2, says="payment"))

    assert charges(*both, turns=(HOURS, PAYMENT)) == []


def test_a_message_a_person_took_is_not_lost() -> None:
    assert charges(customer(1, 0), sign(2, "human", 1)) == []
    assert charges(customer(1, 0), sign(2, "taken", 1)) == []


def test_messages_after_a_hand_over_and_in_an_outage_are_counted_as_left_to_people() -> None:
    handed = judge(_transcript((customer(1, 0), bot(2, 1, 1), sign(3, "handed", 1), customer(4, 2))))
    opened = judge(_transcript((customer(1, 0), sign(2, "outage", 1), customer(3, 2))))

    assert (handed.findings, handed.handed) == ((), 1)
    assert (opened.findings, opened.outage) == ((), 2)


def test_a_question_a_greeting_did_not_know_is_the_persons_who_comes() -> None:
    said = (customer(1, 0), customer(2, 1.0), bot(3, 1.0, 1, says="other"), customer(4, 1.2, turn=2))

    assert charges(*said, sign(5, "taken", 1.5), turns=(BURST, PAYMENT)) == []
    assert charges(*said, sign(5, "outage", 1.5), turns=(BURST, PAYMENT)) == []
    assert charges(*said[:3], bot(4, 2.5, 2, says="other"), sign(5, "taken", 3), turns=(BURST,)) == ["lost"]


def test_after_the_bot_has_the_conversation_back_messages_can_be_lost_again() -> None:
    entries = (sign(1, "human", 0), customer(2, 1), sign(3, "bot_again", 2), customer(4, 3))

    assert charges(*entries) == ["lost"]


def test_a_burst_whose_end_came_while_people_had_the_conversation_is_not_lost() -> None:
    entries = (customer(1, 0), bot(2, 0.5, 1, says="other"), sign(3, "outage", 0.6), customer(4, 1))

    assert charges(*entries, turns=(BURST,)) == []


def test_what_people_got_in_an_outage_may_be_answered_once_when_the_bot_has_the_conversation_again() -> None:
    asked = (customer(1, 0), sign(2, "outage", 0.1), sign(3, "bot_again", 1), customer(4, 2, turn=2))
    told = (*asked, bot(5, 3, 4, says="payment"), bot(6, 20, 1))

    assert charges(*told, turns=(HOURS, PAYMENT)) == []
    assert charges(*told, bot(7, 21, 1), turns=(HOURS, PAYMENT)) == ["doubled"]


def test_what_a_person_answered_after_an_outage_is_not_the_bots_any_more() -> None:
    taken = (customer(1, 0), sign(2, "outage", 0.1), sign(3, "taken", 0.5))
    person = sign(4, "human", 0.6).model_copy(update={"arrived": 0.7})

    assert charges(*taken, sign(5, "bot_again", 1), bot(6, 20, 1)) == []
    assert charges(*taken, person, sign(5, "bot_again", 1), bot(6, 20, 1)) == ["after_human"]


def test_a_late_reply_to_what_a_person_answered_is_guilty_and_answers_nothing_that_waits() -> None:
    person = sign(2, "human", 20).model_copy(update={"arrived": 20.1})
    back = (customer(1, 0), person, sign(3, "bot_again", 20), customer(4, 20, turn=2))
    late, soon, answer = bot(5, 22, 1), bot(5, 20.4, 1), bot(6, 23, 4, says="payment")

    assert charges(*back, late, answer, turns=(HOURS, PAYMENT)) == ["after_human"]
    assert charges(*back, soon, answer, turns=(HOURS, PAYMENT)) == []
    assert charges(*back, soon, turns=(HOURS, PAYMENT)) == ["lost"]


def test_what_a_person_took_and_gave_back_unanswered_may_be_answered_once() -> None:
    back = (customer(1, 0), sign(2, "taken", 20), sign(3, "bot_again", 21), customer(4, 22, turn=2))
    told = (*back, bot(5, 23, 4, says="payment"), bot(6, 40, 1))

    assert charges(*told, turns=(HOURS, PAYMENT)) == []
    assert charges(*told, bot(7, 50, 1), turns=(HOURS, PAYMENT)) == ["doubled"]


def test_the_late_answer_to_what_a_person_gave_back_is_not_that_of_the_question_that_waits() -> None:
    before = (customer(1, 0), sign(2, "taken", 20), sign(3, "bot_again", 21), customer(4, 22, turn=2), bot(5, 25, 1))

    assert charges(*before, bot(6, 26, 4, says="payment"), turns=(HOURS, PAYMENT)) == []
    assert charges(*before, turns=(HOURS, PAYMENT)) == ["lost"]


def test_the_same_marker_twice_is_a_doubled_reply() -> None:
    assert charges(customer(1, 0), bot(2, 1, 1, marker="m"), bot(3, 2, 1, marker="m")) == ["doubled"]


def test_two_replies_to_one_message_are_doubled_whatever_their_markers() -> None:
    assert charges(customer(1, 0), bot(2, 1, 1), bot(3, 2, 1)) == ["doubled"]


def test_a_reply_to_nobody_is_doubled() -> None:
    assert charges(bot(1, 0), turns=()) == ["doubled"]


def test_an_apology_that_names_nothing_is_for_all_that_waits_when_people_get_it() -> None:
    told = (customer(1, 0), bot(2, 1, 1), customer(3, 5, turn=2))
    apology, handed = bot(4, 20, says="other"), sign(5, "handed", 20)
    assert charges(*told, apology, handed, turns=(HOURS,)) == []
    assert charges(*told, apology, turns=(HOURS,)) == ["doubled", "lost"]
    assert charges(*told[:2], apology, handed, turns=(HOURS,)) == ["doubled"]
    assert charges(*told, apology, bot(6, 21, says="other"), handed, turns=(HOURS,)).count("doubled") >= 1


def test_a_reply_after_a_persons_message_is_guilty() -> None:
    assert charges(customer(1, 0), sign(2, "human", 1), bot(3, 3, 1)) == ["after_human"]


def test_a_reply_after_an_assignment_or_after_the_hand_over_is_guilty() -> None:
    handed = (customer(1, 0), bot(2, 1, 1), sign(3, "handed", 1), customer(4, 5), bot(5, 9, 4))
    assert charges(customer(1, 0), sign(2, "taken", 1), bot(3, 3, 1)) == ["after_human"]
    assert charges(*handed) == ["after_human"]


def test_a_reply_under_way_when_the_person_came_has_lost_a_race() -> None:
    verdict = judge(_transcript((customer(1, 0), sign(2, "human", 1), bot(3, 1.3, 1))))

    assert (verdict.findings, verdict.raced) == ((), 1)


def test_a_slow_request_may_lose_the_race_by_as_much_as_it_was_slowed() -> None:
    entries = (customer(1, 0), sign(2, "human", 1), bot(3, 2.2, 1))
    slowed = _transcript(entries).model_copy(update={"slowed": ((0.0, 1.0),)})

    assert judge(slowed).findings == ()
    assert charges(*entries) == ["after_human"]


def test_a_reply_is_not_excused_when_nobody_knows_when_it_came() -> None:
    late = bot(3, 0, 1).model_copy(update={"at": None})

    assert charges(customer(1, 0), sign(2, "human", 1), late) == ["after_human"]


def test_a_burst_answered_once_is_innocent() -> None:
    verdict = judge(_transcript((customer(1, 0), customer(2, 1), bot(3, 2, 1, 2)), (BURST,)))

    assert (verdict.findings, verdict.bursts, verdict.two_replies) == ((), 1, 0)


def test_a_reply_to_the_first_part_only_is_superseded_when_the_rest_had_been_there() -> None:
    entries = (customer(1, 0), customer(2, 1), bot(3, 3, 1, says="other"), bot(4, 4, 2))

    assert charges(*entries, turns=(BURST,)) == ["superseded_sent"]
    assert judge(_transcript(entries, (BURST,))).two_replies == 1


def test_a_reply_that_could_not_know_the_rest_is_one_of_two_replies_and_no_more() -> None:
    verdict = judge(_transcript((customer(1, 0), customer(2, 1), bot(3, 1.2, 1, says="other"), bot(4, 2, 2)), (BURST,)))

    assert [finding.charge for finding in verdict.findings] == ["two_replies"]
    assert verdict.two_replies == 1


def test_a_second_reply_after_a_pause_is_counted_as_two_replies_to_the_burst() -> None:
    verdict = judge(_transcript((customer(1, 0), bot(2, 0.5, 1, says="other"), customer(3, 1), bot(4, 2, 3)), (BURST,)))

    assert [finding.charge for finding in verdict.findings] == ["two_replies"]
    assert verdict.two_replies == 1


def test_a_burst_whose_last_part_people_got_is_not_lost() -> None:
    entries = (customer(1, 0), bot(2, 0.5, 1, says="other"), customer(3, 1), sign(4, "outage", 1.1))

    assert charges(*entries, turns=(BURST,)) == []


def test_a_burst_torn_apart_by_a_lost_webhook_may_have_two_replies() -> None:
    lost = customer(3, 1).model_copy(update={"arrived": None})
    verdict = judge(_transcript((customer(1, 0), bot(2, 0.5, 1, says="other"), lost, bot(4, 30, 3)), (BURST,)))

    assert (verdict.findings, verdict.bursts) == ((), 0)


def test_a_burst_whose_last_part_nobody_answered_has_lost_it() -> None:
    assert charges(customer(1, 0), customer(2, 1), bot(3, 1.2, 1, says="other"), turns=(BURST,)) == ["lost"]


def test_a_last_part_that_was_answered_together_with_the_next_question_is_not_lost() -> None:
    greeted = (customer(1, 0), customer(2, 1), bot(3, 1.1, 1, says="other"))
    entries = (*greeted, customer(4, 1.3, turn=2), bot(5, 2, 2, 4, says="payment"))

    assert charges(*entries, turns=(BURST, PAYMENT)) == []


def test_a_late_webhook_may_be_answered_after_the_next_question() -> None:
    late = customer(2, 1).model_copy(update={"arrived": 3.4})
    asked = (customer(1, 0), late, bot(3, 3, 1, says="other"), customer(4, 3.1, turn=2))

    assert charges(*asked, bot(5, 3.3, 4, says="payment"), bot(6, 3.6, 2), turns=(BURST, PAYMENT)) == []


def test_a_greeting_whose_webhook_came_after_the_answer_needs_none_of_its_own() -> None:
    late = customer(1, 0).model_copy(update={"text": "hola", "arrived": 3.0})
    question = late.model_copy(update={"text": "¿Cuándo abren?"})

    assert charges(late, customer(2, 1), bot(3, 2, 2), turns=(BURST,)) == []
    assert charges(question, customer(2, 1), bot(3, 2, 2), turns=(BURST,)) == ["lost"]
    assert charges(late.model_copy(update={"arrived": 0.1}), customer(2, 1), bot(3, 2, 2), turns=(BURST,)) == ["lost"]


def test_after_five_seconds_a_burst_is_answered_without_what_came_meanwhile() -> None:
    asked = (customer(1, 0), customer(2, 1))

    assert charges(*asked, bot(3, 6, 1), bot(4, 6.5, 2), turns=(BURST,)) == []
    assert charges(*asked, bot(3, 4, 1), bot(4, 6.5, 2), turns=(BURST,)) == ["superseded_sent"]


def test_what_was_answered_together_began_with_its_oldest_message() -> None:
    asked = (customer(1, 0), customer(2, 4, turn=2), customer(3, 4.5, turn=2))
    two = PAYMENT.model_copy(update={"messages": 2})

    assert charges(*asked, bot(4, 5.5, 1, 2), bot(5, 7, 3, says="payment"), turns=(HOURS, two)) == []


def test_questions_answered_the_wrong_way_round_are_out_of_order() -> None:
    asked = (customer(1, 0), customer(2, 1, turn=2))

    assert charges(*asked, bot(3, 3, 2, says="payment"), bot(4, 4, 1), turns=(HOURS, PAYMENT)) == ["out_of_order"]


def test_the_same_question_asked_again_is_answered_in_order_whatever_the_words() -> None:
    asked = (customer(1, 0), customer(2, 9, turn=2), customer(3, 18, turn=3))
    again = HOURS.model_copy(update={"number": 3})
    told = (bot(4, 20, 1), bot(5, 21, 2, says="payment"), bot(6, 22, 3))

    assert charges(*asked, *told, turns=(HOURS, PAYMENT, again)) == []


def test_a_question_that_arrived_late_may_be_answered_late() -> None:
    late = customer(1, 0).model_copy(update={"arrived": 3.0})
    entries = (late, customer(2, 1, turn=2), bot(3, 2, 2, says="payment"), bot(4, 4, 1))

    assert charges(*entries, turns=(HOURS, PAYMENT)) == []


def test_a_finding_shows_the_conversation() -> None:
    finding = judge(_transcript((customer(1, 0), bot(2, 1, 1), bot(3, 2, 1)))).findings[0]

    assert len(finding.transcript) == 3
    assert "Lunes a Viernes" in finding.transcript[1]
    assert "(to 1)" in finding.transcript[1]


def test_activity_lines_tell_who_leads() -> None:
    told = {
        "Conversation was marked open by system due to an error with the agent bot": "outage",
        "Conversation was reopened by SmarterOS": "handed",
        "Conversation was reopened by Carolina Soto": "taken",
        "Assigned to Carolina Soto by Carolina Soto": "taken",
        "Assigned to SmarterOS by Carolina Soto": "bot_again",
        "Conversation was marked as pending by Carolina Soto": "bot_again",
        "Conversation unassigned by Carolina Soto": "other",
    }

    assert {line: sign_of(line, "SmarterOS") for line in told} == told
