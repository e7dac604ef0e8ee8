"""The reference pages say what a running installation says. That they are fresh is checked by ``tests.generated``."""

from __future__ import annotations

import inspect
import re

import httpx2
from tests.conftest import RunningStack
from tests.docs.blocks import ROOT
from tests.reference.errors import raised
from tests.reference.http import description, routes
from tests.reference.python import MODULES, described


def test_every_route_of_a_running_edge_is_described(stack: RunningStack) -> None:
    served = httpx2.get(f"{stack.url}/openapi.json", trust_env=False).json()
    assert [route[:2] for route in routes(description())] == [route[:2] for route in routes(served)]


def test_every_metric_of_a_running_installation_is_described(stack: RunningStack) -> None:
    page = (ROOT / "docs/reference/metrics.md").read_text("utf-8")
    served = httpx2.get(f"{stack.url}/metrics", trust_env=False).text
    names = {name for name in re.findall(r"^# TYPE (smos_\w+) ", served, re.MULTILINE) if not name.endswith("_created")}
    assert names
    assert not [name for name in names if f"| `{name}` |" not in page]


def test_an_error_has_one_kind_of_person_who_must_act_and_a_sentence() -> None:
    found = list(raised())
    assert {"port_in_use", "invalid_params", "tenant_unknown"} <= {each.code for each in found}
    assert all(each.sentence for each in found), [each.code for each in found if not each.sentence]


def test_all_that_a_developer_extends_is_described() -> None:
    names = {name for name, _ in described()}
    public = {
        name
        for module in MODULES
        for name, found in vars(module).items()
        if not name.startswith("_") and inspect.isclass(found) and found.__module__ == module.__name__
    }
    assert "ToolProvider" in public
    assert public <= names


def test_what_a_developer_extends_says_more_than_its_name() -> None:
    unsaid = [name for name, part in described() if not says_more(name, inspect.cleandoc(part.__doc__ or ""))]
    assert not unsaid


def says_more(name: str, said: str) -> bool:
    """Whether a docstring is sentences, with words that are no part of the name."""
    of_name = set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r" \1", name).lower()))
    words = {word for word in re.findall(r"[a-z]+", said.lower()) if len(word) > 2}
    return len(words - of_name) >= 2 and said.endswith(".")


def test_a_docstring_that_repeats_its_name_would_be_noticed() -> None:
    assert not says_more("ToolProvider.call", "Call the tool.")
    assert not says_more("ToolProvider.specs", "")
    assert says_more("ToolProvider.specs", "List the tools offered.")
