"""Odoo domains: lists in prefix notation, e.g. ``["|", ["name", "=", "a"], ["ref", "=", "a"]]``.

Terms without an operator before them are joined by "&". A term is field, operator, value; the field may be a
path over relations (``partner_id.phone``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from smarteros_sandbox.odoo.errors import OdooError, value_error
from smarteros_sandbox.odoo.fields import MODELS, OdooField
from smarteros_sandbox.odoo.records import Record, Tables
from smarteros_sandbox.odoo.wildcards import like
from smarteros_sandbox.shops.untyped import as_list

LONGEST_DOMAIN = 2000
DEEPEST_SUBDOMAIN = 5
PATTERN_OPERATORS = {
    f"{negation}{operator}": operator for negation in ("", "not ") for operator in ("like", "ilike", "=like", "=ilike")
}
RANGE_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
OPERATORS = {
    *("=", "!=", "=?", "in", "not in", "any", "not any", "child_of", "parent_of"),
    *RANGE_OPERATORS,
    *PATTERN_OPERATORS,
}

Test = Callable[[Record], bool]


class DomainEvaluator:
    """Evaluates domains against one shop's tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def filter(self, model: str, records: Sequence[Record], domain: Any, depth: int = 0) -> list[Record]:
        """The records for which the domain holds; ``OdooError`` 500 for a domain Odoo would not take."""
        steps = self._compile(model, domain, depth)
        return [record for record in records if _holds(steps, record)]

    def _compile(self, model: str, domain: Any, depth: int) -> list[str | Test]:
        """The domain back to front, which is the order a stack evaluates prefix notation in."""
        if domain in (None, False):
            return []
        items = as_list(domain)
        if items is None:
            raise value_error(f"Domain() invalid domain: {domain!r:.200}")
        if len(items) > LONGEST_DOMAIN or depth > DEEPEST_SUBDOMAIN:
            raise value_error("Domain() is too large")
        steps: list[str | Test] = []
        missing = 1
        for item in items:
            missing = max(missing, 1)  # terms side by side are joined by "&"
            if isinstance(item, str) and item in ("&", "|", "!"):
                missing += 0 if item == "!" else 1
                steps.append(item)
            else:
                steps.append(self._test(model, item, depth))
                missing -= 1
        if missing and items:
            raise value_error(f"Domain() missing terms in domain: {domain!r:.200}")
        steps.reverse()
        return steps

    def _test(self, model: str, item: Any, depth: int) -> Test:
        parts = as_list(item)
        if parts is None or len(parts) != 3:
            raise value_error(f"Domain() invalid item in domain: {item!r:.200}")
        path, operator, value = parts
        if path in (0, 1) and operator == "=" and value in (0, 1):  # the constants true and false
            return lambda _record: path == value
        if not isinstance(path, str) or not isinstance(operator, str):
            raise value_error(f"Domain() invalid item in domain: {item!r:.200}")
        operator = {"<>": "!=", "==": "="}.get(operator.lower(), operator.lower())
        condition = repr((path, operator, value))[:300]
        if operator not in OPERATORS:
            raise value_error(f"Invalid operator in condition {condition}")
        return self._path_test(model, path.split("."), operator, value, condition, depth)

    def _path_test(self, model: str, path: list[str], operator: str, value: Any, condition: str, depth: int) -> Test:
        field = known_field(model, path[0], condition)
        if not field.stored:
            raise value_error(f"Cannot convert {model}.{path[0]} to SQL because it is not stored")
        if len(path) == 1:
            return self._leaf(path[0], field, operator, value, condition, depth)
        if field.relation is None or field.relation not in MODELS:
            raise value_error(f"Invalid field {model}.{'.'.join(path)} in condition {condition}")
        relation, name = field.relation, path[0]
        inner = self._path_test(relation, path[1:], operator, value, condition, depth)
        negative = operator in ("!=", "not in") or operator.startswith("not ")

        def test(record: Record) -> bool:
            targets = self._targets(relation, record[name])
            if negative and not targets:
                return True
            return any(inner(target) for target in targets)

        return test

    def _leaf(self, name: str, field: OdooField, operator: str, value: Any, condition: str, depth: int) -> Test:
        if operator in ("any", "not any"):
            return self._subdomain(name, field, operator, value, depth)
        if operator in PATTERN_OPERATORS:
            return self._pattern(name, field, operator, value)
        if operator in RANGE_OPERATORS:
            return _range(name, operator, value, condition)
        if operator == "=?" and value in (None, False):
            return lambda _record: True
        wanted = _wanted(operator, value)
        negative = operator in ("!=", "not in")

        def test(record: Record) -> bool:
            found = any(self._equal(field, record[name], one) for one in wanted)
            return found != negative

        return test

    def _subdomain(self, name: str, field: OdooField, operator: str, value: Any, depth: int) -> Test:
        if field.relation is None or field.relation not in MODELS:
            raise value_error(f"Domain() operator {operator!r} needs a relation: {name!r}")
        relation = field.relation
        matching = self.filter(relation, list(self._tables[relation].values()), value, depth + 1)
        ids = {record["id"] for record in matching}

        def test(record: Record) -> bool:
            found = any(target["id"] in ids for target in self._targets(relation, record[name]))
            return found == (operator == "any")

        return test

    def _pattern(self, name: str, field: OdooField, operator: str, value: Any) -> Test:
        kind = PATTERN_OPERATORS[operator]
        text = value if isinstance(value, str) else "" if value in (None, False) else str(value)
        insensitive = "ilike" in kind
        pattern = text if kind.startswith("=") else f"%{text}%"
        pattern = pattern.lower() if insensitive else pattern

        def test(record: Record) -> bool:
            texts = self._texts(field, record[name])
            found = any(like(pattern, one.lower() if insensitive else one) for one in texts)
            return found != operator.startswith("not ")

        return test

    def _texts(self, field: OdooField, value: Any) -> list[str]:
        if value is None or value is False:
            return []
        if field.relation is not None and field.relation in self._tables:
            return [str(target["display_name"]) for target in self._targets(field.relation, value)]
        return [str(value)]

    def _equal(self, field: OdooField, have: Any, wanted: Any) -> bool:
        if wanted is None or wanted is False:
            return have is None or have is False or have == []
        targets = as_list(have)
        if targets is not None:
            if isinstance(wanted, str):
                return wanted in self._texts(field, have)
            return wanted in targets
        if field.relation is not None and isinstance(wanted, str):
            return wanted in self._texts(field, have)
        # 1 == True in Python, not in SQL
        return (type(have) is type(wanted) and have == wanted) or _same_number(have, wanted)

    def _targets(self, relation: str, value: Any) -> list[Record]:
        ids = as_list(value) or ([value] if value else [])
        table = self._tables[relation]
        return [table[one] for one in ids if one in table]


def known_field(model: str, name: str, condition: str) -> OdooField:
    """The field, or the error 500 Odoo raises for an unknown one in a domain."""
    field = MODELS[model].get(name)
    if field is None:
        raise value_error(f"Invalid field {model}.{name} in condition {condition}")
    return field


def _wanted(operator: str, value: Any) -> list[Any]:
    values = as_list(value)
    if values is None:
        return [value]
    return values if values or operator in ("in", "not in") else [False]


def _same_number(have: Any, wanted: Any) -> bool:
    numbers = (int, float)
    if isinstance(have, bool) or isinstance(wanted, bool):
        return False
    return isinstance(have, numbers) and isinstance(wanted, numbers) and have == wanted


def _range(name: str, operator: str, value: Any, condition: str) -> Test:
    compare = RANGE_OPERATORS[operator]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise value_error(f"Invalid value in condition {condition}")

    def test(record: Record) -> bool:
        have = record[name]
        if have is False or isinstance(have, (bool, list)):
            return False
        if isinstance(have, str) != isinstance(value, str):
            raise _type_mismatch(condition)
        return compare(have, value)

    return test


def _type_mismatch(condition: str) -> OdooError:
    return value_error(f"Invalid value in condition {condition}")


def _holds(steps: list[str | Test], record: Record) -> bool:
    stack: list[bool] = []
    for step in steps:
        if step == "!":
            stack.append(not stack.pop())
        elif isinstance(step, str):
            left, right = stack.pop(), stack.pop()
            stack.append(left and right if step == "&" else left or right)
        else:
            stack.append(step(record))
    return all(stack)
