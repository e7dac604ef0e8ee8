"""What reconcile counts."""

from __future__ import annotations

from smarteros.observability.bounded import Counter, Gauge
from smarteros.observability.metrics import REGISTRY

RECONCILED = Counter(
    "smos_reconciled_total",
    "Messages whose webhook had not come, by what became of them",
    ["tenant", "outcome"],
    registry=REGISTRY,
)
LAST_SWEEP = Gauge(
    "smos_reconcile_last_success_timestamp_seconds",
    "When a tenant's Chatwoot was last looked through completely",
    ["tenant"],
    registry=REGISTRY,
)
SWEEPS = Counter(
    "smos_reconcile_sweeps_total", "Looks through a tenant's Chatwoot", ["tenant", "outcome"], registry=REGISTRY
)
