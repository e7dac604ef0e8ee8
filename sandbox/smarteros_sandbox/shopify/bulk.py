"""Bulk operations: a query without pages, run in the background, whose result is a file of JSON lines.

The rules are those of https://shopify.dev/docs/api/usage/bulk-operations/queries: at least one connection, at most
five, nested no deeper than two; no ``node`` or ``nodes`` at the top; every child's line names its parent. An operation
is seen CREATED, then RUNNING, then COMPLETED: whoever looks only once has no file.
"""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from threading import Lock
from typing import Any

from graphql import FieldNode, GraphQLError, OperationDefinitionNode, SelectionSetNode, parse

from smarteros_sandbox.shopify.connections import FieldFunction, Node
from smarteros_sandbox.shopify.context import Info, RequestContext
from smarteros_sandbox.shopify.execution import RejectedQuery, prepare, run
from smarteros_sandbox.shopify.schemas import SCHEMAS
from smarteros_sandbox.shopify.values import gid
from smarteros_sandbox.shops.untyped import as_object

MOST_CONNECTIONS, DEEPEST, MOST_RUNNING, MOST_KEPT = 5, 2, 5, 20
_IN_PROGRESS = "A bulk query operation for this app and shop is already in progress"


@dataclass
class _Operation:
    """One operation; its lines are made when it is looked at for the second time."""

    id: str
    query: str
    grouped: bool
    created_at: str
    looks: int = 0
    lines: list[str] | None = None
    problem: str | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class BulkOperations:
    """The operations of one shop, the oldest dropped."""

    def __init__(self, root: dict[str, FieldFunction]) -> None:
        self._root = root
        self._lock = Lock()
        self._numbers = count(5_000_000_001)
        self._kept: OrderedDict[str, _Operation] = OrderedDict()

    def fields(self) -> dict[str, FieldFunction]:
        """The root fields."""
        return {
            "bulkOperationRunQuery": self._begin,
            "bulkOperation": self._operation,
            "currentBulkOperation": self._current,
        }

    def file(self, token: str) -> str | None:
        """The finished file behind a link, if there is one."""
        found = next((one for one in self._kept.values() if secrets.compare_digest(one.token, token)), None)
        return None if found is None or found.lines is None else "".join(f"{line}\n" for line in found.lines)

    def _begin(self, info: Info, **arguments: Any) -> Node:
        problem = _problem_of(arguments["query"])
        if problem is not None:
            return _refused("INVALID", ["query"], problem)
        with self._lock:
            running = sum(one.lines is None and one.problem is None for one in self._kept.values())
            if info.context.refuses_bulk or running >= MOST_RUNNING:
                return _refused("OPERATION_IN_PROGRESS", None, _IN_PROGRESS)
            made = _Operation(
                id=gid("BulkOperation", next(self._numbers)),
                query=arguments["query"],
                grouped=bool(arguments.get("groupObjects")),
                created_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            )
            self._kept[made.id] = made
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return {"bulkOperation": self._node(made, info.context, "CREATED"), "userErrors": []}

    def _operation(self, info: Info, **arguments: Any) -> Node | None:
        found = self._kept.get(arguments["id"])
        return None if found is None else self._looked_at(found, info.context)

    def _current(self, info: Info, **_arguments: Any) -> Node | None:
        return self._looked_at(next(reversed(self._kept.values())), info.context) if self._kept else None

    def _looked_at(self, operation: _Operation, context: RequestContext) -> Node:
        with self._lock:
            operation.looks += 1
            if operation.looks == 1:
                return self._node(operation, context, "RUNNING")
            if operation.lines is None and operation.problem is None:
                self._run(operation, context)
        return self._node(operation, context, "FAILED" if operation.problem else "COMPLETED")

    def _run(self, operation: _Operation, context: RequestContext) -> None:
        own = RequestContext(unpaged=True, empty_mirror=context.empty_mirror, currency=context.currency)
        answer = run(prepare(SCHEMAS.get("admin"), {"query": operation.query}), self._root, own)
        if answer.get("errors"):
            operation.problem = str(answer["errors"][0].get("extensions", {}).get("code", "INTERNAL_SERVER_ERROR"))
        else:
            operation.lines = list(_lines(answer["data"], operation.grouped))

    def _node(self, operation: _Operation, context: RequestContext, status: str) -> Node:
        lines = operation.lines or []
        url = f"{context.own_url}/bulk-operation-outputs/{operation.token}" if lines else None
        return {
            "__typename": "BulkOperation",
            "id": operation.id,
            "status": status,
            "type": "QUERY",
            "query": operation.query,
            "createdAt": operation.created_at,
            "completedAt": operation.created_at if status == "COMPLETED" else None,
            "errorCode": operation.problem,
            "objectCount": str(len(lines)),
            "rootObjectCount": str(sum("__parentId" not in line for line in lines)),
            "fileSize": str(sum(len(line.encode()) + 1 for line in lines)) if lines else None,
            "url": url,
            "partialDataUrl": None,
        }


def _refused(code: str, where: list[str] | None, message: str) -> Node:
    return {"bulkOperation": None, "userErrors": [{"code": code, "field": where, "message": message}]}


def _problem_of(query: str) -> str | None:
    """What Shopify has against a bulk query, or None."""
    try:
        prepare(SCHEMAS.get("admin"), {"query": query})
        document = parse(query)
    except RejectedQuery as rejected:
        return f"Invalid bulk query: {rejected.errors[0]['message']}"
    except GraphQLError as error:
        return f"Invalid bulk query: {error.message}"
    operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    names = {one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)}
    if names & {"node", "nodes"}:
        return "Bulk queries cannot contain top level node or nodes fields."
    connections, depth = _connections(operation.selection_set, 0)
    if connections == 0:
        return "Bulk queries must contain at least one connection."
    if connections > MOST_CONNECTIONS:
        return f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
    return f"Bulk queries cannot nest deeper than {DEEPEST} levels." if depth > DEEPEST else None


def _connections(selections: SelectionSetNode | None, depth: int) -> tuple[int, int]:
    """How many connections there are below, and how deep they are nested (a connection has ``edges``)."""
    found, deepest = 0, depth
    for one in selections.selections if selections else ():
        if not isinstance(one, FieldNode) or one.selection_set is None:
            continue
        below = [child.name.value for child in one.selection_set.selections if isinstance(child, FieldNode)]
        inside = depth + ("edges" in below)
        more, deeper = _connections(one.selection_set, inside)
        found, deepest = found + ("edges" in below) + more, max(deepest, deeper)
    return found, deepest


def _lines(data: dict[str, Any], grouped: bool) -> Iterator[str]:
    """The lines of an answer; ungrouped, children come after all of their parents."""
    level = [pair for value in data.values() for pair in _children(value, None)]
    while level:
        following: list[tuple[Node, str | None]] = []
        for node, parent in level:
            plain = {name: value for name, value in node.items() if not _is_connection(value)}
            yield _line(plain, parent)
            children = [pair for value in node.values() for pair in _children(value, str(node.get("id")))]
            if grouped:
                yield from (_line(child, of) for child, of in children)
            else:
                following += children
        level = following


def _is_connection(value: Any) -> bool:
    return "edges" in (as_object(value) or {})


def _children(value: Any, parent: str | None) -> list[tuple[Node, str | None]]:
    """The nodes of a connection, each with its parent; none of anything else."""
    return [(edge["node"], parent) for edge in (as_object(value) or {}).get("edges", ())]


def _line(node: Node, parent: str | None) -> str:
    named = node if parent is None else {**node, "__parentId": parent}
    return json.dumps(named, ensure_ascii=False, separators=(",", ":"))
