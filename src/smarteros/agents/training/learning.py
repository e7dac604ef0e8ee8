"""Learning from conversations: what was accepted is judged on unseen messages and published only if it is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from smarteros.agents.shared_model import SharedModel
from smarteros.agents.training.held_out import (
    Judged,
    as_example,
    changes,
    contradicted,
    flips,
    is_better,
    judge,
)
from smarteros.agents.training.protocol import ExampleStore
from smarteros.agents.training.trainer import Trainer
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import LabelledExample, Proposal, ProposalSource, TrainingReport
from smarteros.domain.tenants import TenantScope

MOST_CONTRADICTED = 0.20
"""Share of the accepted examples of which the present model may be sure that they mean something else."""

_ALWAYS_CONTRADICTED = 2  # single corrections of a sure mistake are what a person is there for
# The most trustworthy first: of two labels of one message the first one counts.
_BY_TRUST: tuple[ProposalSource, ...] = (
    "written", "person_note", "person_label", "chosen_option", "misunderstood", "person_reply", "answered",
)  # fmt: skip


@dataclass(frozen=True)
class Learner:
    """Turns proposals into a new version of a tenant's examples."""

    store: ExampleStore
    shared: Callable[[], SharedModel]
    titles: Callable[[TenantScope], tuple[LabelledExample, ...]]

    def proposals(self, scope: TenantScope, found: Iterable[Proposal]) -> tuple[Proposal, ...]:
        """Return what is worth a look: each message once, nothing that is known word for word already.

        What would be accepted although the brain is sure of something else waits for a person.
        """
        shared = self.shared()
        known = shared.labelled(self._known(scope))
        model = shared.extended(known, shared.quick)
        told = {reading.words for reading in known}
        kept: dict[tuple[str, ...], Proposal] = {}
        for each in sorted(found, key=lambda proposal: _BY_TRUST.index(proposal.source)):
            words = shared.words_of(each.text)
            if words in told or shared.knows(words) or words in kept:
                continue
            scores = shared.scores_of(each.text, model)
            if each.accepted and contradicted([Judged(each, scores, scores)]):
                why = f"{each.why}; the brain is sure of {scores.best}".lstrip("; ")
                kept[words] = each.model_copy(update={"accepted": None, "why": why[-500:]})
            else:
                kept[words] = each
        return tuple(kept.values())

    def learn(self, scope: TenantScope, proposals: Sequence[Proposal], *, note: str) -> TrainingReport:
        """Learn what is accepted, if that makes unseen messages better understood and spoils nothing.

        The report says what was found, what changes and, when nothing was activated, why.
        """
        accepted = self._once([each for each in proposals if each.accepted])
        report = TrainingReport(
            proposed=dict(Counter(each.source for each in proposals)), accepted=len(accepted), reason=""
        )
        if not accepted:
            return report.model_copy(update={"reason": "nothing new was accepted"})
        judged = judge(self.shared(), self._known(scope), accepted)
        report = report.model_copy(
            update={
                "held_out": len(judged),
                "right_before": sum(each.before.best == each.proposal.intent for each in judged),
                "right_after": sum(each.after.best == each.proposal.intent for each in judged),
                "intents": changes(judged),
                "flips": flips(judged),
                "contradicted": contradicted(judged),
            }
        )
        reason = _objection(report, better=is_better(judged))
        if reason:
            return report.model_copy(update={"reason": reason})
        try:
            made = Trainer(self.store, self.shared).add(scope, [as_example(each) for each in accepted], note=note)
        except RejectedInputError as error:
            return report.model_copy(update={"reason": error.operator_message})
        return report.model_copy(update={"activated": made.version})

    def _known(self, scope: TenantScope) -> tuple[LabelledExample, ...]:
        active = self.store.active(scope)
        return (*self.titles(scope), *(active.examples if active else ()))

    def _once(self, accepted: Sequence[Proposal]) -> tuple[Proposal, ...]:
        """Return each message once, the last label of it: never the same text on both sides of an evaluation."""
        shared = self.shared()
        return tuple({shared.words_of(each.text): each for each in accepted}.values())


def _objection(report: TrainingReport, *, better: bool) -> str:
    if not report.held_out:
        return "too few to judge: examples of at least two conversations are needed"
    wrong = len(report.contradicted)
    if wrong > _ALWAYS_CONTRADICTED and wrong > MOST_CONTRADICTED * report.accepted:
        return (
            f"{wrong} of {report.accepted} accepted examples contradict what is surely known; are labels mistaken? "
            "What the shop really means otherwise can be taught with: smos agent examples add"
        )
    if not better:
        return (
            f"unseen messages are not understood better: {report.right_before} of {report.held_out} before, "
            f"{report.right_after} after"
        )
    return ""
