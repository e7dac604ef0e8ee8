"""Has the tenant texts to answer from, and are they still true?"""

from __future__ import annotations

from smarteros.doctor.examination import Group, Observed, Step
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock, in_santiago
from smarteros.knowledge.findings import findings
from smarteros.knowledge.protocol import KnowledgeBase


class KnowledgeExamination:
    """Looks at the knowledge bases of the tenants."""

    def __init__(self, knowledge: KnowledgeBase, clock: Clock) -> None:
        self._knowledge = knowledge
        self._clock = clock

    def group(self) -> Group[Tenant]:
        """Return the steps; each rests on those before it."""
        return Group(
            "kb",
            lambda _tenant: True,
            (
                Step("present", self._present, "Import the shop's texts: `smos kb import --tenant ID FILE...`."),
                Step(
                    "current", self._current, "Look at `smos kb test --tenant ID` and import the texts as they are now."
                ),
            ),
        )

    def _present(self, tenant: Tenant) -> Observed:
        today = in_santiago(self._clock.now()).date()
        passages = self._knowledge.passages(tenant.scope)
        usable = [each for each in passages if each.approval == "approved" and each.holds_on(today)]
        if not usable:
            raise ConfigError("kb_empty", "There is no approved text that holds today: every question goes to people.")
        return Observed(f"{len(usable)} of {len(passages)} passages answer today")

    def _current(self, tenant: Tenant) -> Observed:
        today = in_santiago(self._clock.now()).date()
        found = findings(self._knowledge.documents(tenant.scope), self._knowledge.passages(tenant.scope), today)
        if not found:
            return Observed("no text has expired, none contradicts another")
        said = "; ".join(f"{each.kind}: {each.passages[0]}, {each.detail}" for each in found[:3])
        return Observed(said + (f"; and {len(found) - 3} more" if len(found) > 3 else ""), warning=True)
