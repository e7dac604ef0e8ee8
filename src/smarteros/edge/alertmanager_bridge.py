"""What Alertmanager cannot do itself: WhatsApp, and an address of a dead-man's switch that is in no file.

``POST /alertmanager/whatsapp`` and ``/alertmanager/deadman`` take its webhook (version 4). Alertmanager tries again
after 5xx and not after 4xx, so what may pass by itself is a 503.
"""

from __future__ import annotations

import hmac
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, ValidationError

from smarteros.alerts.protocol import AlertNews, AlertSink, Notice
from smarteros.alerts.switch import DeadMansSwitch
from smarteros.domain.alerts import Alert, Severity
from smarteros.domain.errors import ConfigError, RejectedInputError, TransientError
from smarteros.domain.model import Model
from smarteros.edge.bodies import read_body
from smarteros.kit.clock import Clock

MAX_BYTES = 256 * 1024
_MOST = 100
_LONGEST = 500
_Bearer = Annotated[
    HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, description="SMOS_ALERT_BRIDGE_TOKEN"))
]


class _Grafted(BaseModel):
    """One alert of the webhook; fields of later versions are left alone."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: datetime
    endsAt: datetime
    fingerprint: str = Field(default="", max_length=64)


class _Webhook(BaseModel):
    version: Literal["4"]
    alerts: tuple[_Grafted, ...] = Field(min_length=1, max_length=_MOST)


class Passed(Model):
    """How many alerts were passed on."""

    alerts: int


def alertmanager_router(
    token: str | None, whatsapp: AlertSink | None, switch: DeadMansSwitch, clock: Clock
) -> APIRouter:
    """Build the routes. Without a ``token`` (``SMOS_ALERT_BRIDGE_TOKEN``) nobody may use them."""

    def believed(bearer: _Bearer) -> None:
        given = bearer.credentials if bearer else ""
        if token is None or not hmac.compare_digest(given.encode(), token.encode()):
            raise RejectedInputError("invalid_bridge_token", "The bearer is not the bridge's token.", status=401)

    router = APIRouter(prefix="/alertmanager", tags=["alerts"], dependencies=[Depends(believed)])

    @router.post("/whatsapp", operation_id="relay_alerts_to_whatsapp")
    async def relay(request: Request) -> Passed:  # pyright: ignore[reportUnusedFunction]
        """Send what Alertmanager tells to the founder's phone."""
        if whatsapp is None:
            raise ConfigError("alerts_not_configured", "WhatsApp is not set up: see SMOS_ALERT_WHATSAPP_TOKEN.")
        notice = _notice(await read_body(request, MAX_BYTES))
        await run_in_threadpool(whatsapp.send, notice)
        return Passed(alerts=len(notice.news))

    @router.post("/deadman", operation_id="press_dead_mans_switch")
    async def press(request: Request) -> Passed:  # pyright: ignore[reportUnusedFunction]
        """Press the switch: Prometheus and Alertmanager are there."""
        notice = _notice(await read_body(request, MAX_BYTES))
        if not await run_in_threadpool(switch.press, clock.now()):
            raise TransientError("sink_unreachable", "The dead-man's switch did not answer.")
        return Passed(alerts=len(notice.news))

    return router


def _notice(raw: bytes) -> Notice:
    try:
        body: Any = json.loads(raw)
        webhook = _Webhook.model_validate(body)
    except (ValueError, RecursionError, ValidationError):
        raise RejectedInputError("webhook_unreadable", "The body is no webhook of Alertmanager, version 4.") from None
    # What still goes on comes first: the headline is about it.
    return Notice(news=tuple(_news(each) for each in sorted(webhook.alerts, key=lambda each: each.status)))


def _news(told: _Grafted) -> AlertNews:
    name = told.labels.get("alertname", "alert")[:_LONGEST]
    severities: dict[str, Severity] = {"page": "page", "ticket": "ticket"}
    alert = Alert(
        tenant_id=told.labels.get("tenant", "-")[:_LONGEST],
        key=told.fingerprint or name,
        name=name,
        signal="relayed",
        flow_id=told.labels.get("flow"),
        severity=severities.get(told.labels.get("severity", ""), "info"),
        notify=("whatsapp_founder",),
        started_at=told.startsAt,
        resolved_at=told.endsAt if told.status == "resolved" else None,
    )
    return AlertNews(alert=alert, kind=told.status, text=told.annotations.get("summary", name)[:_LONGEST] or name)
