"""What is counted on the way to the bus."""

from __future__ import annotations

from smarteros.observability.bounded import Counter, Gauge
from smarteros.observability.counted import CountedGauges
from smarteros.observability.metrics import REGISTRY

BUS_EVENTS = Counter(
    "smos_bus_events_total", "Audit events handed to the bus, by what became of them", ["outcome"], registry=REGISTRY
)
CHAINS_BROKEN = Gauge(
    "smos_audit_chains_broken", "Audit chains that did not fit when they were to be sealed", registry=REGISTRY
)
OUTBOX = CountedGauges(
    ("smos_outbox_waiting_events", "Audit events that wait for the bus"),
    ("smos_outbox_oldest_waiting_seconds", "Age of the oldest of them"),
    ("smos_outbox_refused_events", "Audit events the bus will never take, set aside"),
)
