"""The five standard headers, required on every call between services and checked against the body."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import Header, Request

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.messages import ChannelName
from smarteros.domain.model import Model

UserRole = Literal["end_user", "agent", "system"]
# The signature of the webhook that started it all, carried along; either of Chatwoot's forms.
_SIGNATURE = re.compile(r"^(sha256=)?[0-9a-fA-F]{64}$")

# A header that comes twice could mean two things: one to us, the other to a proxy before us.
_ONCE = (
    "authorization",
    "x-smos-tenant-id",
    "x-smos-conversation-id",
    "x-smos-channel",
    "x-smos-user-role",
    "x-chatwoot-signature",
)


class StandardHeaders(Model):
    """Who is asking, for which conversation, on which channel."""

    tenant_id: str
    conversation_id: int
    channel: ChannelName
    user_role: UserRole

    def require(self, *, tenant_id: str, conversation_id: int, channel: str) -> None:
        """Refuse (403) a body that speaks of another tenant, conversation or channel than the headers."""
        pairs = (
            ("X-SMOS-Tenant-ID", self.tenant_id, tenant_id),
            ("X-SMOS-Conversation-ID", self.conversation_id, conversation_id),
            ("X-SMOS-Channel", self.channel, channel),
        )
        for name, header, body in pairs:
            if header != body:
                raise RejectedInputError("header_mismatch", f"{name} does not match the body.", status=403)


def standard_headers(
    request: Request,
    x_smos_tenant_id: Annotated[str, Header(max_length=64)],
    x_smos_conversation_id: Annotated[int, Header(ge=0, le=2**53)],
    x_smos_channel: Annotated[ChannelName, Header()],
    x_smos_user_role: Annotated[UserRole, Header()],
    x_chatwoot_signature: Annotated[str, Header(max_length=80)],
) -> StandardHeaders:
    """Read the headers; FastAPI answers 422 for a missing or malformed one, and one that comes twice is refused."""
    for name in _ONCE:
        if len(request.headers.getlist(name)) > 1:
            raise RejectedInputError("duplicate_header", f"The header {name} came twice.", status=400)
    if not _SIGNATURE.match(x_chatwoot_signature):
        raise RejectedInputError("malformed_signature", "X-Chatwoot-Signature is not a hex HMAC.")
    return StandardHeaders(
        tenant_id=x_smos_tenant_id,
        conversation_id=x_smos_conversation_id,
        channel=x_smos_channel,
        user_role=x_smos_user_role,
    )
