"""A report in words, as Markdown tables that read well on a terminal too."""

from __future__ import annotations

from collections.abc import Iterator

from smarteros.agents.evaluation.measures import BELIEVED
from smarteros.agents.evaluation.model import EvaluationReport


def summary(report: EvaluationReport) -> Iterator[str]:
    """Yield the figures over all messages, one line each."""
    at = next((point for point in report.curve if point.threshold == BELIEVED), None)
    languages = ", ".join(f"{language} {share:.1%}" for language, share in report.languages.items())
    yield (
        f"- {report.messages} messages; intent right {report.accuracy:.1%} ({languages}), "
        f"route {report.route_accuracy:.1%}, macro F1 {report.macro_f1:.3f}"
    )
    if at is not None:
        yield f"- at confidence >= {BELIEVED:.2f}: precision {at.precision:.1%}, coverage {at.coverage:.1%}"
    yield f"- calibration error (ECE, ten bins) {report.ece:.3f}"
    if report.scope_auroc is not None:
        answered = f"{report.answered_out_of_scope or 0:.1%} of what is none of the shop's matters is answered"
        yield f"- in scope against not: AUROC {report.scope_auroc:.3f}; {answered}"
    memory = "" if report.rss_mb is None else f"; memory of the process {report.rss_mb:.0f} MB"
    yield f"- a decision takes {report.ms_p50:.1f} ms (p50), {report.ms_p95:.1f} ms (p95) of CPU{memory}"


def by_intent(report: EvaluationReport) -> Iterator[str]:
    """Yield precision, recall and F1 of every intent, and what it was taken for."""
    yield "| intent | messages | precision | recall | F1 | taken for |"
    yield "|---|---|---|---|---|---|"
    for intent, found in report.intents.items():
        row = report.confusion.get(intent, {})
        others = sorted(((n, other) for other, n in row.items() if other != intent), reverse=True)
        taken = ", ".join(f"{other} {n}" for n, other in others)
        scores = f"{found.precision:.2f} | {found.recall:.2f} | {found.f1:.2f}"
        yield f"| {intent} | {found.messages} | {scores} | {taken} |"


def thresholds(report: EvaluationReport) -> Iterator[str]:
    """Yield what each threshold would answer."""
    yield "| threshold | coverage | precision |"
    yield "|---|---|---|"
    for point in report.curve:
        yield f"| {point.threshold:.2f} | {point.coverage:.3f} | {point.precision:.3f} |"


def confusion(report: EvaluationReport) -> Iterator[str]:
    """Yield the confusion matrix: labelled intents down, decided ones across, by number."""
    names = list(report.intents)
    yield "| labelled \\ decided | " + " | ".join(str(n) for n in range(1, len(names) + 1)) + " |"
    yield "|---|" + "---|" * len(names)
    for number, intent in enumerate(names, start=1):
        row = report.confusion.get(intent, {})
        yield f"| {number} {intent} | " + " | ".join(str(row.get(other) or "·") for other in names) + " |"


def in_words(report: EvaluationReport) -> str:
    """Return the whole report as text."""
    parts = (summary(report), by_intent(report), confusion(report), thresholds(report))
    text = "\n\n".join("\n".join(part) for part in parts)
    return text + ("\n\nmissed\n" + "\n".join(report.missed) if report.missed else "")
