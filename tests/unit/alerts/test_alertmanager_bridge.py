"""What Alertmanager posts to us reaches the founder's phone, and the dead-man's switch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from tests.unit.alerts.watching import Watched

from smarteros.alerts.sinks import open_sinks
from smarteros.alerts.switch import DeadMansSwitch
from smarteros.edge.alertmanager_bridge import alertmanager_router
from smarteros.edge.app import create_app

TOKEN = "bridge-token"


def webhook(*statuses: str, **changed: Any) -> dict[str, Any]:
    """As Alertmanager 0.25 sends it."""
    alerts = [
        {
            "status": status,
            "labels": {
                "alertname": "sales_failing",
                "flow": "e2e_shopify_sales",
                "notify": ",pagerduty,whatsapp_founder,",
                "severity": "page",
                "tenant": f"TENANT_{number}",
            },
            "annotations": {"summary": f"TENANT_{number} fails\n\tbadly", "runbook_url": "https://x/#error_rate"},
            "startsAt": "2026-11-23T15:00:00.123Z",
            "endsAt": "2026-11-23T15:09:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph",
            "fingerprint": f"1a2b3c4d5e6f708{number}",
        }
        for number, status in enumerate(statuses)
    ]
    return {
        "receiver": "whatsapp_founder",
        "status": statuses[0] if statuses else "firing",
        "alerts": alerts,
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
    } | changed


@pytest.fixture
def client(watched: Watched) -> Iterator[TestClient]:
    settings = watched.told.settings(deadman_url=SecretStr(f"{watched.told.url}/ping/chain"))
    sinks = open_sinks(settings, watched.http, watched.folder, watched.clock)
    switch = DeadMansSwitch(watched.http, settings)
    app = create_app([alertmanager_router(TOKEN, sinks["whatsapp_founder"], switch, watched.clock)])
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as made:
        yield made


def said(watched: Watched) -> list[list[str]]:
    sent = [body["template"]["components"][0]["parameters"] for body in watched.told.http.whatsapp]
    return [[each["text"] for each in parameters] for parameters in sent]


def test_alerts_reach_the_phone_as_one_template_what_goes_on_first(watched: Watched, client: TestClient) -> None:
    assert client.post("/alertmanager/whatsapp", json=webhook("resolved", "firing")).json() == {"alerts": 2}
    client.post("/alertmanager/whatsapp", json=webhook("resolved"))
    assert said(watched) == [["Alerta", "TENANT_1 fails badly (+1)"], ["Resuelto", "TENANT_0 fails badly"]]


def test_without_the_bridges_own_bearer_nothing_is_sent(watched: Watched, client: TestClient) -> None:
    for bearer in ("", "Bearer wrong", "Basic x"):
        answer = client.post("/alertmanager/whatsapp", json=webhook("firing"), headers={"Authorization": bearer})
        assert answer.status_code == 401
    assert said(watched) == []


def test_an_installation_without_a_token_lets_nobody_in(watched: Watched) -> None:
    switch = DeadMansSwitch(watched.http, watched.settings)
    app = create_app([alertmanager_router(None, None, switch, watched.clock)])
    with TestClient(app, headers={"Authorization": "Bearer "}) as client:
        assert client.post("/alertmanager/whatsapp", json=webhook("firing")).status_code == 401


def test_alertmanager_is_told_to_come_again_when_whatsapp_is_away_and_not_when_it_refuses(
    watched: Watched, client: TestClient
) -> None:
    watched.told.http.away["whatsapp"] = 503
    assert client.post("/alertmanager/whatsapp", json=webhook("firing")).status_code == 503
    watched.told.http.away.clear()
    assert client.post("/alertmanager/whatsapp", json=webhook("firing")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"[" * 100_000, b'{"version": "3", "alerts": []}', b'{"version": "4", "alerts": [{}]}'],
    ids=["empty", "list", "cut", "deep", "older", "bare"],
)
def test_what_is_no_webhook_is_refused(client: TestClient, body: bytes) -> None:
    assert client.post("/alertmanager/whatsapp", content=body).status_code == 422


def test_a_huge_body_is_refused(client: TestClient) -> None:
    assert client.post("/alertmanager/whatsapp", content=b"x" * 300_000).status_code == 413


def test_the_switch_is_pressed_for_alertmanager(watched: Watched, client: TestClient) -> None:
    assert client.post("/alertmanager/deadman", json=webhook("firing")).status_code == 200
    assert watched.told.http.pings == ["chain"]

    watched.clock.instant = watched.clock.instant.replace(minute=5)
    watched.told.http.away["ping"] = 500
    assert client.post("/alertmanager/deadman", json=webhook("firing")).status_code == 503
