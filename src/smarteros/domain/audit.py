"""Audit events: one per turn and one per rejected webhook, chained by hash per tenant."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from pydantic import Field

from smarteros.domain.model import Model

AUDIT_TOPIC_OF_FLOW = {
    "e2e_shopify_sales": "smarteros.audit.shopify",
    "e2e_ocr_support": "smarteros.audit.ocr_support",
    "e2e_faq_quick": "smarteros.audit.faq",
}
SECURITY_TOPIC = "smarteros.audit.security"


class AuditEvent(Model):
    """What happened, without message texts. ``tenant_id`` is None when the sender could not be believed."""

    event_id: str
    topic: str
    kind: str
    tenant_id: str | None
    flow_id: str | None = None
    conversation_id: int | None = None
    intent: str | None = None
    confidence: float | None = None
    latency_ms: int | None = None
    timestamp: datetime
    details: dict[str, Any] = Field(default_factory=dict)


def chain_hash(previous: str, event: AuditEvent) -> str:
    """Hash of an event over its predecessor's hash: changing, removing or reordering one breaks the chain."""
    body = json.dumps(event.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()
