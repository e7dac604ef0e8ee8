"""Prometheus metrics. Labels are bounded: tenants, flows, steps, outcomes; never a conversation or a phone.

Each process tells its own; Prometheus adds them up.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from smarteros.observability.bounded import Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
# The latencies that contracts promise and alert at are bounds: what is asked of a histogram there is exact.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7, 8, 10, 15, 30)

WEBHOOKS = Counter(
    "smos_webhooks_total", "Webhooks by tenant and what became of them", ["tenant", "outcome"], registry=REGISTRY
)
TURNS = Counter("smos_turns_total", "Turns by outcome", ["tenant", "flow", "outcome"], registry=REGISTRY)
TURN_SECONDS = Histogram(
    "smos_turn_latency_seconds",
    "From the customer's last message to the reply",
    ["tenant", "flow"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
SLO_TURNS = Counter(
    "smos_slo_turns_total",
    "Turns by what became of the flow's promise: kept, late, broken",
    ["tenant", "flow", "verdict"],
    registry=REGISTRY,
)
STEP_SECONDS = Histogram(
    "smos_step_duration_seconds",
    "Duration of one step",
    ["tenant", "step", "outcome"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
TOOL_CALLS = Counter("smos_tool_calls_total", "Tool calls by outcome", ["tenant", "tool", "outcome"], registry=REGISTRY)
TOOL_SECONDS = Histogram(
    "smos_tool_duration_seconds",
    "Duration of one try of a tool, whoever called it",
    ["tenant", "tool", "outcome"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
TOOL_FAULTS = Counter(
    "smos_tool_faults_total",
    "Tries of a tool that the system behind it failed, also those answered from memory",
    ["tenant", "service", "code"],
    registry=REGISTRY,
)
UPSTREAM_FAILURES = Gauge(
    "smos_upstream_consecutive_failures",
    "Calls of a tenant's system since it last answered",
    ["tenant", "service"],
    registry=REGISTRY,
)
LOW_CONFIDENCE = Gauge(
    "smos_consecutive_low_confidence",
    "Turns since the last one that was understood, by the flow that answered",
    ["tenant", "flow"],
    registry=REGISTRY,
)
LOW_OCR_CONFIDENCE = Gauge(
    "smos_consecutive_low_ocr_confidence",
    "Photos since the last one that could be read",
    ["tenant", "flow"],
    registry=REGISTRY,
)
INVOICE_LOOKUPS = Counter(
    "smos_invoice_lookups_total", "Invoices looked up in the ERP", ["tenant", "flow", "outcome"], registry=REGISTRY
)
OCR_PAGES = Counter(
    "smos_ocr_pages_total", "Pages given to an OCR engine", ["tenant", "engine", "outcome"], registry=REGISTRY
)
VISION_IMAGES = Counter(
    "smos_vision_images_total", "Images Cloud Vision has read and will bill", ["tenant"], registry=REGISTRY
)
SECRET_STORE_REQUESTS = Counter(
    "smos_secret_store_requests_total", "What Vault was asked for, by what became of it", ["outcome"], registry=REGISTRY
)
DEPENDENCY_UP = Gauge(
    "smos_dependency_up", "1 when the dependency answered its last check", ["service"], registry=REGISTRY
)
BRAIN_COMPLETE = Gauge(
    "smos_brain_complete",
    "1 when the embedded brain and the tenants' models are as good as they get",
    registry=REGISTRY,
)


def exposition(accept: str = "") -> tuple[bytes, str]:
    """Return all metrics and their content type, in the format asked for.

    Exemplars, which lead to traces, are in OpenMetrics only (``application/openmetrics-text``).
    """
    encode, content_type = choose_encoder(accept)
    return encode(REGISTRY), content_type
