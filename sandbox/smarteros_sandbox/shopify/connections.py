"""Cursor pagination as Shopify's connections do it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

from smarteros_sandbox.shopify.context import Info

Node = dict[str, Any]
"""A record as GraphQL sees it: field name to value, or to a function of (info, **arguments)."""

FieldFunction = Callable[..., Any]
LARGEST_PAGE = 250


def bad_request(message: str) -> GraphQLError:
    """An argument Shopify refuses although its type is right."""
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def cursor_of(node: Node) -> str:
    """An opaque cursor; like Shopify's it is base64 of a small JSON object."""
    return base64.b64encode(json.dumps({"last_id": node["id"]}).encode()).decode()


def connection(nodes: Sequence[Node], arguments: dict[str, Any], *, unpaged: bool = False, **extra: Any) -> Node:
    """One page of ``nodes`` per ``first``/``after`` or ``last``/``before``, after an optional ``reverse``.

    ``unpaged`` gives all of them, as a bulk operation does.
    """
    ordered = list(reversed(nodes)) if arguments.get("reverse") else list(nodes)
    if unpaged:
        return {"edges": [{"node": node} for node in ordered]}
    first, last = _page_size(arguments, "first"), _page_size(arguments, "last")
    if first is None and last is None:
        raise bad_request("you must provide one of first or last")
    if first is not None and last is not None:
        raise bad_request("providing both first and last is not supported")
    start = _position(ordered, arguments.get("after")) + 1 if arguments.get("after") else 0
    end = _position(ordered, arguments.get("before")) if arguments.get("before") else len(ordered)
    if first is not None:
        end = max(start, min(end, start + first))
    else:
        start = min(end, max(start, end - (last or 0)))
    page = ordered[start:end]
    return {
        "nodes": page,
        "edges": [{"cursor": cursor_of(node), "node": node} for node in page],
        "pageInfo": {
            "hasNextPage": end < len(ordered),
            "hasPreviousPage": start > 0,
            "startCursor": cursor_of(page[0]) if page else None,
            "endCursor": cursor_of(page[-1]) if page else None,
        },
        **extra,
    }


def connection_field(nodes: Callable[[], Sequence[Node]]) -> FieldFunction:
    """A field that pages through what ``nodes`` gives when the field is asked for."""

    def resolve(info: Info, **arguments: Any) -> Node:
        return connection(nodes(), arguments, unpaged=info.context.unpaged)

    return resolve


def list_field(items: Sequence[Node]) -> FieldFunction:
    """A plain list with an optional ``first``."""

    def resolve(_info: Info, first: int | None = None, **_arguments: Any) -> list[Node]:
        return list(items) if first is None else list(items[: max(first, 0)])

    return resolve


def later(make: Callable[[], Any]) -> FieldFunction:
    """A field whose value is only made when it is asked for; it breaks cycles such as variant - product."""

    def resolve(_info: Info, **_arguments: Any) -> Any:
        return make()

    return resolve


def _page_size(arguments: dict[str, Any], name: str) -> int | None:
    size = arguments.get(name)
    if size is None:
        return None
    if not 0 <= size <= LARGEST_PAGE:
        raise bad_request(f"{name} must be between 0 and {LARGEST_PAGE}")
    return size


def _position(nodes: list[Node], cursor: str | None) -> int:
    try:
        wanted = json.loads(base64.b64decode((cursor or "").encode(), validate=True))["last_id"]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        wanted = None
    for position, node in enumerate(nodes):
        if node["id"] == wanted:
            return position
    raise bad_request("Invalid cursor for current pagination sort.")
