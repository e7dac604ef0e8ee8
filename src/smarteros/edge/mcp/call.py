"""What one request to ``/mcp`` carries besides its message: who asks, for which conversation, and why it was refused.

It travels in the ASGI scope, because the protocol's own machinery lies between the endpoint and the handlers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smarteros.edge.errors import RefusedRequestError
from smarteros.edge.tool_access import Caller

_KEY = "smarteros.mcp_call"


@dataclass
class McpCall:
    """One admitted request. A handler sets ``refusal`` when the whole request must be answered with its status."""

    caller: Caller
    conversation_id: int
    refusal: RefusedRequestError | None = None

    def put_into(self, scope: Any) -> None:
        """Let it travel along with a request."""
        scope[_KEY] = self

    @staticmethod
    def of(request: Any) -> McpCall:
        """Return what travels along with a request (Starlette's)."""
        call: McpCall = request.scope[_KEY]
        return call
