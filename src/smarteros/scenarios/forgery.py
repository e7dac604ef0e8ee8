"""A webhook in Chatwoot's real form, signed by somebody who does not have the secret."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime

import httpx2

from smarteros.channels.chatwoot.signatures import sign_v1
from smarteros.contracts.models import Persona
from smarteros.domain.errors import ConfigError, TransientError
from smarteros.scenarios.stack import Stack, TenantInfo

WRONG_SECRET = "not-the-secret-of-this-tenant"  # noqa: S105  it opens nothing, that is the point


def post_forged_webhook(stack: Stack, tenant: TenantInfo, persona: Persona, text: str) -> httpx2.Response:
    """Send the message as a webhook whose signature is wrong; the answer is returned whatever its status."""
    if not tenant.webhooks:
        raise ConfigError("unknown_webhook", f"{tenant.tenant_id} has no webhook")
    raw = json.dumps(_body(tenant, persona, text), ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "X-Chatwoot-Delivery": str(uuid.uuid4()),
        "X-Chatwoot-Timestamp": str(timestamp),
        "X-Chatwoot-Signature": sign_v1(raw, WRONG_SECRET, timestamp),
    }
    try:
        return stack.http.post(tenant.webhooks[0].url, content=raw, headers=headers)
    except httpx2.HTTPError as error:
        raise TransientError("stack_unreachable", f"webhook of {tenant.tenant_id}: {type(error).__name__}") from error


def _body(tenant: TenantInfo, persona: Persona, text: str) -> dict[str, object]:
    """The fields of ``message_created`` (Chatwoot app/models/message.rb#webhook_data) a receiver looks at."""
    account = {"id": tenant.account_id, "name": tenant.tenant_id}
    sender = {"account": account, "id": 1, "name": persona.name, "phone_number": persona.phone, "email": persona.email}
    return {
        "account": account,
        "additional_attributes": {},
        "content_attributes": {},
        "content_type": "text",
        "content": text,
        "conversation": {
            "id": 999_999,
            "inbox_id": 1,
            "channel": "Channel::Whatsapp",
            "can_reply": True,
            "status": "pending",
            "meta": {"sender": sender, "assignee": None, "assignee_type": None},
            "account": account,
        },
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "id": 2_000_000_000 + time.time_ns() % 1_000_000,
        "inbox": {"id": 1, "name": "WhatsApp"},
        "message_type": "incoming",
        "private": False,
        "sender": sender,
        "source_id": None,
        "event": "message_created",
    }
