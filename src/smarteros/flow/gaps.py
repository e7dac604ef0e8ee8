"""Which turns leave a question for the upkeep of the knowledge base, and in what form."""

from __future__ import annotations

import re

from smarteros.agents.clauses import without_opening
from smarteros.agents.normalise import normalise
from smarteros.contracts.models import Contract
from smarteros.domain.decisions import Decision
from smarteros.domain.gaps import Gap, GapReason
from smarteros.domain.turns import TurnStory
from smarteros.kit.redaction import Redactor
from smarteros.kit.untrusted import plain_text

_LONGEST_EXAMPLE = 400
_LONGEST_PATTERN = 200
_HIDDEN = re.compile(r"\[[A-Z]+_\d+\]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def gap_of(contract: Contract, story: TurnStory) -> Gap | None:
    """Return the question of a turn that was not understood surely or not answered, else None."""
    decided = story.decided
    text = plain_text(story.resolved.text, _LONGEST_EXAMPLE)
    if decided is None or not text or story.resolved.photo:
        return None
    reason = _reason(contract, decided.decision, story.replied.rule)
    if reason is None:
        return None
    example = Redactor().hide(text)
    pattern = _pattern(example)
    if not pattern:
        return None
    decision = decided.decision
    return Gap(
        pattern=pattern,
        example=example,
        reason=reason,
        intent=decision.intent,
        confidence=decision.confidence,
        language=decision.language,
    )


def _reason(contract: Contract, decision: Decision, rule: str | None) -> GapReason | None:
    if decision.route == "fallback":
        return "out_of_scope"
    if decision.route == "clarify":
        return "not_sure"
    if rule == "not_in_kb":
        return "not_in_kb"
    answered = decision.route not in {"smalltalk", "human_handoff"}
    return "not_sure" if answered and decision.confidence < contract.agent.thresholds.of(decision.intent) else None


def _pattern(example: str) -> str:
    """Bring a question to the form in which it is counted: without courtesies, names of persons' things and figures."""
    plain = _NUMBER.sub("", normalise(_HIDDEN.sub(" ", example)))
    return " ".join(without_opening(plain).strip("?! ").split())[:_LONGEST_PATTERN]
