"""Counters of the brain. Labels are bounded: tenants and the models set for them."""

from __future__ import annotations

import re

from smarteros.observability.bounded import Counter, Histogram
from smarteros.observability.metrics import REGISTRY

CALLS = Counter(
    "smos_llm_calls_total",
    "Turns a language model could have worded, by what became of it",
    ["tenant", "model", "outcome"],
    registry=REGISTRY,
)
TOKENS = Counter("smos_llm_tokens_total", "Tokens by direction", ["tenant", "model", "kind"], registry=REGISTRY)
COST = Counter(
    "smos_llm_cost_usd_total", "What models have cost, in US dollars", ["tenant", "model"], registry=REGISTRY
)
SECONDS = Histogram(
    "smos_llm_duration_seconds",
    "Duration of one call",
    ["tenant", "model"],
    buckets=(0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8),
    registry=REGISTRY,
)
_LABEL = re.compile(r"[\w.:/@-]{1,64}")


def model_label(model: str) -> str:
    """Return a label value of bounded form and length."""
    return model if _LABEL.fullmatch(model) else "other"
