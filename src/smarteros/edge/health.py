"""Health that tells the truth: every dependency is asked, the answers are a few seconds old at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from fastapi import APIRouter, Response

from smarteros.domain.model import Model
from smarteros.edge.operator_guard import Bearer, is_operator
from smarteros.flow.backlog import Backlog
from smarteros.observability.metrics import DEPENDENCY_UP

_FRESH_FOR_S = 3.0
# Without these nothing works; without the others some turns are handed to people.
_ESSENTIAL = frozenset({"store", "engine", "agent"})

Check = Callable[[], bool]


class Health(Model):
    """``down`` when an essential part is away, ``degraded`` when another one is.

    ``backlog`` is told to the operator only, and left out while the database does not answer.
    """

    status: Literal["ok", "degraded", "down"]
    checks: dict[str, Literal["up", "down"]]
    backlog: Backlog | None = None


class Alive(Model):
    """This process answers requests; of anything else nothing is said."""

    status: Literal["ok"] = "ok"


class HealthChecks:
    """Runs named checks side by side; a check that raises or takes more than 2 s is ``down``."""

    def __init__(self, checks: Callable[[], Mapping[str, Check]]) -> None:
        self._checks = checks
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")
        self._lock = threading.Lock()
        self._last: tuple[float, Health] | None = None

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def now(self) -> Health:
        """Return the state of all dependencies."""
        with self._lock:
            if self._last and time.monotonic() - self._last[0] < _FRESH_FOR_S:
                return self._last[1]
            running = {name: self._pool.submit(check) for name, check in self._checks().items()}
            up: dict[str, bool] = {}
            for name, future in running.items():
                try:
                    up[name] = future.result(timeout=2.0)
                except Exception:  # whatever a check meets, the dependency is not usable
                    up[name] = False
                DEPENDENCY_UP.labels(name).set(up[name])
            health = _judge(up)
            self._last = (time.monotonic(), health)
            return health


def health_router(checks: HealthChecks, backlog: Callable[[], Backlog | None], operator_token: str) -> APIRouter:
    """Build ``/health`` (the edge), ``/api/v1/health`` (the agent service; the same truth) and ``/health/live``.

    The last asks nothing but this process: whoever restarts what hangs must not restart it because PostgreSQL is away.
    Anybody may ask. Who brings the operator's token is also told how much work waits; a wrong one is no fault, because
    a program that only wants to know whether we live must always be told.
    """
    router = APIRouter(tags=["health"])

    def answer(response: Response, bearer: Bearer) -> Health:
        health = checks.now()
        response.status_code = 503 if health.status == "down" else 200
        return health.model_copy(update={"backlog": backlog()}) if is_operator(bearer, operator_token) else health

    for path, name in (("/health", "health"), ("/api/v1/health", "agent_health")):
        router.add_api_route(path, answer, methods=["GET"], operation_id=name, response_model_exclude_none=True)
    router.add_api_route("/health/live", _alive, methods=["GET"], operation_id="live")
    return router


async def _alive() -> Alive:
    return Alive()


def _judge(up: Mapping[str, bool]) -> Health:
    missing = {name for name, is_up in up.items() if not is_up}
    status: Literal["ok", "degraded", "down"] = "ok"
    if missing:
        status = "down" if missing & _ESSENTIAL else "degraded"
    return Health(status=status, checks={name: "up" if is_up else "down" for name, is_up in up.items()})
