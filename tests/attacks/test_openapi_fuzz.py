"""Schemathesis against our own description: whatever fits or breaks a schema gets a clear answer, never a fault.

Bounded and the same in every run: a few requests for each operation, made from the OpenAPI document, of a caller whose
credentials are right, so that they come past the first door.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import response_schema_conformance
from schemathesis.errors import SchemathesisError
from schemathesis.generation import GenerationMode
from tests.attacks.rivals import OPERATOR, PATHS, Rivals, open_rivals, standard

from smarteros.store.embedded import EmbeddedPostgres

BOUNDS = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def rivals(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rivals]:
    with open_rivals(postgres, tmp_path_factory.mktemp("fuzzed")) as opened:
        yield opened


@pytest.fixture(scope="module")
def operations(rivals: Rivals) -> dict[str, Any]:
    """Every operation of the document, by its method and path."""
    schema: Any = schemathesis.openapi.from_asgi("/openapi.json", rivals.app)
    found = [result.ok() for result in schema.get_all_operations()]
    return {f"{operation.method.upper()} {operation.path}": operation for operation in found}


def bearer_for(rivals: Rivals, path: str) -> str:
    if path.startswith("/api/tools"):
        return rivals.token(rivals.one)
    return rivals.one.secret(PATHS[2]) if path.startswith("/api/v1/workspaces") else OPERATOR


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_operation_falls_over(rivals: Rivals, operations: dict[str, Any], mode: GenerationMode) -> None:
    faults: list[str] = []
    for name, operation in operations.items():
        headers = standard(rivals.one) | {"Authorization": f"Bearer {bearer_for(rivals, operation.path)}"}
        try:
            faults += [f"{name}: {fault}" for fault in faults_of(operation, mode, headers)]
        except (SchemathesisError, Unsatisfiable) as impossible:  # nothing of this operation can break its schema
            assert mode is GenerationMode.NEGATIVE, impossible

    assert faults == []


def faults_of(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> list[str]:
    """Send an operation what its schema allows, or forbids; returns the answers that are not clear."""
    faults: list[str] = []

    @BOUNDS
    @given(case=operation.as_strategy(generation_mode=mode))
    def play(case: Any) -> None:
        answer = case.call(headers=headers)
        if answer.status_code >= 500 or (answer.status_code >= 400 and not _is_clear(answer)):
            faults.append(f"{answer.status_code} {answer.text[:200]}")
        elif answer.status_code < 300:
            case.validate_response(answer, checks=[response_schema_conformance])

    play()
    return faults


def _is_clear(answer: Any) -> bool:
    return set(answer.json()) == {"error", "code"}


def test_the_document_describes_every_door(operations: dict[str, Any]) -> None:
    assert {
        "POST /webhooks/chatwoot/{tenant_key}",
        "POST /webhook/chatwoot-events",
        "POST /api/v1/workspaces/{workspace_id}/bots/{bot_id}/run",
        "POST /api/tools/shopify_search_products",
        "GET /api/v1/turns",
        "GET /api/v1/audit",
        "GET /health",
    } <= set(operations)
