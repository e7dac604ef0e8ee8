"""What customers asked is asked again before a change of the texts answers: which answers would differ, or be lost.

The change is put into an index of its own beside the one that answers, with the same encoders, so that both are asked
alike and nothing that answers is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from smarteros.agents.faq_answers import CATEGORY_OF_INTENT, usable
from smarteros.domain.knowledge import Category, Document, Hit
from smarteros.domain.tenants import TenantScope
from smarteros.domain.upkeep import ChangedAnswer, CheckReport, PastQuestion
from smarteros.kit.clock import Clock
from smarteros.kit.redaction import Redactor
from smarteros.kit.text import fold
from smarteros.kit.untrusted import plain_text
from smarteros.knowledge.answers import answer_in
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.evaluation import Expected
from smarteros.knowledge.protocol import Encoders, KnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore

Priors = Callable[[str], Mapping[Category, float] | None]
_ENCODERS_WITHIN_S = 30.0
_SEARCH_DEPTH = 12
_EXPECTED_DEPTH = 10
# Log odds that a passage answers the question: from here on it rather does than not.
_RATHER_ANSWERS = 0.0
_LONGEST_SHOWN = 400


@dataclass(frozen=True)
class _Answer:
    """What a question is answered with, and by which passage."""

    title: str
    text: str
    likely: bool


class AnswerCheck:
    """Compares the knowledge base as it is with what it would be."""

    def __init__(self, knowledge: KnowledgeBase, encoders: Encoders | None, clock: Clock) -> None:
        self._knowledge = knowledge
        self._encoders = encoders
        self._clock = clock

    def compare(
        self,
        scope: TenantScope,
        after: tuple[Document, ...],
        past: Sequence[PastQuestion],
        stored: Sequence[Expected],
        priors: Priors,
    ) -> CheckReport:
        """Ask everything before and after; a past question that was asked several times is asked once.

        ``priors`` are what the agent makes of a message (``KnowledgeBase.search``).
        """
        candidate = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=self._encoders, clock=self._clock)
        candidate.replace(scope, after)
        for base in (self._knowledge, candidate):
            base.settle(scope, _ENCODERS_WITHIN_S)
        once = {fold(question.text): question for question in reversed(past)}  # the newest of those alike
        asked = [question for question in once.values() if question.intent in CATEGORY_OF_INTENT]
        found: list[ChangedAnswer | None] = []
        for question in asked:
            answers = (self._answer(base, scope, question, priors) for base in (self._knowledge, candidate))
            found.append(_compared(question, *answers))
        for expected in stored:
            hits = (_asked(base, scope, expected, priors) for base in (self._knowledge, candidate))
            found.append(_compared_stored(expected, *hits))
        changed = tuple(each for each in found if each is not None)
        return CheckReport(
            asked=len(found),
            changed=sum(each.kind == "changed" for each in changed),
            lost=sum(each.kind == "lost" for each in changed),
            found=sum(each.kind == "found" for each in changed),
            answers=tuple(sorted(changed, key=lambda each: ("lost", "changed", "found").index(each.kind))),
        )

    def _answer(
        self, base: KnowledgeBase, scope: TenantScope, question: PastQuestion, priors: Priors
    ) -> _Answer | None:
        """Answer as the agent does (``agents.faq_answers``) a question whose intent is known."""
        category = CATEGORY_OF_INTENT[question.intent]
        text, language = question.text, question.language
        if question.intent == "faq_hours":
            hours = base.answer_about_hours(scope, text, now=self._clock.now(), language=language)
            if hours is not None:
                return _Answer(hours.passages[0].title if hours.passages else "", hours.text, likely=True)
        wanted = dict(priors(text) or {})
        wanted[category] = max(wanted.get(category, 0.0), question.confidence)
        hits = base.search(scope, text, language=language, category=category, limit=_SEARCH_DEPTH, priors=wanted)
        best = next(iter(usable(hits, category)), None)
        if best is None:
            return None
        answer = answer_in(best.passage.text, text, language)
        return _Answer(best.passage.title, answer, likely=best.log_odds >= _RATHER_ANSWERS)


def shown(question: str) -> str:
    """Return a customer's question as people may see it."""
    return Redactor().hide(plain_text(question, _LONGEST_SHOWN))


def _compared(question: PastQuestion, before: _Answer | None, after: _Answer | None) -> ChangedAnswer | None:
    if before == after or (before is not None and after is not None and before.text == after.text):
        return None
    if before is None:
        kind = "found"
    elif after is None or (after.title != before.title and before.likely and not after.likely):
        kind = "lost"
    else:
        kind = "changed"
    return ChangedAnswer(
        turn_id=question.turn_id,
        question=shown(question.text),
        kind=kind,
        before=before.title if before else None,
        after=after.title if after else None,
        answer_before=before.text[:_LONGEST_SHOWN] if before else None,
        answer_after=after.text[:_LONGEST_SHOWN] if after else None,
    )


def _asked(base: KnowledgeBase, scope: TenantScope, expected: Expected, priors: Priors) -> Hit | None:
    question = expected.question
    hits = base.search(scope, question, language=expected.language, limit=_EXPECTED_DEPTH, priors=priors(question))
    return next(iter(hits), None)


def _compared_stored(expected: Expected, before: Hit | None, after: Hit | None) -> ChangedAnswer | None:
    right_before, right_after = (hit is not None and expected.fits(hit.passage) for hit in (before, after))
    texts = tuple(hit.passage.text[:_LONGEST_SHOWN] if hit else None for hit in (before, after))
    if right_before == right_after and (not right_before or texts[0] == texts[1]):
        return None
    return ChangedAnswer(
        question=expected.question,
        kind="changed" if right_before == right_after else "lost" if right_before else "found",
        before=before.passage.title if before else None,
        after=after.passage.title if after else None,
        answer_before=texts[0],
        answer_after=texts[1],
    )
