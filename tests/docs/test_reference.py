"""The reference pages say what a running installation says. That they are fresh is checked by ``tests.generated``."""

from __future__ import annotations

import re

import httpx2
from tests.conftest import RunningStack
from tests.docs.blocks import ROOT
from tests.reference.errors import raised
from tests.reference.http import description, routes


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
