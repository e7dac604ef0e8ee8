"""Reconcile on demand, for the operator only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.unit.reconcile.conftest import Shop

from smarteros.edge.app import create_app
from smarteros.reconcile.api import reconcile_router
from smarteros.tenants.directory import TenantDirectory

TOKEN = {"Authorization": "Bearer operator-token"}


@pytest.fixture
def api(shop: Shop) -> Iterator[TestClient]:
    directory = TenantDirectory(shop.database)
    # The key of a webhook URL is unique; this test's tenant takes one of its own.
    directory.save(shop.tenant.model_copy(update={"tenant_key": f"{shop.tenant.tenant_id:k<32}"}))
    router = reconcile_router(shop.reconciler(), directory, "operator-token")
    with TestClient(create_app((router,))) as client:
        yield client


def test_the_operator_sees_what_was_found(api: TestClient, shop: Shop) -> None:
    shop.customer().say("hola")
    shop.pass_time(seconds=30)
    answer = api.post("/api/v1/reconcile", params={"tenant_id": shop.tenant.tenant_id}, headers=TOKEN)

    assert answer.status_code == 200
    assert answer.json() == {
        "tenant_id": shop.tenant.tenant_id,
        "outcome": "done",
        "conversations": 1,
        "waiting": 0,
        "postponed": 0,
        "found": {"accepted": 1},
    }


def test_nobody_else_may_ask(api: TestClient, shop: Shop) -> None:
    answer = api.post("/api/v1/reconcile", params={"tenant_id": shop.tenant.tenant_id})

    assert answer.status_code == 401
    assert shop.opened() == []


def test_an_unknown_tenant_is_404(api: TestClient) -> None:
    assert api.post("/api/v1/reconcile", params={"tenant_id": "TENANT_NOBODY"}, headers=TOKEN).status_code == 404


def test_a_chatwoot_that_is_away_is_503(api: TestClient, shop: Shop) -> None:
    shop.switch.on = False

    assert api.post("/api/v1/reconcile", params={"tenant_id": shop.tenant.tenant_id}, headers=TOKEN).status_code == 503
