"""What came of playing a scenario."""

from __future__ import annotations

from smarteros.domain.model import Model


class PlayedTurn(Model):
    """One message of the customer and what was seen of its answer. ``latency_ms`` is what the customer waited."""

    said: str
    reply: str | None = None
    latency_ms: int | None = None
    intent: str | None = None
    confidence: float | None = None
    rule: str | None = None
    outcome: str | None = None
    failures: tuple[str, ...] = ()


class ScenarioResult(Model):
    """One scenario played. ``failures`` are sentences; none means the clause holds."""

    contract: str
    scenario: str
    tenant: str
    turns: tuple[PlayedTurn, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as the contract says."""
        return not self.failures
