"""Counters of shops' own bots. Labels are bounded: tenants, two dialects, outcomes."""

from __future__ import annotations

from smarteros.observability.bounded import Counter, Histogram
from smarteros.observability.metrics import REGISTRY

CALLS = Counter(
    "smos_botpress_calls_total",
    "Messages a shop's own bot could have decided, by what became of it",
    ["tenant", "dialect", "outcome"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "smos_botpress_duration_seconds",
    "Duration of one question to a bot",
    ["tenant", "dialect"],
    buckets=(0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8),
    registry=REGISTRY,
)
