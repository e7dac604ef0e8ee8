"""Changing a tenant's examples: judged before they are published, and refused when much else would be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from smarteros.agents.shared_model import SharedModel
from smarteros.agents.training.protocol import ExampleStore
from smarteros.domain.decisions import Intent
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import MOST_EXAMPLES, LabelledExample, ModelReport, ModelVersion
from smarteros.domain.tenants import TenantScope
from smarteros.kit.text import fold

MOST_LOST = 0.02
"""Share of the examples known before that may be understood no longer."""
MOST_LOST_OF_ONE_INTENT = 0.05
"""The same for the examples of one intent: among seventeen, the loss of one hardly shows in the whole."""


class Trainer:
    """Adds and removes examples of tenants, as new versions."""

    def __init__(self, store: ExampleStore, shared: Callable[[], SharedModel]) -> None:
        """``shared`` returns what all tenants' models are made from; it may wait until that is learnt."""
        self._store = store
        self._shared = shared

    def add(self, scope: TenantScope, examples: Iterable[LabelledExample], *, note: str = "") -> ModelVersion:
        """Add examples; a text that is there already gets the new intent.

        RejectedInputError when there would be too many of them, or (code ``examples_harm``) when with them more than
        two in a hundred of the examples known before, or five in a hundred of one intent's, are understood no longer,
        each being left out in turn.
        """
        revision, before = self._current(scope)
        after = {fold(example.text): example for example in before}
        after.update((fold(example.text), example) for example in examples)
        return self._publish(scope, before, tuple(after.values()), note=note, revision=revision)

    def remove(self, scope: TenantScope, texts: Iterable[str], *, note: str = "") -> ModelVersion:
        """Remove examples by their text. RejectedInputError(code ``example_unknown``) when one is not there."""
        revision, before = self._current(scope)
        after = {fold(example.text): example for example in before}
        for text in texts:
            if after.pop(fold(text), None) is None:
                raise RejectedInputError("example_unknown", f"There is no example {text!r}")
        return self._publish(scope, before, tuple(after.values()), note=note, revision=revision)

    def rollback(self, scope: TenantScope, version: int | None = None) -> ModelVersion:
        """Activate an earlier version, by default the one before the active one."""
        if version is None:
            active = self._store.active(scope)
            earlier = [each.version for each in self._store.versions(scope) if active and each.version < active.version]
            if not earlier:
                raise RejectedInputError("version_unknown", "There is no earlier version of the examples")
            version = max(earlier)
        return self._store.activate(scope, version)

    def _current(self, scope: TenantScope) -> tuple[int, tuple[LabelledExample, ...]]:
        # The revision is read first: a change in between is then noticed when publishing.
        revision = self._store.revision(scope)
        active = self._store.active(scope)
        return revision, active.examples if active else ()

    def _publish(
        self,
        scope: TenantScope,
        before: Sequence[LabelledExample],
        after: tuple[LabelledExample, ...],
        *,
        note: str,
        revision: int,
    ) -> ModelVersion:
        if len(after) > MOST_EXAMPLES:
            raise RejectedInputError(
                "examples_too_many", f"{len(after)} examples; a tenant may have {MOST_EXAMPLES} of its own"
            )
        report = judged(self._shared(), before, after)
        if report.after < report.before - MOST_LOST:
            raise RejectedInputError(
                "examples_harm",
                f"Not published: of the examples known so far {report.before:.1%} are understood and with these only "
                f"{report.after:.1%}, each being left out in turn. Is an intent mistaken?",
            )
        if report.spoilt is not None and report.spoilt_by > MOST_LOST_OF_ONE_INTENT:
            raise RejectedInputError(
                "examples_harm",
                f"Not published: of the examples of {report.spoilt} known so far {report.spoilt_by:.1%} would be "
                "understood no longer, each being left out in turn. Is an intent mistaken?",
            )
        return self._store.publish(scope, after, report, note=note, revision=revision)


def judged(shared: SharedModel, before: Sequence[LabelledExample], after: Sequence[LabelledExample]) -> ModelReport:
    """Compare the models of two sets of a tenant's examples, by the quick encoders."""
    old, new = shared.labelled(before), shared.labelled(after)
    was, now = shared.left_out(old), shared.left_out(new)
    said_before = {reading.words: intent for reading, intent in old.items()}
    says_now = {reading.words: intent for reading, intent in new.items()}
    both = [words for words in was if words in now and said_before.get(words) == says_now.get(words)]
    own = [now[words] for words in says_now]
    lost: dict[Intent, float] = {
        intent: (sum(was[words] for words in theirs) - sum(now[words] for words in theirs)) / len(theirs)
        for intent, theirs in shared.by_intent(both).items()
    }
    spoilt: Intent = max(lost, key=lost.__getitem__)
    worst = lost[spoilt]
    return ModelReport(
        before=round(sum(was[words] for words in both) / len(both), 4),
        after=round(sum(now[words] for words in both) / len(both), 4),
        own=round(sum(own) / len(own), 4) if own else None,
        spoilt=spoilt if worst > 0 else None,
        spoilt_by=round(max(worst, 0.0), 4),
        looked_through=shared.quick,
    )
