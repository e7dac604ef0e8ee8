"""What the resolvers of one request share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLResolveInfo

from smarteros_sandbox.shopify.values import CURRENCY


@dataclass
class RequestContext:
    """One per request. ``unpaged``: connections need no page size; ``own_url``: where this server is reached."""

    empty_mirror: bool = False
    unpaged: bool = False
    own_url: str = ""
    refuses_bulk: bool = False
    currency: str = CURRENCY
    spent: int = 0
    warnings: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def warn(self, path: list[str | int], query: str | None, unknown_fields: list[str]) -> None:
        """Report search fields that were ignored (Shopify's ``extensions.search``)."""
        if unknown_fields:
            message = "Invalid search field for this query."
            warnings = [{"field": name, "message": message, "code": "invalid_field"} for name in unknown_fields]
            self.warnings.append({"path": path, "query": query, "warnings": warnings})


Info = GraphQLResolveInfo[RequestContext]
