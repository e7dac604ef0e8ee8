"""The protocol's own conformance suites, run against ``/mcp`` as it is served.

They come from npm and run on the Node that the type checker brings along; where they cannot be installed the tests
say so and skip. What the suites want of a demonstration server (tools that return pictures, ask the user, report
progress) and this one does not offer is in ``mcp_baseline.yml``, each with its reason.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.mcp_door import a_tool, door_app
from tests.npm import installed
from tests.support import serving

from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres

PACKAGE = "@modelcontextprotocol/conformance"
RUN_WITHIN_S = 300
# Tools of the suites' demonstration server that ours can offer as well.
TOOLS = (a_tool("test_simple_text", query="hola"), a_tool("test_error_handling", query="away"))
BASELINE: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("mcp_baseline.yml").read_text("utf-8"))


@dataclass(frozen=True)
class WithBearer:
    """Puts a token into every request: the suites cannot bring one."""

    app: ASGIApp
    token: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bearer = (b"authorization", f"Bearer {self.token}".encode())
        await self.app({**scope, "headers": [*scope["headers"], bearer]}, receive, send)


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """``/mcp`` of one tenant, for callers without a token."""
    database = Database(postgres.url(), postgres.url("smos_app"))
    app, tools = door_app(database, tenant_id="MCP_CONFORMANCE", more_tools=TOOLS)
    with serving(WithBearer(app, tools.token("MCP_CONFORMANCE"))) as served:
        yield f"{served}/mcp"
    database.dispose()


def failed_scenarios(url: str, version: str, options: list[str], results: Path) -> dict[str, list[str]]:
    """Run a suite; return the scenarios that failed, with the checks that did."""
    node, suite = installed(PACKAGE, version)
    subprocess.run(
        [node, str(suite / "dist" / "index.js"), "server", "--url", url, "--output-dir", str(results), *options],
        check=False, capture_output=True, timeout=RUN_WITHIN_S,
    )  # fmt: skip
    failed: dict[str, list[str]] = {}
    files = sorted(results.rglob("checks.json"))
    assert files, "the suite left no results"
    for file in files:
        scenario = re.sub(r"^server-(.*)-\d{4}-\d\d-\d\dT.*$", r"\1", file.parent.name)
        bad = [check["id"] for check in json.loads(file.read_text()) if check["status"] == "FAILURE"]
        if bad:
            failed[scenario] = bad
    return failed


@pytest.mark.parametrize("name", [name for name in BASELINE if name != "reasons"])
def test_only_what_is_not_offered_fails_in_the_protocols_own_suite(url: str, name: str, tmp_path: Path) -> None:
    suite = BASELINE[name]
    failed = failed_scenarios(url, suite["version"], suite["options"], tmp_path / "first")
    if failed.keys() != suite["not_offered"].keys():
        # The suites give up after seconds, which a busy machine may take: what fails, fails a second time as well.
        again = failed_scenarios(url, suite["version"], suite["options"], tmp_path / "second")
        failed = {scenario: checks for scenario, checks in failed.items() if scenario in again}

    assert failed.keys() == suite["not_offered"].keys(), json.dumps(failed, indent=1)
    assert "wire-schema-valid" not in [check for checks in failed.values() for check in checks]
