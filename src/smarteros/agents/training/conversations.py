"""What recorded conversations teach: messages of customers, each with the intent somebody gave it, and who that was.

Nobody labels these messages for our sake, so each kind of evidence says how far it is believed (ADR 20). What a
customer chose or a person of the shop wrote down is accepted; what would only repeat the brain's own opinion is
accepted where nothing speaks against it; everything else waits for a person (``accepted`` is None).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import cast, get_args

from smarteros.agents.intents import NOT_IN_SCOPE
from smarteros.agents.options import picked
from smarteros.domain.decisions import Decision, Intent
from smarteros.domain.examples import PeopleSaid, Proposal, ProposalSource
from smarteros.kit.redaction import Redactor
from smarteros.kit.text import fold
from smarteros.store.turn_inputs import RecordedTurn

MOST_OF_ONE_CONVERSATION = 6
"""Proposals taken from one conversation: a single customer must not shape a shop's brain."""

_QUIET = timedelta(hours=1)  # without a word the conversation counts as over
_SURE = 0.90
_LEAST_WORDS = 3
_LONGEST = 500
_ANSWERING = frozenset({"shopify_sales", "support", "odoo_invoice_lookup", "kb_direct"})
_FOR_A_PERSON: frozenset[Intent] = frozenset({"human_request", "complaint"})
_INTENTS: frozenset[str] = frozenset(get_args(Intent))
_NOTED = re.compile(r"^\s*(?:intent|intenci[oó]n)\s*[:=]\s*([a-z_]+)", re.IGNORECASE | re.MULTILINE)
_PROTESTS = re.compile(
    r"\b(?:no (?:es|era) (?:eso|lo que (?:pregunte|pedi|dije))|eso no (?:es|era|fue|pregunte)|nada que ver|"
    r"no (?:me )?(?:entendiste|entiendes|entendio|estas entendiendo)|no pregunte (?:eso|por eso)|"
    r"(?:me )?respondiste otra cosa|that'?s not what i|not what i (?:asked|meant)|you (?:don'?t|didn'?t) understand|"
    r"wrong answer)\b"
)


@dataclass(frozen=True)
class _Asked:
    """A turn that asked something in words."""

    turn: RecordedTurn
    decision: Decision
    text: str

    @property
    def conversation(self) -> int:
        return self.turn.record.conversation_id

    @property
    def options(self) -> tuple[Intent, ...]:
        return self.decision.options if self.decision.route == "clarify" else ()


def proposals_of(
    turns: Iterable[RecordedTurn], people: Mapping[int, PeopleSaid], *, now: datetime
) -> tuple[Proposal, ...]:
    """Return what the turns of a tenant propose, oldest conversation first, personal data replaced.

    ``people`` tells what people did, by conversation; of one that is not in it only our own records speak.
    """
    ordered = sorted(turns, key=lambda turn: (turn.record.conversation_id, turn.record.message_id))
    found: list[Proposal] = []
    for conversation, of_it in groupby(ordered, key=lambda turn: turn.record.conversation_id):
        story = list(of_it)
        proposed = _of_conversation(story, people.get(conversation), now)
        found += list(proposed)[:MOST_OF_ONE_CONVERSATION]
    return tuple(found)


def conversations_with_people(turns: Iterable[RecordedTurn]) -> frozenset[int]:
    """Return the conversations of which it is worth asking what people did: they were handed over or doubtful."""
    return frozenset(
        turn.record.conversation_id
        for turn in turns
        if turn.record.outcome in {"escalated", "muted"}
        or (turn.record.decision is not None and turn.record.decision.route in {"clarify", "human_handoff", "fallback"})
    )


def _of_conversation(story: Sequence[RecordedTurn], people: PeopleSaid | None, now: datetime) -> Iterator[Proposal]:
    asked = [each for each in map(_asked, story) if each is not None]
    if not asked:
        return
    well = _went_well(story, people, now)
    corrected = _corrected(asked, people)
    if corrected is not None:
        yield corrected
    for at, each in enumerate(asked):
        following = asked[at + 1] if at + 1 < len(asked) else None
        chosen = _chosen(each, following)
        if corrected is not None and corrected.text == _redacted(each.text):
            continue
        if chosen is not None:
            yield _proposal(each, chosen, "chosen_option", True, f"customer: {following.text if following else ''}")
        elif following is not None and _PROTESTS.search(fold(following.text)):
            yield _proposal(each, each.decision.intent, "misunderstood", False, f"customer: {following.text}")
        elif well and _is_sure(each):
            why = f"answered at {each.decision.confidence:.2f}, nobody objected"
            yield _proposal(each, each.decision.intent, "answered", True, why)


def _asked(turn: RecordedTurn) -> _Asked | None:
    """Return the turn if it asked something that is to be understood on its own words."""
    decision, inputs = turn.record.decision, turn.inputs
    if decision is None or inputs is None or inputs.resolved.photo:
        return None
    text = " ".join(inputs.resolved.text.split())
    return _Asked(turn, decision, text) if 0 < len(text) <= _LONGEST else None


def _chosen(asked: _Asked, following: _Asked | None) -> Intent | None:
    """Return which of the offered intents the customer chose; both or none chosen says nothing."""
    if following is None or not asked.options or len(asked.text.split()) < _LEAST_WORDS:
        return None
    choice = picked(fold(following.text), asked.options)
    return choice[0] if choice is not None and len(choice) == 1 else None


def _is_sure(asked: _Asked) -> bool:
    """Tell whether the brain understood the words alone, with confidence and as one question."""
    decision, inputs = asked.decision, asked.turn.inputs
    alone = inputs is not None and inputs.resolved.state.pending is None and not inputs.resolved.state.options
    return (
        alone
        and asked.turn.record.outcome == "answered"
        and decision.route in _ANSWERING
        and decision.intent not in NOT_IN_SCOPE
        and decision.second_intent is None
        and decision.confidence >= _SURE
        and len(asked.text.split()) >= _LEAST_WORDS
    )


def _went_well(story: Sequence[RecordedTurn], people: PeopleSaid | None, now: datetime) -> bool:
    """Tell whether a conversation is over and nobody had to help or lost patience."""
    for turn in story:
        decision = turn.record.decision
        if turn.record.outcome not in {"answered", "merged"}:
            return False
        if decision is not None and (decision.frustrated or decision.intent in _FOR_A_PERSON):
            return False
    if people is not None:
        return people.status == "resolved" and not people.replies
    return now - max(turn.record.received_at for turn in story) >= _QUIET


def _corrected(asked: Sequence[_Asked], people: PeopleSaid | None) -> Proposal | None:
    """Return what a person said the last question in doubt meant: by a note, a label, or the reply itself."""
    doubtful = [each for each in asked if each.decision.route in {"clarify", "fallback", "human_handoff"}]
    doubtful = [each for each in doubtful if len(each.text.split()) >= _LEAST_WORDS]
    if people is None or not doubtful:
        return None
    last = doubtful[-1]
    for note in reversed(people.notes):
        named = _NOTED.search(note)
        if named is not None and named[1].lower() in _INTENTS:
            return _proposal(last, cast(Intent, named[1].lower()), "person_note", True, f"private note: {named[0]}")
    labels = [label for label in people.labels if label in _INTENTS]
    if len(labels) == 1:
        return _proposal(last, cast(Intent, labels[0]), "person_label", True, f"label: {labels[0]}")
    # What a person answered says what was meant, but only a reader can tell which intent that is.
    if people.replies and last.decision.candidates:
        guess = last.decision.candidates[0].intent
        return _proposal(last, guess, "person_reply", None, f"a person replied: {people.replies[0]}")
    return None


def _proposal(asked: _Asked, intent: Intent, source: ProposalSource, accepted: bool | None, why: str) -> Proposal:
    return Proposal(
        text=_redacted(asked.text),
        intent=intent,
        accepted=accepted,
        source=source,
        why=_redacted(why)[:_LONGEST],
        conversation=asked.conversation,
    )


def _redacted(text: str) -> str:
    return Redactor().hide(text)[:_LONGEST]
