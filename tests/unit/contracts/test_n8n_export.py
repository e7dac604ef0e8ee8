"""The workflows n8n leads our turns by: known node types, nothing secret, every path leads somewhere."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.generated import ROOT
from typer.testing import CliRunner

from smarteros.cli.main import app
from smarteros.contracts.exporters.n8n import EVENTS_FILE, FAQ_FILE, OCR_FILE, n8n_files
from smarteros.contracts.loader import load_contracts

CONTRACTS = load_contracts(ROOT / "contracts").by_id
FILES = n8n_files(CONTRACTS.values(), "https://bots.example.cl/")
WORKFLOWS: dict[str, dict[str, Any]] = {name: json.loads(text) for name, text in FILES.items()}
# Node types and their versions as n8n-nodes-base 2.41.1 has them; `just prove-n8n` compares them with the package.
KNOWN: dict[str, list[float]] = yaml.safe_load(Path(__file__).with_name("n8n_node_versions.yml").read_text("utf-8"))

every = pytest.mark.parametrize("name", [EVENTS_FILE, OCR_FILE, FAQ_FILE])


def nodes(name: str) -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in WORKFLOWS[name]["nodes"]}


def targets(name: str, node: str) -> list[str | None]:
    """Where each output of a node leads."""
    outputs = WORKFLOWS[name]["connections"].get(node, {"main": []})["main"]
    return [output[0]["node"] if output else None for output in outputs]


def reached(name: str, entry: str) -> set[str]:
    seen, ahead = set[str](), [entry]
    while ahead:
        node = ahead.pop()
        if node not in seen:
            seen.add(node)
            ahead += [target for target in targets(name, node) if target is not None]
    return seen


def test_every_router_of_the_first_document_is_written_and_once_more_the_same() -> None:
    assert set(FILES) == {EVENTS_FILE, OCR_FILE, FAQ_FILE}
    assert n8n_files(reversed(list(CONTRACTS.values())), "https://bots.example.cl") == FILES


@every
def test_only_node_types_and_versions_n8n_has_are_used(name: str) -> None:
    unknown = {
        (node["type"], node["typeVersion"])
        for node in WORKFLOWS[name]["nodes"]
        if node["typeVersion"] not in KNOWN.get(node["type"], [])
    }

    assert unknown == set()


@every
def test_every_node_is_reached_from_the_webhook_and_every_connection_leads_to_a_node(name: str) -> None:
    there = {node for node, found in nodes(name).items() if not found["type"].endswith("stickyNote")}

    assert reached(name, "Webhook de Chatwoot") == there


@every
def test_every_request_is_tried_again_and_its_fault_leads_somewhere(name: str) -> None:
    for node, found in nodes(name).items():
        if found["type"] != "n8n-nodes-base.httpRequest" or node == "give_up":
            continue
        assert (found["retryOnFail"], found["maxTries"], found["onError"]) == (True, 3, "continueErrorOutput")
        assert targets(name, node)[1] is not None, node


@every
def test_nothing_lies_upon_anything_in_the_editor(name: str) -> None:
    boxes = [
        (*node["position"], node["parameters"].get("width", 200), node["parameters"].get("height", 120))
        for node in WORKFLOWS[name]["nodes"]
    ]

    assert [(one, other) for one, other in combinations(boxes, 2) if overlap(one, other)] == []


def overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(one[at] < other[at] + other[at + 2] and other[at] < one[at] + one[at + 2] for at in (0, 1))


@every
def test_a_workflow_holds_no_credential_and_n8n_keeps_nothing_of_its_runs(name: str) -> None:
    assert [node for node in WORKFLOWS[name]["nodes"] if "credentials" in node] == []
    assert re.findall(r"api_access_token|hmac_secret|Bearer [A-Za-z0-9_-]{8,}|eyJ", FILES[name]) == []
    settings = WORKFLOWS[name]["settings"]
    assert (settings["saveDataSuccessExecution"], settings["saveDataErrorExecution"]) == ("none", "none")


def test_the_routers_have_webhook_paths_of_their_own() -> None:
    paths = [nodes(name)["Webhook de Chatwoot"]["parameters"]["path"] for name in FILES]

    assert sorted(paths) == ["chatwoot-events", "chatwoot-faq", "chatwoot-ocr"]


def test_the_common_router_knows_the_flow_of_every_intent_of_the_contracts() -> None:
    rules = nodes(EVENTS_FILE)["¿Qué flujo?"]["parameters"]["rules"]["values"]
    conditions = {rule["outputKey"]: rule["conditions"]["conditions"][0]["leftValue"] for rule in rules}

    for flow_id, contract in CONTRACTS.items():
        assert [intent for intent in contract.entry.intents if f"'{intent}'" not in conditions[flow_id]] == []
    assert [flow for flow, condition in conditions.items() if "image_with_text" in condition] == ["e2e_ocr_support"]


def test_a_flows_tools_are_waited_for_as_long_as_its_contract_lets_them_take() -> None:
    slowest = sum(tool.timeout_ms * (tool.retries + 1) for tool in CONTRACTS["e2e_shopify_sales"].tools.values())

    node = nodes(EVENTS_FILE)["call_tools e2e_shopify_sales"]
    assert node["parameters"]["options"]["timeout"] > slowest
    assert "call_tools e2e_faq_quick" not in nodes(EVENTS_FILE)


def test_the_notes_tell_the_contracts_in_spanish() -> None:
    notes = {
        node["name"]: node["parameters"]["content"]
        for node in WORKFLOWS[OCR_FILE]["nodes"]
        if "content" in node["parameters"]
    }

    assert CONTRACTS["e2e_ocr_support"].description.es in notes["Nota: e2e_ocr_support"]
    assert "/webhook/chatwoot-ocr" in notes["Nota: qué hace"]


def test_the_command_writes_the_files_for_the_address_that_was_given(tmp_path: Path) -> None:
    arguments = [
        "contract",
        "export",
        "n8n",
        "--contracts",
        str(ROOT / "contracts"),
        "--url",
        "https://bots.example.cl",
    ]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])

    assert done.exit_code == 0
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == FILES
