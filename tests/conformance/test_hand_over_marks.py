"""How a channel marks what it hands over: labels, team and priority, none of which is worth the hand-over itself."""

from __future__ import annotations

import pytest
from tests.conformance.channel_bench import CONVERSATION, Bench, bench, chatwoot, http

from smarteros.domain.messages import Desk

__all__ = ["bench", "chatwoot", "http"]
DESK = Desk(labels=("bot", "cliente-molesto"), team="Postventa", priority="urgent")


def test_a_conversation_is_marked_before_it_is_opened_and_people_s_own_labels_stay(bench: Bench) -> None:
    bench.chatwoot.labels = ["vip", "bot"]
    bench.channel.hand_over(bench.tenant, CONVERSATION, "Está molesto", desk=DESK)
    assert bench.chatwoot.labels == ["vip", "bot", "cliente-molesto"]
    assert bench.chatwoot.priority == "urgent"
    # Only an administrator's token can tell which of the account's teams has the name.
    assert bench.chatwoot.team == (5 if bench.secrets.find(bench.tenant.scope, "chatwoot/user_token") else None)
    assert bench.chatwoot.requests[-1][1].endswith("toggle_status")


def test_marks_that_people_have_changed_since_are_not_set_again(bench: Bench) -> None:
    bench.channel.hand_over(bench.tenant, CONVERSATION, "Está molesto", desk=DESK)
    bench.chatwoot.labels, bench.chatwoot.priority = [], None
    bench.channel.hand_over(bench.tenant, CONVERSATION, "Está molesto", desk=DESK)
    assert (bench.chatwoot.labels, bench.chatwoot.priority) == ([], None)


@pytest.mark.parametrize("status", [401, 0])
@pytest.mark.parametrize("mark", ["/labels", "/assignments", "/toggle_priority"])
def test_a_mark_that_fails_loses_neither_the_hand_over_nor_the_other_marks(
    bench: Bench, mark: str, status: int
) -> None:
    bench.chatwoot.refused_marks = {mark: status}
    bench.channel.hand_over(bench.tenant, CONVERSATION, "Está molesto", desk=DESK)
    assert bench.chatwoot.status == "open"
    assert [message["content"] for message in bench.chatwoot.messages] == ["Está molesto"]
    assert bench.chatwoot.labels == ([] if mark == "/labels" else list(DESK.labels))
    assert bench.chatwoot.priority == (None if mark == "/toggle_priority" else "urgent")
