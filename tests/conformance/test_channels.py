"""What every Channel must do, whatever stands behind it.

Each implementation brings a ``Bench``: the channel, and a way to see and disturb the other side.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conformance.channel_bench import (
    CONVERSATION,
    Bench,
    SmallChatwoot,
    a_reply,
    bench,
    chatwoot,
    http,
)

from smarteros.domain.errors import ConfigError, PermanentError, TransientError
from smarteros.kit.http import HttpClient

__all__ = ["bench", "chatwoot", "http"]


def test_a_reply_is_posted_with_its_marker_in_one_request(bench: Bench) -> None:
    posted = bench.channel.post(bench.tenant, a_reply())
    (message,) = bench.marked(a_reply())
    assert (posted.message_id, posted.already_there) == (message["id"], False)
    assert message["content"] == "Nos quedan 3 en talla M."
    assert message["content_attributes"] == {"smos_reply_id": "r" * 26}
    assert len(bench.chatwoot.requests) == 1


def test_a_reply_names_the_messages_it_answers(bench: Bench) -> None:
    bench.channel.post(bench.tenant, a_reply(answers=(7, 9)))
    (message,) = bench.marked(a_reply())
    assert message["content_attributes"] == {"smos_reply_id": "r" * 26, "smos_answers": [7, 9]}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 0])
def test_a_reply_saved_before_the_server_failed_is_there_exactly_once(bench: Bench, status: int) -> None:
    bench.chatwoot.faults = [{"save": True, "status": status}]
    posted = bench.channel.post(bench.tenant, a_reply())
    assert posted.already_there
    assert len(bench.marked(a_reply())) == 1


def test_a_success_that_cannot_be_read_is_looked_up_not_repeated(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": True, "status": 200, "body": "ok"}]
    assert bench.channel.post(bench.tenant, a_reply()).already_there
    assert len(bench.marked(a_reply())) == 1


@pytest.mark.parametrize("status", [429, 500, 0])
def test_a_reply_that_was_not_saved_is_posted_again(bench: Bench, status: int) -> None:
    bench.chatwoot.faults = [{"save": False, "status": status}] * 2
    assert not bench.channel.post(bench.tenant, a_reply()).already_there
    assert len(bench.marked(a_reply())) == 1
    assert len(bench.slept) == 2


def test_three_attempts_are_enough(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": False, "status": 500}] * 9
    with pytest.raises(TransientError):
        bench.channel.post(bench.tenant, a_reply())
    assert len(bench.chatwoot.faults) == 6


def test_the_last_attempt_is_looked_up_too(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": False, "status": 500}] * 2 + [{"save": True, "status": 500}]
    assert bench.channel.post(bench.tenant, a_reply()).already_there
    assert len(bench.marked(a_reply())) == 1


def test_nothing_is_posted_while_the_marker_cannot_be_looked_for(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": True, "status": 500}]
    bench.chatwoot.read_faults = [503]
    with pytest.raises(TransientError):
        bench.channel.post(bench.tenant, a_reply())
    # Repeating the very same call is safe: the channel knows that the first one was unclear.
    assert bench.channel.post(bench.tenant, a_reply()).already_there
    assert len(bench.marked(a_reply())) == 1


def test_a_new_worker_finds_the_reply_of_a_dead_one(bench: Bench, http: HttpClient) -> None:
    first = bench.channel.post(bench.tenant, a_reply())
    again = bench.new_worker(http).post(bench.tenant, a_reply(), maybe_sent=True)
    assert (again.message_id, again.already_there) == (first.message_id, True)
    assert len(bench.marked(a_reply())) == 1


def test_a_new_worker_posts_what_a_dead_one_only_meant_to(bench: Bench) -> None:
    assert not bench.channel.post(bench.tenant, a_reply(), maybe_sent=True).already_there
    assert len(bench.marked(a_reply())) == 1


def test_a_marker_below_newer_messages_is_found_with_a_user_token(chatwoot: SmallChatwoot, http: HttpClient) -> None:
    bench = Bench(chatwoot, http, user_token=True)
    bench.channel.post(bench.tenant, a_reply())
    for number in range(45):
        chatwoot.say(f"hola {number}")
    assert bench.channel.post(bench.tenant, a_reply(), maybe_sent=True).already_there


def test_another_reply_is_not_taken_for_ours(bench: Bench) -> None:
    bench.channel.post(bench.tenant, a_reply(reply_id="a" * 26))
    assert not bench.channel.post(bench.tenant, a_reply(reply_id="b" * 26), maybe_sent=True).already_there


def test_a_reply_runs_no_liquid_and_fits_the_channel(bench: Bench) -> None:
    text = "Hola {{contact.email}}. " + "Una frase más. " * 400
    bench.channel.post(bench.tenant, a_reply(text))
    content = bench.chatwoot.messages[0]["content"]
    assert "{{" not in content
    assert len(content) <= 4096
    assert content.endswith("frase más.…")


def test_a_conversation_is_read_as_it_is(bench: Bench) -> None:
    last = bench.chatwoot.say("¿Y en verde?")
    state = bench.channel.conversation(bench.tenant, CONVERSATION)
    assert state.model_dump() == {
        "conversation_id": CONVERSATION,
        "status": "pending",
        "assigned_to_human": False,
        "can_reply": True,
        "last_incoming_message_id": last,
        "starts": "pending",
        "answered_by_person": False,
        "person_replied": False,
        "updated_at": None,
    }


@pytest.mark.parametrize(
    ("line", "is_back"),
    [
        ("Conversation was marked as pending by Paula", True),
        ("La conversación fue marcada como pendiente por Paula", True),
        ("Paula added urgente", False),
        ("Conversation was reopened by Paula", False),
    ],
)
def test_that_a_person_gave_the_conversation_back_is_read_from_what_was_done(
    bench: Bench, line: str, is_back: bool
) -> None:
    bench.chatwoot.say("Hola, le atiende Paula.", message_type=1, sender={"id": 3, "type": "user"})
    bench.chatwoot.say(line, message_type=2)
    bench.chatwoot.say("Gracias, y ¿tienen talla 40?")
    may_read = bench.secrets.find(bench.tenant.scope, "chatwoot/user_token") is not None
    assert bench.channel.given_back(bench.tenant, CONVERSATION) is (is_back and may_read)


def test_a_person_who_writes_after_giving_the_conversation_back_has_it(bench: Bench) -> None:
    bench.chatwoot.say("Conversation was marked as pending by Paula", message_type=2)
    bench.chatwoot.say("Una cosa más…", message_type=1, sender={"id": 3, "type": "user"})
    assert not bench.channel.given_back(bench.tenant, CONVERSATION)


def test_a_persons_answer_is_seen_although_nothing_else_tells_of_it(bench: Bench) -> None:
    bench.chatwoot.say("¿Y en verde?")
    bench.chatwoot.say("Sí, también", message_type=1, sender={"id": 3, "type": "user"})
    assert bench.channel.conversation(bench.tenant, CONVERSATION).led_by_person == "human_reply"

    bench.chatwoot.say("¿Y en rojo?")
    assert bench.channel.conversation(bench.tenant, CONVERSATION).led_by_person is None


def test_our_own_answer_is_no_persons(bench: Bench) -> None:
    bench.chatwoot.say("¿Y en verde?")
    bench.channel.post(bench.tenant, a_reply())
    assert bench.channel.conversation(bench.tenant, CONVERSATION).led_by_person is None


def test_an_assigned_person_is_seen(bench: Bench) -> None:
    bench.chatwoot.assignee_type = "User"
    assert bench.channel.conversation(bench.tenant, CONVERSATION).assigned_to_human


def test_handing_over_leaves_a_private_note_and_opens_the_conversation(bench: Bench) -> None:
    bench.channel.hand_over(bench.tenant, CONVERSATION, "Pide un cambio; {{x}}")
    (note,) = bench.chatwoot.messages
    assert note["private"] is True
    assert note["content"] == "Pide un cambio; {\u200b{x}}"
    assert bench.chatwoot.status == "open"


def test_handing_over_twice_changes_nothing(bench: Bench) -> None:
    for _ in range(2):
        bench.channel.hand_over(bench.tenant, CONVERSATION, "Pide un cambio")
    assert len(bench.chatwoot.messages) == 1
    toggles = [path for _, path in bench.chatwoot.requests if path.endswith("toggle_status")]
    assert len(toggles) == 1


CALLS: list[Callable[[Bench], object]] = [
    lambda b: b.channel.conversation(b.tenant, CONVERSATION),
    lambda b: b.channel.post(b.tenant, a_reply()),
    lambda b: b.channel.hand_over(b.tenant, CONVERSATION, "nota"),
]


@pytest.mark.parametrize("call", CALLS)
def test_refused_credentials_are_the_operators_to_solve(bench: Bench, call: Callable[[Bench], object]) -> None:
    bench.secrets.write(bench.tenant.scope, "chatwoot/api_token", "wrong")
    with pytest.raises(ConfigError):
        call(bench)


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_token_fails_closed(bench: Bench, call: Callable[[Bench], object]) -> None:
    bench.secrets.values.clear()
    with pytest.raises(ConfigError):
        call(bench)
    assert not bench.chatwoot.requests


def test_a_conversation_that_is_gone_will_not_come_back(bench: Bench) -> None:
    with pytest.raises(PermanentError):
        bench.channel.conversation(bench.tenant, 999)
    with pytest.raises(PermanentError):
        bench.channel.post(bench.tenant, a_reply(conversation_id=999))


def test_an_account_of_somebody_else_is_never_asked(bench: Bench) -> None:
    with pytest.raises(PermanentError):
        bench.channel.post(bench.tenant, a_reply(account_id=99))
    assert not bench.chatwoot.requests


def test_a_refused_reply_is_not_repeated(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": False, "status": 422, "error": "Content is too long"}] * 3
    with pytest.raises(PermanentError):
        bench.channel.post(bench.tenant, a_reply())
    assert len(bench.chatwoot.faults) == 2


def test_a_flooded_conversation_is_a_passing_fault(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": False, "status": 422, "error": "Too many messages"}]
    with pytest.raises(TransientError):
        bench.channel.post(bench.tenant, a_reply())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_a_passing_fault(bench: Bench, status: int) -> None:
    bench.chatwoot.read_faults = [status]
    with pytest.raises(TransientError):
        bench.channel.conversation(bench.tenant, CONVERSATION)


def test_a_dead_server_is_a_passing_fault(bench: Bench) -> None:
    bench.chatwoot.close()
    with pytest.raises(TransientError):
        bench.channel.conversation(bench.tenant, CONVERSATION)
    with pytest.raises(TransientError):
        bench.channel.post(bench.tenant, a_reply())
