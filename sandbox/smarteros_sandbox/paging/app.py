"""The receivers of alerts as one ASGI app: they refuse what the real ones refuse, and keep what they took.

Slack ``POST /services/T…/B…/…``, PagerDuty ``POST /v2/enqueue``, WhatsApp ``POST /v26.0/{phone number id}/messages``,
and ``/ping/{name}`` of a dead-man's switch.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from smarteros_sandbox.shops.untyped import as_list, as_object
from smarteros_sandbox.shops.wire import BodyError, WireJson, read_json

SLACK_PATH = "/services/T0SANDBOX/B0SANDBOX/kW3nslackSecret"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
WHATSAPP_TOKEN = "EAAGsandboxWhatsAppToken"  # noqa: S105 - opens nothing but this stand-in
PHONE_NUMBER_ID = "106540352242922"
LARGEST_BODY = 512 * 1024
_INCIDENT_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "error", "warning", "info")
_TEMPLATE_PARAMETERS = 2
_BROKEN_PARAMETER = re.compile(r"[\n\t]| {5,}")

Json = dict[str, Any]


@dataclass
class Receivers:
    """What was taken, oldest first; ``away`` are the statuses with which a receiver answers instead."""

    slack: list[Json] = field(default_factory=list[Json])
    pagerduty: list[Json] = field(default_factory=list[Json])
    whatsapp: list[Json] = field(default_factory=list[Json])
    pings: list[str] = field(default_factory=list[str])
    away: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def incidents(self) -> dict[str, str]:
        """PagerDuty's incidents by key, with the state they are in."""
        state = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
        return {event["dedup_key"]: state[event["event_action"]] for event in self.pagerduty}


def create_paging_app(receivers: Receivers) -> Starlette:
    """The app over what it keeps."""
    server = _Server(receivers)
    return Starlette(
        routes=[
            Route("/services/{team}/{channel}/{secret}", server.slack, methods=["POST"]),
            Route("/v2/enqueue", server.pagerduty, methods=["POST"]),
            Route("/v26.0/{number}/messages", server.whatsapp, methods=["POST"]),
            Route("/ping/{name}", server.ping, methods=["GET", "POST", "HEAD"]),
        ]
    )


class _Server:
    """The endpoints."""

    def __init__(self, receivers: Receivers) -> None:
        self._kept = receivers

    async def slack(self, request: Request) -> Response:
        """An incoming webhook: bare words as answers."""
        if status := self._kept.away.get("slack"):
            return PlainTextResponse("no_service" if status == 404 else "server_error", status)
        if request.url.path != SLACK_PATH:
            return PlainTextResponse("no_team", 404)
        try:
            body = as_object(await read_json(request, LARGEST_BODY))
        except BodyError:
            body = None
        if body is None:
            return PlainTextResponse("invalid_payload", 400)
        if not body.get("text") and not body.get("attachments") and not body.get("blocks"):
            return PlainTextResponse("no_text", 400)
        if len(as_list(body.get("attachments")) or []) > 100:
            return PlainTextResponse("too_many_attachments", 400)
        self._kept.slack.append(body)
        return PlainTextResponse("ok")

    async def pagerduty(self, request: Request) -> Response:
        """``enqueue`` of the Events API v2."""
        if status := self._kept.away.get("pagerduty"):
            return WireJson({"status": "throttle exceeded", "message": "Requests throttled"}, status)
        try:
            event = as_object(await read_json(request, LARGEST_BODY)) or {}
        except BodyError:
            event = {}
        errors = list(_event_errors(event))
        if errors:
            return WireJson({"status": "invalid event", "message": "Event object is invalid", "errors": errors}, 400)
        self._kept.pagerduty.append(event)
        answer = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
        return WireJson(answer, 202)

    async def whatsapp(self, request: Request) -> Response:
        """``messages`` of the Cloud API: templates only, as outside the customer's 24 hours."""
        if status := self._kept.away.get("whatsapp"):
            return _graph_error(status, 131000, "Something went wrong")
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(bearer.encode(), WHATSAPP_TOKEN.encode()):
            return _graph_error(401, 190, "Invalid OAuth access token - Cannot parse access token")
        if request.path_params["number"] != PHONE_NUMBER_ID:
            return _graph_error(400, 100, "Unsupported post request.")
        try:
            body = as_object(await read_json(request, LARGEST_BODY)) or {}
        except BodyError:
            body = {}
        problem = _template_problem(body)
        if problem is not None:
            return _graph_error(400, *problem)
        self._kept.whatsapp.append(body)
        number = str(body["to"]).lstrip("+")
        message = {"id": f"wamid.{len(self._kept.whatsapp)}", "message_status": "accepted"}
        contacts = [{"input": body["to"], "wa_id": number}]
        return WireJson({"messaging_product": "whatsapp", "contacts": contacts, "messages": [message]})

    async def ping(self, request: Request) -> Response:
        """The dead-man's switch."""
        if status := self._kept.away.get("ping"):
            return PlainTextResponse("away", status)
        self._kept.pings.append(request.path_params["name"])
        return PlainTextResponse("OK")


def _event_errors(event: Json) -> list[str]:
    """What PagerDuty says of an event it does not take."""
    errors: list[str] = []
    if event.get("routing_key") != ROUTING_KEY:
        errors.append("'routing_key' is invalid")
    action = event.get("event_action")
    if action not in _INCIDENT_ACTIONS:
        errors.append(f"'event_action' must be one of {', '.join(_INCIDENT_ACTIONS)}")
    key = event.get("dedup_key")
    if not isinstance(key, str) or not 0 < len(key) <= 255:
        errors.append("Length of 'dedup_key' is incorrect (should be between 1 and 255)")
    if action == "trigger":
        errors += _payload_errors(as_object(event.get("payload")))
    return errors


def _payload_errors(payload: Json | None) -> list[str]:
    if payload is None:
        return ["'payload' is missing or blank"]
    errors = [
        f"'payload.{name}' is missing or blank" for name in ("summary", "source", "severity") if not payload.get(name)
    ]
    if len(str(payload.get("summary", ""))) > 1024:
        errors.append("'payload.summary' is too long (maximum is 1024 characters)")
    if payload.get("severity") not in _SEVERITIES:
        errors.append(f"'payload.severity' is invalid (must be one of: {', '.join(_SEVERITIES)})")
    try:
        datetime.fromisoformat(str(payload.get("timestamp", "2026-01-01T00:00:00Z")))
    except ValueError:
        errors.append("'payload.timestamp' is invalid")
    return errors


def _template_problem(body: Json) -> tuple[int, str] | None:
    template = as_object(body.get("template")) or {}
    if body.get("messaging_product") != "whatsapp" or not body.get("to"):
        return 100, "Invalid parameter"
    if body.get("type") != "template":
        return 131047, "Re-engagement message"
    if template.get("name") != "smos_alert" or not (as_object(template.get("language")) or {}).get("code"):
        return 132001, "Template name does not exist in the translation"
    return _parameters_problem(as_list(template.get("components")) or [])


def _parameters_problem(components: list[Any]) -> tuple[int, str] | None:
    parts = [as_object(each) or {} for each in components]
    parameters = [as_object(each) or {} for part in parts for each in as_list(part.get("parameters")) or []]
    texts = [str(each.get("text") or "") for each in parameters]
    if len(texts) != _TEMPLATE_PARAMETERS or not all(texts):
        return 132000, "Number of parameters does not match the expected number of params"
    if any(_BROKEN_PARAMETER.search(text) for text in texts):
        return 132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
    if sum(map(len, texts)) > 1024:
        return 132005, "Translated text too long"
    return None


def _graph_error(status: int, code: int, message: str) -> Response:
    kind = "OAuthException"
    error = {"message": f"(#{code}) {message}", "type": kind, "code": code, "fbtrace_id": "Az8or2yhqkZfEZ"}
    return WireJson({"error": error}, status)
