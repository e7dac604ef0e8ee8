"""The contracts: what each flow promises, understands, looks up and says, and whether its scenarios held."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from smarteros.console.diagrams import contract_diagram
from smarteros.console.guard import Guard, not_found
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.store.scenario_runs import ScenarioRun, last_runs


def add_contracts(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""

    def runs() -> dict[str, ScenarioRun]:
        with parts.database.installation() as connection:
            return last_runs(connection)

    @router.get("/contracts")
    def contracts(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_contracts")
        return pages.page(
            request,
            "contracts.html",
            visitor=visitor,
            token=guard.token(request),
            contracts=list(parts.contracts.by_id.values()),
            runs=runs(),
        )

    @router.get("/contracts/{flow_id}")
    def contract(request: Request, flow_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_contracts")
        found = parts.contracts.by_id.get(flow_id)
        if found is None:
            raise not_found()
        run = runs().get(flow_id)
        return pages.page(
            request,
            "contract.html",
            visitor=visitor,
            token=guard.token(request),
            contract=found,
            diagram=contract_diagram(found),
            run=run,
            played={} if run is None else {scenario.name: scenario for scenario in run.scenarios},
        )
