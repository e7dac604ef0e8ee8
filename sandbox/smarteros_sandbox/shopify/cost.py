"""Shopify's calculated query cost and the leaky bucket it drains (https://shopify.dev/api/usage/limits).

Cost: scalars are free, an object is 1, a connection is 2 plus its objects, a mutation is 10. The requested
cost is computed from the query, the actual cost from what was returned; the difference flows back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_interface_type,
    is_leaf_type,
    is_object_type,
)

from smarteros_sandbox.shopify.graphql_core import named_type

MAXIMUM_AVAILABLE = 2000
RESTORE_RATE = 100
SINGLE_QUERY_LIMIT = 1000
OBJECT_COST, CONNECTION_COST, MUTATION_COST = 1, 2, 10
# Larger sums mean nothing: the limit for one query is far below.
CEILING = 10**9


class LeakyBucket:
    """Points of one shop: full at the start, refilled by ``RESTORE_RATE`` a second."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._available = float(MAXIMUM_AVAILABLE)
        self._seen = clock()

    def take(self, points: int) -> bool:
        """Take the points if they are there."""
        with self._lock:
            self._refill()
            if self._available < points:
                return False
            self._available -= points
            return True

    def give_back(self, points: int) -> None:
        """Return what a query asked for but did not use."""
        with self._lock:
            self._refill()
            self._available = min(self._available + max(points, 0), MAXIMUM_AVAILABLE)

    def drain(self) -> None:
        """Empty it: the fault "throttle"."""
        with self._lock:
            self._refill()
            self._available = 0.0

    def status(self) -> dict[str, float | int]:
        """``throttleStatus``, in the number formats Shopify writes."""
        with self._lock:
            self._refill()
            return {
                "maximumAvailable": float(MAXIMUM_AVAILABLE),
                "currentlyAvailable": int(self._available),
                "restoreRate": float(RESTORE_RATE),
            }

    def _refill(self) -> None:
        now = self._clock()
        self._available = min(self._available + (now - self._seen) * RESTORE_RATE, MAXIMUM_AVAILABLE)
        self._seen = now


@dataclass
class CostEstimator:
    """Computes the requested cost of a validated operation."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]

    def __post_init__(self) -> None:
        self._fragment_costs: dict[str, int] = {}

    def estimate(self, operation: OperationDefinitionNode) -> int:
        """The requested cost."""
        root = self.schema.get_root_type(operation.operation)
        base = MUTATION_COST if operation.operation is OperationType.MUTATION else 0
        return base + (self._selections(operation.selection_set, root) if root else 0)

    def _selections(self, selection_set: SelectionSetNode | None, parent: GraphQLNamedType) -> int:
        total = 0
        alternatives: Counter[str] = Counter()
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FieldNode):
                total += self._field(selection, parent)
                continue
            condition, cost = self._fragment(selection, parent)
            if is_object_type(condition) and condition is not parent:
                alternatives[condition.name] += cost
            else:
                total += cost
        # A record has one type, so of the fragments on different types only the dearest counts.
        return min(total + max(alternatives.values(), default=0), CEILING)

    def _fragment(self, selection: SelectionNode, parent: GraphQLNamedType) -> tuple[GraphQLNamedType, int]:
        if isinstance(selection, InlineFragmentNode):
            name = selection.type_condition.name.value if selection.type_condition else parent.name
            condition = self.schema.get_type(name) or parent
            return condition, self._selections(selection.selection_set, condition)
        name = selection.name.value if isinstance(selection, FragmentSpreadNode) else ""
        definition = self.fragments[name]
        condition = self.schema.get_type(definition.type_condition.name.value) or parent
        if name not in self._fragment_costs:
            self._fragment_costs[name] = self._selections(definition.selection_set, condition)
        return condition, self._fragment_costs[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> int:
        if not (is_object_type(parent) or is_interface_type(parent)) or node.name.value not in parent.fields:
            return 0  # __typename and introspection are free
        kind = named_type(parent.fields[node.name.value].type)
        if is_leaf_type(kind) or kind.name in ("PageInfo",):
            return 0
        inner = self._selections(node.selection_set, kind)
        if kind.name.endswith("Connection"):
            return CONNECTION_COST + self._page_size(node) * inner
        return inner if kind.name.endswith("Edge") else OBJECT_COST + inner

    def _page_size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                if isinstance(value, IntValueNode):
                    return min(max(int(value.value), 0), CEILING)
                if isinstance(value, VariableNode):
                    given = self.variables.get(value.name.value)
                    return min(max(given, 0), CEILING) if isinstance(given, int) else 1
        return 1
