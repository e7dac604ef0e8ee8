"""The embedded brain learns when somebody needs it; that its first question is answered all other tests here show."""

from __future__ import annotations

import threading

from tests.unit.agents.talk import small_knowledge_base

from smarteros.agents.native import NativeAgent


def _learning() -> int:
    return sum(thread.name == "agent-training" for thread in threading.enumerate())


def test_a_process_that_asks_nothing_learns_nothing() -> None:
    before = _learning()
    agent = NativeAgent(small_knowledge_base())

    assert (agent.ready, agent.usable, _learning()) == (False, True, before)
