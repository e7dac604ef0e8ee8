"""The text of a reply: the contract's rule, and the lock on what others wrote into it.

A contract's text consists of the shop's own words, of values that code takes from results and policy, and of words
somebody else wrote: the agent's and the customer's. Only these can state what nobody looked up. What they state without
a source is not sent: the contract writes the reply without them, or a person does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import structlog

from smarteros.contracts.expressions import ReplyContext, constants_of, holds, render
from smarteros.contracts.loader import escalation_rule, reply_rule
from smarteros.contracts.models import BothLanguages, Contract
from smarteros.domain.decisions import Entities, Language, Pending
from smarteros.domain.errors import ConfigError
from smarteros.flow.sources import Sources
from smarteros.kit.stated_facts import Fact
from smarteros.observability.bounded import Counter
from smarteros.observability.metrics import REGISTRY

_log = structlog.get_logger()

FACT_LOCK = "fact_lock"
"""Reason in record and audit of a turn some of whose words were not sent, and rule of one a person must word."""

LOCKED = Counter(
    "smos_fact_lock_total",
    "Replies that stated what nobody looked up, by what was sent instead",
    ["tenant", "flow", "outcome"],
    registry=REGISTRY,
)
# Said when no text of a contract can be, so it is in no contract.
SORRY = {
    "es": "Tuve un problema para responderte. Te conecto con una persona de nuestro equipo.",
    "en": "I had a problem answering you. I'm connecting you with a person from our team.",
}
_BY_THE_AGENT = ("lead_in", "answer", "second_answer")


@dataclass(frozen=True)
class ChosenText:
    """The contract's text for this turn and what follows from it.

    ``withheld`` is the text that would have been sent but for ``unfounded``, what it states without a source.
    """

    rule: str
    text: str
    escalate: bool
    pending: Pending | None
    withheld: str | None = None
    unfounded: tuple[Fact, ...] = ()

    @property
    def note(self) -> str | None:
        """What the shop's people must know of words that were not sent; None when all were."""
        if self.withheld is None:
            return None
        named = ", ".join(f"{fact.value} ({fact.kind})" for fact in self.unfounded)
        return f"• No envié lo siguiente, porque nada de lo consultado lo respalda: {named}\n{self.withheld}"


@dataclass(frozen=True)
class _Rule:
    """What a contract says in a situation; ``texts`` are its notices and the text of the rule."""

    name: str
    texts: tuple[BothLanguages, ...]
    escalate: bool
    pending: Pending | None

    def sources(self, language: Language) -> tuple[str, ...]:
        return tuple(text.en if language == "en" else text.es for text in self.texts)

    def written(self, facts: ReplyContext) -> str:
        return "\n\n".join(render(text, facts) for text in self.sources(facts.language))


def written_reply(contract: Contract, facts: ReplyContext, sources: Sources) -> ChosenText:
    """Choose a text and let it pass the lock.

    First as it is; then with the cited passage in the place of the agent's words; then without any word of the agent's
    or the customer's; in the end a person writes.
    ConfigError when no rule holds; the linter refuses such a contract, so this is a contract that was not linted.
    """
    withheld: tuple[str, tuple[Fact, ...]] | None = None
    for attempt in _attempts(facts, sources):
        rule = _rule(contract, attempt)
        text = rule.written(attempt)
        unfounded = _unfounded(rule, attempt, text, sources)
        if not unfounded:
            chosen = ChosenText(rule.name, text, rule.escalate, rule.pending)
            return chosen if withheld is None else replace(chosen, withheld=withheld[0], unfounded=withheld[1])
        withheld = withheld or (text, unfounded)
    assert withheld is not None  # noqa: S101 - every attempt was refused
    return ChosenText(FACT_LOCK, SORRY[facts.language], True, None, *withheld)


def count_lock(tenant_id: str, flow_id: str, chosen: ChosenText) -> None:
    """Count and log a reply some of whose words were not sent; the words are in the private note only."""
    if chosen.withheld is not None:
        outcome = "person" if chosen.escalate else "template"
        LOCKED.labels(tenant_id, flow_id, outcome).inc()
        kinds = sorted({fact.kind for fact in chosen.unfounded})
        _log.warning(FACT_LOCK, tenant=tenant_id, flow=flow_id, outcome=outcome, kinds=kinds)


def _rule(contract: Contract, facts: ReplyContext) -> _Rule:
    escalation = escalation_rule(contract.escalation, facts)
    if escalation is not None:
        return _Rule(escalation.name, (escalation.text,), escalate=True, pending=None)
    rule = reply_rule(contract, facts)
    notices = () if rule.escalate else tuple(n.text for n in contract.notices if holds(n.when, facts))
    return _Rule(rule.outcome, (*notices, rule.text), rule.escalate, rule.pending)


def _attempts(facts: ReplyContext, sources: Sources) -> Iterator[ReplyContext]:
    yield facts
    passage = next((passage.text for passage in sources.passages()), None)
    plain = replace(facts, lead_in=None, second_answer=None, answer=passage)
    yield plain
    yield replace(plain, entities=Entities(), contact_name=None, text="")


def _unfounded(rule: _Rule, facts: ReplyContext, text: str, sources: Sources) -> tuple[Fact, ...]:
    """Return what a text states without a source.

    A line that is the same without anybody's words consists of the contract's and of what was looked up.
    """
    said = "\n".join(words for name in _BY_THE_AGENT if (words := getattr(facts, name)) and words.strip() in text)
    unfounded = sources.unfounded(said)
    if unfounded:
        return unfounded
    ours = _without_strangers(rule, facts)
    known = {*ours.splitlines(), *said.splitlines()}
    rest = "\n".join(line for line in text.splitlines() if line not in known)
    return sources.unfounded(rest, bounds=True, also=(ours, *map(constants_of, rule.sources(facts.language))))


def _without_strangers(rule: _Rule, facts: ReplyContext) -> str:
    blank = replace(
        facts, lead_in=None, answer="", second_answer=None, contact_name="", text="", reading=None, entities=Entities()
    )
    try:
        return rule.written(blank)
    except ConfigError:
        return ""  # it prints one of them without asking whether it is there: every line is looked at
