"""Where the parts of a drawing lie; the templates draw them as SVG, without scripts and inline styles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from smarteros.contracts.models import Contract
from smarteros.domain.decisions import ROUTE_OF_INTENT, Intent, Route
from smarteros.domain.turns import StepName, StepTiming

BAR_WIDTH = 180.0
_GAP = 2.0
_LEAST = 3.0  # a step of no time is there all the same


@dataclass(frozen=True)
class Segment:
    """One step of a turn in its bar."""

    step: StepName
    x: float
    width: float


def step_bar(steps: Sequence[StepTiming]) -> tuple[Segment, ...]:
    """Lay the steps of a turn side by side on ``BAR_WIDTH``, each as wide as it took."""
    total = sum(step.duration_ms for step in steps)
    if not total:
        return ()
    scale = (BAR_WIDTH - (_GAP + _LEAST) * len(steps) + _GAP) / total
    at, segments = 0.0, list[Segment]()
    for step in steps:
        width = _LEAST + step.duration_ms * scale
        segments.append(Segment(step.step, round(at, 1), round(width, 1)))
        at += width + _GAP
    return tuple(segments)


NodeKind = Literal["intent", "route", "reply", "person"]


@dataclass(frozen=True)
class Node:
    """A box of the contract's diagram. ``label`` is a code of the contract."""

    kind: NodeKind
    label: str
    x: float
    y: float


@dataclass(frozen=True)
class Diagram:
    """A contract from left to right: what is understood, the way it goes, what is said.

    ``edges`` are pairs of nodes, drawn from the right side of the first to the left side of the second.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]
    width: float
    height: float


BOX_WIDTH, BOX_HEIGHT = 230.0, 30.0
_ROW, _COLUMN = 40.0, 330.0


def contract_diagram(contract: Contract) -> Diagram:
    """Lay a contract out. Routes lie in the middle of the replies they lead to, so that few lines cross."""
    routes: tuple[Route, ...] = tuple(dict.fromkeys(rule.route for rule in contract.reply))
    replies: list[tuple[Route, Node]] = []
    for route in routes:
        for rule in contract.reply:
            if rule.route == route:
                kind: NodeKind = "person" if rule.escalate else "reply"
                replies.append((route, Node(kind, rule.outcome, 2 * _COLUMN, len(replies) * _ROW)))
    height = max(len(replies), len(contract.entry.intents)) * _ROW
    ways: dict[Route, Node] = {
        route: Node("route", route, _COLUMN, _middle([node.y for of, node in replies if of == route]))
        for route in routes
    }
    intents: list[Intent] = sorted(contract.entry.intents, key=lambda intent: _height(ways, intent, height))
    offset = (height - len(intents) * _ROW) / 2
    asked: list[tuple[Intent, Node]] = [
        (intent, Node("intent", intent, 0.0, offset + at * _ROW)) for at, intent in enumerate(intents)
    ]
    edges = [(node, ways[ROUTE_OF_INTENT[intent]]) for intent, node in asked if ROUTE_OF_INTENT[intent] in ways]
    edges += [(ways[route], node) for route, node in replies]
    nodes = (*(node for _, node in asked), *ways.values(), *(node for _, node in replies))
    return Diagram(nodes, tuple(edges), 2 * _COLUMN + BOX_WIDTH, height)


def _height(ways: Mapping[Route, Node], intent: Intent, below: float) -> float:
    """Where an intent's route lies, and ``below`` for one that another flow answers."""
    way = ways.get(ROUTE_OF_INTENT[intent])
    return below if way is None else way.y


def _middle(values: Sequence[float]) -> float:
    return (values[0] + values[-1]) / 2
