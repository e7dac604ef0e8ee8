"""Audit events: one per turn and one per rejected webhook, chained by hash per tenant."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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
PRIVACY_TOPIC = "smarteros.audit.privacy"


class AuditEvent(Model):
    """What happened, without message texts and without personal data that is not sealed (``privacy.sealing``).

    ``tenant_id`` is None when the sender could not be believed.
    """

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


def chain_hash(previous: str, body: Mapping[str, Any]) -> str:
    """Hash of an event's JSON over its predecessor's hash: changing, removing or reordering one breaks the chain.

    It is the JSON that counts, not the model: events written before the model got another field keep their hashes.
    """
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
