"""Judging new examples by messages that the model has not seen: neither them nor anything of their conversation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from smarteros.agents.intents import NOT_IN_SCOPE, IntentModel, IntentScores
from smarteros.agents.shared_model import SharedModel
from smarteros.domain.decisions import Intent
from smarteros.domain.examples import Flip, IntentChange, LabelledExample, Proposal

MOST_PARTS = 5
_SURE = 0.90
_LEAST_UNDERSTOOD = 0.5
_LEAST_PROBABILITY = 1e-4  # a message that is surely misunderstood weighs no more than this


@dataclass(frozen=True)
class Judged:
    """A message with what two models made of it; ``before`` did not know the new examples at all."""

    proposal: Proposal
    before: IntentScores
    after: IntentScores


def judge(shared: SharedModel, known: Sequence[LabelledExample], new: Sequence[Proposal]) -> tuple[Judged, ...]:
    """Judge every new example by a model that knows ``known`` and the new ones of other parts.

    The conversations are dealt into at most five parts, those about one intent in turn; each part is judged by the
    model of all others. With fewer than two conversations there is nothing to judge by: an empty tuple.
    """
    parts = parts_of(new)
    if len(parts) < 2:
        return ()
    before = _model(shared, known)
    judged: list[Judged] = []
    for part in parts:
        others = [as_example(proposal) for other in parts if other is not part for proposal in other]
        after = _model(shared, (*known, *others))
        judged += [
            Judged(each, shared.scores_of(each.text, before), shared.scores_of(each.text, after)) for each in part
        ]
    return tuple(judged)


def parts_of(new: Sequence[Proposal]) -> tuple[tuple[Proposal, ...], ...]:
    """Deal proposals into parts; those of one conversation stay together, the intents are spread evenly."""
    groups: dict[str, list[Proposal]] = {}
    for each in new:
        key = f"text:{each.text}" if each.conversation is None else str(each.conversation)
        groups.setdefault(key, []).append(each)
    ordered = sorted(groups, key=lambda key: (_most_common_intent(groups[key]), sha256(key.encode()).digest()))
    count = min(MOST_PARTS, len(ordered))
    dealt: list[list[Proposal]] = [[] for _ in range(count)]
    for at, key in enumerate(ordered):
        dealt[at % count] += groups[key]
    return tuple(tuple(part) for part in dealt)


def as_example(proposal: Proposal) -> LabelledExample:
    """Return a proposal as what is learnt."""
    return LabelledExample(text=proposal.text, intent=proposal.intent)


def changes(judged: Sequence[Judged]) -> dict[Intent, IntentChange]:
    """Count by intent what is understood before and after."""
    intents: dict[Intent, list[Judged]] = {}
    for each in judged:
        intents.setdefault(each.proposal.intent, []).append(each)
    return {
        intent: IntentChange(
            examples=len(of_it),
            before=sum(each.before.best == intent for each in of_it),
            after=sum(each.after.best == intent for each in of_it),
        )
        for intent, of_it in sorted(intents.items())
    }


def flips(judged: Sequence[Judged]) -> tuple[Flip, ...]:
    """Return the messages that the two models understand differently."""
    return tuple(_flip(each) for each in judged if each.before.best != each.after.best)


def contradicted(judged: Sequence[Judged]) -> tuple[Flip, ...]:
    """Return those of whose label the model before is sure that it is wrong."""
    return tuple(
        _flip(each)
        for each in judged
        if each.before.best not in {each.proposal.intent, *NOT_IN_SCOPE} and each.before.confidence >= _SURE
    )


def is_better(judged: Sequence[Judged]) -> bool:
    """Tell whether unseen messages are understood better: more of them, or as many and more surely.

    Where even with the new examples fewer than half are, the labels make no sense together, and a gain is chance.
    """
    before = sum(each.before.best == each.proposal.intent for each in judged)
    after = sum(each.after.best == each.proposal.intent for each in judged)
    if after < _LEAST_UNDERSTOOD * len(judged):
        return False
    if before != after:
        return after > before
    return sum(_surprise(e.after, e) for e in judged) < sum(_surprise(e.before, e) for e in judged)


def _surprise(scores: IntentScores, judged: Judged) -> float:
    return -math.log(max(scores.probabilities[judged.proposal.intent], _LEAST_PROBABILITY))


def _flip(judged: Judged) -> Flip:
    said = judged.proposal
    return Flip(text=said.text, intent=said.intent, before=judged.before.best, after=judged.after.best)


def _most_common_intent(proposals: Sequence[Proposal]) -> str:
    return Counter(each.intent for each in proposals).most_common(1)[0][0]


def _model(shared: SharedModel, examples: Sequence[LabelledExample]) -> IntentModel:
    return shared.extended(shared.labelled(examples), shared.quick)
