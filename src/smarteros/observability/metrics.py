"""Prometheus metrics. Labels are bounded: tenants, flows, steps, outcomes; never a conversation or a phone."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 10, 30)

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


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
