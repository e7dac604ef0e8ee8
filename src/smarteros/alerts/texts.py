"""What is said of alerts, in the operator's language."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml

from smarteros.domain.alerts import Alert, NewsKind, Signal
from smarteros.domain.model import Model

Language = Literal["es", "en"]
_RATES = frozenset[Signal]({"error_rate", "invoice_not_found_rate"})
# The installation's own alerts belong to no tenant.
_INSTALLATION = "SmarterOS"


class AlertTexts(Model):
    """The texts of one language, with the places where an alert's facts go."""

    kinds: dict[NewsKind, str]
    signals: dict[Signal, str]
    over: str
    held: str
    fallen_back: str
    not_set_up: str

    def sentence(self, alert: Alert, kind: NewsKind, now: datetime) -> str:
        """Say in one sentence what has become of an alert."""
        text = self.signals[alert.signal].format(
            tenant=_INSTALLATION if alert.tenant_id == "-" else alert.tenant_id,
            flow=alert.flow_id or alert.name,
            subject=alert.subject or alert.name,
            value=_figure(alert.signal, alert.value),
            threshold=_figure(alert.signal, alert.threshold),
        )
        if kind == "resolved":
            minutes = round(((alert.resolved_at or now) - alert.started_at).total_seconds() / 60)
            return self.over.format(text=text, minutes=minutes)
        return self.held.format(text=text) if kind == "acknowledged" else text

    def fell_back(self, sink: str, why: str | None) -> str:
        """Say why a message comes to somebody it was not meant for; ``why`` is None for a sink nobody has set up."""
        return self.fallen_back.format(sink=sink, why=why or self.not_set_up)


def alert_texts(language: Language) -> AlertTexts:
    """Return the texts of a language."""
    return _all()[language]


def _figure(signal: Signal, value: float | None) -> str:
    if value is None:
        return "?"
    shown = value * 100 if signal in _RATES else value
    return f"{round(shown, 1):g}" if signal in _RATES else f"{round(shown)}"


@lru_cache(maxsize=1)
def _all() -> dict[str, AlertTexts]:
    raw = yaml.safe_load(files("smarteros.alerts").joinpath("data", "texts.yml").read_text("utf-8"))
    return {language: AlertTexts.model_validate(texts) for language, texts in raw.items()}
