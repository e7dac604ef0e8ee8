"""Nodes and workflows of n8n as JSON: node types of n8n 2.x that its 3.0 keeps, ids that follow from names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

# Type and version of every kind of node we use; all are core nodes of n8n from 2.0 on.
NODE_TYPES: dict[str, tuple[str, float]] = {
    "webhook": ("n8n-nodes-base.webhook", 2.1),
    "request": ("n8n-nodes-base.httpRequest", 4.2),
    "respond": ("n8n-nodes-base.respondToWebhook", 1.1),
    "if": ("n8n-nodes-base.if", 2.2),
    "switch": ("n8n-nodes-base.switch", 3.2),
    "nothing": ("n8n-nodes-base.noOp", 1),
    "note": ("n8n-nodes-base.stickyNote", 1),
}
Json = dict[str, Any]
# A fault that passes by itself: another try after a second, twice.
_RETRY: Json = {"retryOnFail": True, "maxTries": 3, "waitBetweenTries": 1000}
_IDS = uuid.UUID("5d1f6a52-6f0c-5c58-9f0e-3c0d8c7a4e11")
_STEP, _ROW = 240, 200
_LONGEST_RUN_S = 180


class Canvas:
    """One workflow while it is drawn. Places are columns and rows of a grid, so that nothing lies upon anything."""

    def __init__(self, workflow_id: str, name: str) -> None:
        self._id = workflow_id
        self._name = name
        self._nodes: list[Json] = []
        self._connections: dict[str, dict[str, list[list[Json]]]] = {}

    def node(self, kind: str, name: str, at: tuple[float, float], parameters: Json, **settings: Any) -> str:
        """Add a node and return its name; ``settings`` are those beside its parameters."""
        node_type, version = NODE_TYPES[kind]
        self._nodes.append(
            {
                "parameters": parameters,
                "id": self._uuid(name),
                "name": name,
                "type": node_type,
                "typeVersion": version,
                "position": [round(at[0] * _STEP), round(at[1] * _ROW)],
                **settings,
            }
        )
        return name

    def webhook(self, name: str, at: tuple[float, float], path: str) -> str:
        """Add the entry: a POST that is answered by a node of the workflow, with the raw body kept."""
        parameters = {
            "httpMethod": "POST",
            "path": path,
            "responseMode": "responseNode",
            "options": {"rawBody": True},
        }
        return self.node("webhook", name, at, parameters, webhookId=self._uuid(f"webhook {path}"))

    def post(
        self, name: str, at: tuple[float, float], url: str, *, headers: str, body: str | None, timeout_ms: int
    ) -> str:
        """Add a POST of JSON that is tried three times; its second output is the error. Both are expressions."""
        parameters: Json = {"method": "POST", "url": url, **_headers(headers), "options": {"timeout": timeout_ms}}
        if body is not None:
            parameters |= {"sendBody": True, "specifyBody": "json", "jsonBody": body}
        return self.node("request", name, at, parameters, onError="continueErrorOutput", **_RETRY)

    def forward(self, name: str, at: tuple[float, float], url: str, *, headers: str, timeout_ms: int) -> str:
        """Add a POST of the raw bytes that came in. Any status is an answer; only no answer is an error."""
        parameters: Json = {
            "method": "POST",
            "url": url,
            **_headers(headers),
            "sendBody": True,
            "contentType": "binaryData",
            "inputDataFieldName": "data",
            "options": {"timeout": timeout_ms, "response": {"response": {"fullResponse": True, "neverError": True}}},
        }
        return self.node("request", name, at, parameters, onError="continueErrorOutput", **_RETRY)

    def choice(self, name: str, at: tuple[float, float], condition: str) -> str:
        """Add an IF: the first output when the expression is true, the second when it is not."""
        return self.node("if", name, at, {"conditions": _true(condition, self._uuid(f"if {name}")), "options": {}})

    def switch(self, name: str, at: tuple[float, float], outputs: Mapping[str, str]) -> str:
        """Add a switch: the first output whose expression is true, else the one behind the last."""
        values = [
            {
                "conditions": _true(condition, self._uuid(f"switch {label}")),
                "renameOutput": True,
                "outputKey": label,
            }
            for label, condition in outputs.items()
        ]
        options = {"fallbackOutput": "extra", "renameFallbackOutput": "otros"}
        return self.node("switch", name, at, {"rules": {"values": values}, "options": options})

    def respond(self, name: str, at: tuple[float, float], status: int | str, body: str) -> str:
        """Add the answer to the webhook; ``body`` is an expression or JSON."""
        parameters = {"respondWith": "json", "responseBody": body, "options": {"responseCode": status}}
        return self.node("respond", name, at, parameters)

    def note(self, name: str, at: tuple[float, float], size: tuple[int, int], text: str) -> None:
        """Add a sticky note in Markdown; ``size`` is width and height in pixels."""
        self.node("note", name, at, {"content": text, "width": size[0], "height": size[1]})

    def connect(self, source: str, *targets: str | None) -> None:
        """Connect the outputs of a node, in their order; None leaves one open."""
        outputs = [[] if target is None else [{"node": target, "type": "main", "index": 0}] for target in targets]
        self._connections[source] = {"main": outputs}

    def workflow(self) -> Json:
        """Return the workflow. n8n keeps nothing of its runs: they hold what customers wrote."""
        return {
            "id": self._id,
            "name": self._name,
            "active": False,
            "nodes": self._nodes,
            "connections": self._connections,
            "settings": {
                "executionOrder": "v1",
                "timezone": "America/Santiago",
                "executionTimeout": _LONGEST_RUN_S,
                "saveDataSuccessExecution": "none",
                "saveDataErrorExecution": "none",
                "saveManualExecutions": False,
                "saveExecutionProgress": False,
            },
            "pinData": {},
            "meta": {"templateCredsSetupCompleted": True},
            "tags": [],
        }

    def _uuid(self, name: str) -> str:
        return str(uuid.uuid5(_IDS, f"{self._id} {name}"))


def expression(code: str) -> str:
    """Return a parameter that n8n computes."""
    return f"={{{{ {code} }}}}"


def json_of(fields: Mapping[str, str]) -> str:
    """Return a parameter that n8n computes to the JSON of an object, of names and JavaScript."""
    return expression(f"JSON.stringify({{ {', '.join(f'{_key(name)}: {code}' for name, code in fields.items())} }})")


def any_of(values: Sequence[str], code: str) -> str:
    """Return the JavaScript that tells whether a value is one of several words."""
    return f"[{', '.join(repr(value) for value in values)}].includes({code})"


def _key(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def _headers(headers: str) -> Json:
    return {"sendHeaders": True, "specifyHeaders": "json", "jsonHeaders": headers}


def _true(condition: str, condition_id: str) -> Json:
    return {
        "options": {"caseSensitive": True, "leftValue": "", "typeValidation": "strict", "version": 2},
        "conditions": [
            {
                "id": condition_id,
                "leftValue": expression(condition),
                "rightValue": "",
                "operator": {"type": "boolean", "operation": "true", "singleValue": True},
            }
        ],
        "combinator": "and",
    }
