"""The figures of an evaluation, computed from labelled messages and their decisions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from smarteros.agents.evaluation.model import Answered, Bin, CurvePoint, EvaluationReport, OfIntent
from smarteros.agents.intents import INTENTS
from smarteros.domain.decisions import ROUTE_OF_INTENT, Intent

BELIEVED = 0.80
"""The usual threshold of the contracts; below it a question is asked back."""

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_BINS = 10
_ANSWERING = frozenset({"shopify_sales", "support", "odoo_invoice_lookup", "kb_direct"})
_MOST_MISSED = 200


def evaluate(answered: Sequence[Answered], *, rss_mb: float | None = None) -> EvaluationReport:
    """Compute the report; there must be at least one message."""
    intents: dict[Intent, OfIntent] = {intent: _of_intent(answered, intent) for intent in _named(answered)}
    labelled = [found.f1 for found in intents.values() if found.messages]
    foreign = [each for each in answered if not each.in_scope]
    times = sorted(each.milliseconds for each in answered)
    bins = _bins(answered)
    return EvaluationReport(
        messages=len(answered),
        accuracy=_share(each.right for each in answered),
        route_accuracy=_share(each.decision.route == ROUTE_OF_INTENT[each.intent] for each in answered),
        macro_f1=round(sum(labelled) / len(labelled), 4),
        intents=intents,
        confusion=_confusion(answered),
        ece=round(sum(b.messages * abs(b.accuracy - b.confidence) for b in bins) / len(answered), 4),
        bins=bins,
        curve=tuple(point for each in THRESHOLDS if (point := _at(answered, each)) is not None),
        scope_auroc=auroc(
            [each.decision.confidence for each in answered if each.in_scope],
            [each.decision.confidence for each in foreign],
        ),
        answered_out_of_scope=_share(map(_is_answered, foreign)) if foreign else None,
        languages={
            language: _share(each.right for each in answered if each.language == language)
            for language in sorted({each.language for each in answered})
        },
        ms_p50=_percentile(times, 0.5),
        ms_p95=_percentile(times, 0.95),
        rss_mb=rss_mb,
        missed=tuple(
            f"{each.intent} -> {each.decision.intent} ({each.decision.confidence:.2f}): {each.text[:200]}"
            for each in answered
            if not each.right
        )[:_MOST_MISSED],
    )


def auroc(higher: Sequence[float], lower: Sequence[float]) -> float | None:
    """Return the probability that one of the first is greater than one of the second, ties counting half."""
    if not higher or not lower:
        return None
    ranks: dict[float, float] = {}
    ordered = sorted((*higher, *lower))
    for value in set(ordered):
        places = [at for at, each in enumerate(ordered, start=1) if each == value]
        ranks[value] = sum(places) / len(places)
    wins = sum(ranks[value] for value in higher) - len(higher) * (len(higher) + 1) / 2
    return round(wins / (len(higher) * len(lower)), 4)


def _named(answered: Sequence[Answered]) -> list[Intent]:
    seen = {each.intent for each in answered} | {each.decision.intent for each in answered}
    return [intent for intent in INTENTS if intent in seen]


def _of_intent(answered: Sequence[Answered], intent: Intent) -> OfIntent:
    meant = [each for each in answered if each.intent == intent]
    said = [each for each in answered if each.decision.intent == intent]
    right = sum(each.right for each in meant)
    precision, recall = right / len(said) if said else 0.0, right / len(meant) if meant else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return OfIntent(messages=len(meant), precision=round(precision, 4), recall=round(recall, 4), f1=round(f1, 4))


def _confusion(answered: Sequence[Answered]) -> dict[Intent, dict[Intent, int]]:
    counts: dict[Intent, dict[Intent, int]] = {}
    for each in answered:
        row = counts.setdefault(each.intent, {})
        row[each.decision.intent] = row.get(each.decision.intent, 0) + 1
    return counts


def _bins(answered: Sequence[Answered]) -> tuple[Bin, ...]:
    bins: list[Bin] = []
    for number in range(_BINS):
        low, high = number / _BINS, (number + 1) / _BINS
        inside = [each for each in answered if min(int(each.decision.confidence * _BINS), _BINS - 1) == number]
        if inside:
            confidence = sum(each.decision.confidence for each in inside) / len(inside)
            accuracy = _share(each.claimed == each.intent for each in inside)
            bins.append(
                Bin(low=low, high=high, messages=len(inside), confidence=round(confidence, 4), accuracy=accuracy)
            )
    return tuple(bins)


def _at(answered: Sequence[Answered], threshold: float) -> CurvePoint | None:
    sure = [each for each in answered if each.decision.confidence >= threshold]
    if not sure:
        return None
    precision = _share(each.claimed == each.intent for each in sure)
    return CurvePoint(threshold=threshold, coverage=round(len(sure) / len(answered), 4), precision=precision)


def _is_answered(answered: Answered) -> bool:
    return answered.decision.route in _ANSWERING and answered.decision.confidence >= BELIEVED


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return round(sum(found) / len(found), 4) if found else 0.0


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that this share of the (ordered) values does not exceed: the nearest rank."""
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 2)
