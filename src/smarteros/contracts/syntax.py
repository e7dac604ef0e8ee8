"""What of Jinja2's grammar a contract may use. A list of what is allowed, so that what is new is refused.

Left out on purpose: calls and macros (nothing to call), imports and blocks (one text is one text), ``*`` and
``**`` (a short expression could ask for gigabytes), loops inside loops.
"""

from __future__ import annotations

from jinja2 import nodes

ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign,
    nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword,
    nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem, nodes.Slice,
    nodes.Compare, nodes.Operand, nodes.Not, nodes.And, nodes.Or, nodes.CondExpr,
    nodes.Add, nodes.Sub, nodes.Neg, nodes.Concat,
)  # fmt: skip
ALLOWED_FILTERS = (
    "capitalize", "default", "first", "int", "join", "last", "length", "list", "lower", "map", "reject",
    "rejectattr", "round", "select", "selectattr", "sort", "sum", "title", "trim", "upper",
)  # fmt: skip
ALLOWED_TESTS = (
    "defined", "none", "eq", "==", "equalto", "ne", "!=", "lt", "<", "lessthan", "gt", ">", "greaterthan",
    "le", "<=", "ge", ">=", "in", "true", "false",
)  # fmt: skip
# What Jinja2 itself puts into every text besides the names of the context.
JINJA_NAMES = frozenset({"self", "super", "caller", "varargs", "kwargs"})


def refuse_unsafe_nodes(template: nodes.Template) -> None:
    """Raise ValueError for a construct that is not allowed in a contract."""
    for node in template.find_all(nodes.Node):
        if not isinstance(node, ALLOWED_NODES):
            raise ValueError(f"{type(node).__name__.lower()} is not allowed in a contract")
    for name in template.find_all(nodes.Name):
        if name.name in JINJA_NAMES:
            raise ValueError(f"{name.name!r} is not allowed in a contract")
    for loop in template.find_all(nodes.For):
        if loop.recursive or any(True for _ in _inner_loops(loop)):
            raise ValueError("a loop inside a loop is not allowed in a contract")


def _inner_loops(loop: nodes.For) -> list[nodes.For]:
    return [inner for part in (*loop.body, *loop.else_) for inner in _loops(part)]


def _loops(node: nodes.Node) -> list[nodes.For]:
    own = [node] if isinstance(node, nodes.For) else []
    return own + list(node.find_all(nodes.For))
