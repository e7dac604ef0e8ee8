"""Metrics of the copies."""

from __future__ import annotations

from smarteros.observability.bounded import Counter, Gauge
from smarteros.observability.metrics import REGISTRY

COMPARISONS = Counter(
    "smos_catalogue_comparisons_total",
    "Comparisons of our copy with the shop, by what they were",
    ["tenant", "outcome"],
    registry=REGISTRY,
)
PRODUCTS = Gauge("smos_catalogue_products", "Products in our copy of a catalogue", ["tenant"], registry=REGISTRY)
SHOP_WEBHOOKS = Counter(
    "smos_shop_webhooks_total", "Webhooks of shops by what became of them", ["tenant", "outcome"], registry=REGISTRY
)
