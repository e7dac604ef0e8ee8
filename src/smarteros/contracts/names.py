"""Finds names a condition or text uses that do not exist, before a customer does.

Jinja2 would notice a misspelt field only when the reply is written. Here every name is followed through the types
of ``ReplyContext``: ``invoice.numbr`` and ``intent == 'produc_query'`` are mistakes at load.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jinja2 import TemplateError, nodes
from pydantic import BaseModel

from smarteros.contracts.derived import derived_from
from smarteros.contracts.expressions import (
    CONTEXT_NAMES,
    ENVIRONMENT,
    LOOP_ATTRIBUTES,
    TEXT_NAMES,
    ReplyContext,
    compile_expression,
    compile_text,
)
from smarteros.domain.errors import ConfigError

Type = Any  # a type as annotations write it; Any itself stands for "not known"
SAME_TYPE_FILTERS = frozenset({"default", "list", "reject", "rejectattr", "select", "selectattr"})


def _context_types() -> dict[str, Type]:
    hints = get_type_hints(ReplyContext)
    for name in CONTEXT_NAMES:
        if name not in hints:
            hints[name] = get_type_hints(getattr(ReplyContext, name).fget)["return"]
    return {name: hints[name] for name in CONTEXT_NAMES}


CONTEXT_TYPES = _context_types()
TEXT_TYPES = {name: CONTEXT_TYPES[name] for name in TEXT_NAMES}


def expression_problems(source: str) -> list[str]:
    """Say what is wrong with a condition or tool parameter."""
    try:
        compile_expression(source)
    except ConfigError as error:
        return [str(error)]
    return _Walker(CONTEXT_TYPES).problems_of("{{ " + source + " }}")


def text_problems(source: str) -> list[str]:
    """Say what is wrong with a text."""
    try:
        compile_text(source)
    except ConfigError as error:
        return [str(error)]
    return _Walker(TEXT_TYPES).problems_of(source)


def names_in(source: str) -> frozenset[str]:
    """Return the context names an expression reads; nothing when it cannot be parsed."""
    try:
        tree = ENVIRONMENT.parse("{{ " + source + " }}")
    except TemplateError:
        return frozenset()
    return frozenset(node.name for node in tree.find_all(nodes.Name) if node.name in CONTEXT_TYPES)


class _Walker:
    """Walks one syntax tree; ``scope`` maps the names known at a place to their types."""

    def __init__(self, scope: Mapping[str, Type]) -> None:
        self._scope = dict(scope)
        self._problems: list[str] = []

    def problems_of(self, source: str) -> list[str]:
        self._walk_all(ENVIRONMENT.parse(source).body, self._scope)
        return list(dict.fromkeys(self._problems))

    def _walk_all(self, statements: Iterable[nodes.Node], scope: dict[str, Type]) -> None:
        for statement in statements:
            self._walk(statement, scope)

    def _walk(self, node: nodes.Node, scope: dict[str, Type]) -> None:
        if isinstance(node, nodes.For):
            element = element_of(self._type(node.iter, scope))
            inner = {**scope, "loop": _LOOP}
            if isinstance(node.target, nodes.Name):
                inner[node.target.name] = element
            if node.test is not None:
                self._type(node.test, inner)
            self._walk_all(node.body, inner)
            self._walk_all(node.else_, scope)
        elif isinstance(node, nodes.Assign):
            value = self._type(node.node, scope)
            if isinstance(node.target, nodes.Name):
                scope[node.target.name] = value
        elif isinstance(node, nodes.Expr):
            self._type(node, scope)
        else:
            for child in node.iter_child_nodes():
                self._walk(child, scope)

    def _type(self, node: nodes.Node, scope: dict[str, Type]) -> Type:
        if isinstance(node, nodes.Name):
            return self._name(node.name, scope)
        if isinstance(node, nodes.Getattr):
            return self._attribute(self._type(node.node, scope), node.attr)
        if isinstance(node, nodes.Getitem):
            self._type(node.arg, scope)
            return element_of(self._type(node.node, scope))
        if isinstance(node, nodes.Filter):
            return self._filter(node, scope)
        if isinstance(node, nodes.Compare):
            self._compare(node, scope)
            return bool
        for child in node.iter_child_nodes():
            self._type(child, scope)
        return Any

    def _name(self, name: str, scope: dict[str, Type]) -> Type:
        if name in scope:
            return scope[name]
        if name in CONTEXT_TYPES:
            self._problems.append(f"{name!r} may be used in conditions only, never in a text for the customer")
        else:
            self._problems.append(f"{name!r} is not a name of the reply context")
        return Any

    def _attribute(self, owner: Type, name: str) -> Type:
        model = without_none(owner)
        if model is Any or get_origin(model) is dict:
            return Any
        known: Mapping[str, Type] = {}
        if model is _LOOP:
            known = dict.fromkeys(LOOP_ATTRIBUTES, int)
        elif isinstance(model, type) and issubclass(model, BaseModel):
            known = {field: info.annotation for field, info in model.model_fields.items()} | derived_from(model)
        if name not in known:
            self._problems.append(f"{_name_of(model)} has no field {name!r}")
            return Any
        return known[name]

    def _filter(self, node: nodes.Filter, scope: dict[str, Type]) -> Type:
        for argument in (*node.args, *(pair.value for pair in node.kwargs)):
            self._type(argument, scope)
        value = Any if node.node is None else self._type(node.node, scope)
        if node.name in {"first", "last"}:
            return element_of(value)
        return value if node.name in SAME_TYPE_FILTERS else Any

    def _compare(self, node: nodes.Compare, scope: dict[str, Type]) -> None:
        allowed = without_none(self._type(node.expr, scope))
        for operand in node.ops:
            self._type(operand.expr, scope)
            if get_origin(allowed) is not Literal:
                continue
            for word in _constants(operand.expr):
                if word not in get_args(allowed):
                    self._problems.append(f"{word!r} is never a value here; it is one of {_list(allowed)}")


class _Loop:
    """Stands for Jinja2's ``loop``."""


_LOOP = _Loop


def without_none(annotation: Type) -> Type:
    """Return ``X`` for ``X | None``; a wider union is not followed."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    members = [member for member in get_args(annotation) if member is not type(None)]
    return members[0] if len(members) == 1 else Any


def element_of(annotation: Type) -> Type:
    """Return the type of the elements of a tuple or list, Any for everything else."""
    sequence = without_none(annotation)
    if get_origin(sequence) in (tuple, list):
        return get_args(sequence)[0]
    return str if sequence is str else Any


def _name_of(annotation: Type) -> str:
    return str(getattr(annotation, "__name__", annotation))


def _constants(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.Const):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, nodes.Tuple | nodes.List):
        return [word for item in node.items for word in _constants(item)]
    return []


def _list(literal: Type) -> str:
    return ", ".join(str(value) for value in get_args(literal))
