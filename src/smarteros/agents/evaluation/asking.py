"""Asking an agent labelled messages."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from smarteros.agents.evaluation.model import Answered, LabelledLine, Question
from smarteros.agents.intents import NOT_IN_SCOPE
from smarteros.agents.protocol import Agent
from smarteros.agents.rebuilt import with_rebuilt_state
from smarteros.domain.decisions import AgentContext, AgentMessage, AgentRequest
from smarteros.domain.messages import Contact


def answers_to(agent: Agent, tenant_id: str, lines: Iterable[LabelledLine]) -> list[Answered]:
    """Decide every message as one of a conversation of its own, told by its history; the CPU of each is measured."""
    found: list[Answered] = []
    for number, line in enumerate(lines, start=1):
        request = with_rebuilt_state(agent, request_of(tenant_id, number, line))
        begun = time.process_time()
        decision = agent.decide(request)
        found.append(
            Answered(
                text=line.text,
                intent=line.intent,
                language="en" if line.language == "en" else "es",
                in_scope=line.intent not in NOT_IN_SCOPE if line.in_scope is None else line.in_scope,
                decision=decision,
                milliseconds=(time.process_time() - begun) * 1000,
            )
        )
    return found


def resident_mb() -> float | None:
    """Return the memory this process holds now, in megabytes; None where the system does not say."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024, 1)
    return None


def request_of(tenant_id: str, number: int, question: Question) -> AgentRequest:
    """Return a question as a conversation of its own, told by its messages; ``number`` names both."""
    return AgentRequest(
        tenant_id=tenant_id,
        channel="whatsapp",
        conversation_id=number,
        contact=Contact(id=0),
        message=AgentMessage(id=number, content=question.text),
        context=AgentContext(
            language=question.language, history=question.history, now=question.now or datetime.now(UTC)
        ),
    )
