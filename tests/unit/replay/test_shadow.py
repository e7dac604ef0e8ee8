"""A second agent decides along, and never touches the reply."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from smarteros.agents.shadow import SHADOWED, ShadowAgent
from smarteros.domain.decisions import AgentMessage, AgentRequest, Decision
from smarteros.domain.errors import TransientError
from smarteros.domain.messages import Contact

GREETS = Decision(intent="greeting", confidence=0.9, route="smalltalk")
ASKS = Decision(intent="ambiguous", confidence=0.4, route="clarify")
PATIENCE_S = 20.0


class Says:
    """An agent with one answer, given when ``gate`` is open."""

    def __init__(self, decision: Decision | Exception) -> None:
        self.decision = decision
        self.gate = threading.Event()
        self.gate.set()
        self.asked = threading.Semaphore(0)

    def decide(self, request: AgentRequest) -> Decision:
        self.asked.release()
        assert self.gate.wait(PATIENCE_S)
        if isinstance(self.decision, Exception):
            raise self.decision
        return self.decision


def question(tenant_id: str) -> AgentRequest:
    return AgentRequest(
        tenant_id=tenant_id,
        channel="whatsapp",
        conversation_id=7,
        contact=Contact(id=1),
        message=AgentMessage(id=9, content="mi rut es 12.345.678-5"),
    )


def counted(tenant_id: str) -> dict[str, float]:
    samples = [s for metric in SHADOWED.collect() for s in metric.samples if s.name.endswith("_total")]
    return {s.labels["outcome"]: s.value for s in samples if s.labels["tenant"] == tenant_id}


def until(condition: Callable[[], bool]) -> None:
    waiter = threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        if condition():
            return
        waiter.wait(0.01)
    raise AssertionError("it never happened")


@pytest.mark.parametrize(
    ("second", "outcome"), [(GREETS, "same"), (ASKS, "different"), (TransientError("away", "away"), "error")]
)
def test_the_first_agent_answers_whatever_the_second_thinks(second: Decision | Exception, outcome: str) -> None:
    agent = ShadowAgent(Says(GREETS), Says(second))

    assert agent.decide(question(f"SHADOW_{outcome}")) == GREETS
    until(lambda: counted(f"SHADOW_{outcome}") == {outcome: 1.0})
    agent.close()


def test_the_first_agent_does_not_wait_for_the_second() -> None:
    slow = Says(ASKS)
    slow.gate.clear()
    agent = ShadowAgent(Says(GREETS), slow, most_waiting=1)
    assert agent.decide(question("SHADOW_SLOW")) == GREETS
    assert slow.asked.acquire(timeout=PATIENCE_S)  # it ponders the first one; one may wait, the third may not

    assert [agent.decide(question("SHADOW_SLOW")) for _ in range(2)] == [GREETS, GREETS]
    assert counted("SHADOW_SLOW") == {"skipped": 1.0}
    slow.gate.set()
    until(lambda: counted("SHADOW_SLOW").get("different") == 2.0)
    agent.close()


def test_the_first_agents_error_is_its_own() -> None:
    agent = ShadowAgent(Says(TransientError("away", "away")), Says(GREETS))
    with pytest.raises(TransientError):
        agent.decide(question("SHADOW_FIRST"))
    agent.close()


def test_a_difference_is_logged_without_the_customers_words() -> None:
    with capture_logs() as logs:
        agent = ShadowAgent(Says(GREETS), Says(ASKS))
        agent.decide(question("SHADOW_LOG"))
        until(lambda: bool(counted("SHADOW_LOG")))
        agent.close()

    (line,) = [log for log in logs if log["event"] == "shadow_differs"]
    assert (line["intent"], line["differs"]) == (("greeting", "ambiguous"), ["intent", "route"])
    assert "12.345.678" not in str(logs)


def test_a_closed_shadow_leaves_no_thread() -> None:
    ShadowAgent(Says(GREETS), Says(GREETS)).close()

    assert not [thread for thread in threading.enumerate() if thread.name == "shadow-agent"]
