"""Health: the truth for everybody, the figures for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from smarteros.edge.app import create_app
from smarteros.edge.health import HealthChecks, health_router
from smarteros.flow.backlog import Backlog

OPERATOR = {"Authorization": "Bearer operator-secret"}
PATHS = ["/health", "/api/v1/health"]


class Installation:
    """Its store answers or not; its backlog is what is put there."""

    def __init__(self) -> None:
        self.store = True
        self.backlog: Backlog | None = Backlog(waiting=3, oldest_s=1.25)
        self.checks = HealthChecks(lambda: {"store": lambda: self.store})
        self.client = TestClient(create_app([health_router(self.checks, lambda: self.backlog, "operator-secret")]))

    def ask(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        answer = self.client.get(path, headers=headers or {})
        return answer.status_code, answer.json()


@pytest.fixture
def installation() -> Iterator[Installation]:
    installation = Installation()
    yield installation
    installation.checks.close()


@pytest.mark.parametrize("path", PATHS)
def test_the_operator_is_told_how_many_turns_wait_and_since_when(installation: Installation, path: str) -> None:
    assert installation.ask(path, OPERATOR) == (
        200,
        {"status": "ok", "checks": {"store": "up"}, "backlog": {"waiting": 3, "oldest_s": 1.25}},
    )


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic eA=="}])
@pytest.mark.parametrize("path", PATHS)
def test_anybody_else_is_told_whether_we_live_and_nothing_more(
    installation: Installation, path: str, headers: dict[str, str]
) -> None:
    assert installation.ask(path, headers) == (200, {"status": "ok", "checks": {"store": "up"}})


def test_without_a_database_there_is_no_figure_and_the_truth_is_told_all_the_same(installation: Installation) -> None:
    installation.store, installation.backlog = False, None

    assert installation.ask("/health", OPERATOR) == (503, {"status": "down", "checks": {"store": "down"}})


def test_a_process_whose_database_is_away_lives_all_the_same(installation: Installation) -> None:
    installation.store = False

    assert installation.ask("/health/live") == (200, {"status": "ok"})
