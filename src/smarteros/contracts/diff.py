"""What changed between two versions of a contract, by meaning: order of keys, comments and layout do not count."""

from __future__ import annotations

from typing import Any, Literal, cast

from smarteros.contracts.models import Contract
from smarteros.domain.model import Model

# Lists whose items have a name: a new rule in the middle is one change, not a change of all that follow.
_NAMES: dict[str, tuple[str, ...]] = {
    "reply": ("route", "outcome"),
    "other_flows": ("intent",),
    "escalation": ("name",),
    "notices": ("name",),
    "alerts": ("name",),
    "health": ("service",),
    "scenarios": ("name",),
}
# The first rule that holds is used, so their order is meaning.
_ORDERED = frozenset({"reply", "escalation"})


class Change(Model):
    """One difference; ``path`` reads like ``reply[shopify_sales/found].text.es``."""

    kind: Literal["added", "removed", "changed", "moved"]
    path: str
    before: Any = None
    after: Any = None


def diff(before: Contract, after: Contract) -> list[Change]:
    """List what differs, sorted by path."""
    old, new = _flat(before), _flat(after)
    changes = [Change(kind="removed", path=path, before=old[path]) for path in old.keys() - new.keys()]
    changes += [Change(kind="added", path=path, after=new[path]) for path in new.keys() - old.keys()]
    changes += [
        Change(kind="changed", path=path, before=old[path], after=new[path])
        for path in old.keys() & new.keys()
        if old[path] != new[path]
    ]
    changes += _moves(before, after)
    return sorted(changes, key=lambda change: change.path)


def _flat(contract: Contract) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for section, value in contract.model_dump(mode="json").items():
        names = _NAMES.get(section)
        if names is None:
            _flatten(section, value, flat)
            continue
        for item in value:
            _flatten(f"{section}[{_label(item, names)}]", item, flat)
    return flat


def _flatten(path: str, value: Any, flat: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, item in cast(dict[str, Any], value).items():
            _flatten(f"{path}.{key}", item, flat)
    else:
        flat[path] = value


def _label(item: dict[str, Any], names: tuple[str, ...]) -> str:
    return "/".join(str(item[name]) for name in names)


def _moves(before: Contract, after: Contract) -> list[Change]:
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changes: list[Change] = []
    for section in sorted(_ORDERED):
        was = [_label(item, _NAMES[section]) for item in old[section]]
        now = [_label(item, _NAMES[section]) for item in new[section]]
        kept_before = [label for label in was if label in now]
        kept_after = [label for label in now if label in was]
        if kept_before != kept_after:
            changes.append(Change(kind="moved", path=section, before=kept_before, after=kept_after))
    return changes
