"""n8n workflows out of the contracts: n8n leads the turns, every step is done by us (docs/n8n.md, decision 0035).

Three routers, each complete by itself on a webhook path of its own: two workflows may not share one. They carry no
secret: the right to a turn comes with the answer to its signed webhook, and opens this turn alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from smarteros.contracts.exporters.n8n_nodes import Canvas, any_of, expression, json_of
from smarteros.contracts.models import Contract

# Where the demo listens.
DEFAULT_URL = "http://127.0.0.1:8080"
EVENTS_FILE, OCR_FILE, FAQ_FILE = "chatwoot-events-router.json", "chatwoot-ocr-router.json", "chatwoot-faq-router.json"
# Names of nodes that expressions refer to: the steps of a turn, as everywhere.
RECEIVE, RESOLVE, DECIDE, CALL_TOOLS, REPLY = "receive", "resolve", "decide", "call_tools", "reply"
_GIVE_UP, _END = "give_up", "Fin"
# Milliseconds. ``resolve`` waits for the customer to finish and reads his photos.
_ACCEPT_MS, _RESOLVE_MS, _DECIDE_MS, _REPLY_MS = 4_000, 60_000, 15_000, 60_000
# What a turn may wait for its place before its tools are called.
_PLACE_MS = 25_000
_KEY = f"$('{RECEIVE}').first().json.body.turn.key"
_STORY = f"$('{RESOLVE}').first().json.story"
_ASKED = f"$('{RESOLVE}').first().json"
_BEARER = {"Authorization": f"'Bearer ' + {_KEY}"}
_AUTHORIZED = json_of(_BEARER)


def n8n_files(contracts: Iterable[Contract], url: str = DEFAULT_URL) -> dict[str, str]:
    """Return the workflows by file name; the same text for the same contracts.

    ``url`` is where n8n reaches this installation. The router of photos and the one of questions are left out when no
    contract is entered by an attachment, or none does without tools.
    """
    flows = sorted(contracts, key=lambda each: each.flow_id)
    base = url.rstrip("/")
    files = {EVENTS_FILE: _router(base, "smosEventsRouter", "chatwoot-events", flows)}
    photos = next((each for each in flows if each.entry.attachments), None)
    questions = next((each for each in flows if not each.tools), None)
    if photos is not None:
        files[OCR_FILE] = _router(base, "smosOcrRouter", "chatwoot-ocr", [photos])
    if questions is not None:
        files[FAQ_FILE] = _router(base, "smosFaqRouter", "chatwoot-faq", [questions])
    return files


def _router(base: str, workflow_id: str, path: str, flows: Sequence[Contract]) -> str:
    canvas = Canvas(workflow_id, f"SmarterOS · {path}")
    _entry(canvas, base, path)
    _question(canvas, base, flows)
    if len(flows) > 1:
        _by_flow(canvas, base, flows)
    else:
        _by_need(canvas, base, flows[0])
    _end(canvas, base)
    _notes(canvas, path, flows)
    return json.dumps(canvas.workflow(), ensure_ascii=False, indent=2) + "\n"


def _entry(canvas: Canvas, base: str, path: str) -> None:
    """The webhook is handed on byte for byte: whoever knows the shop's secret checks its signature."""
    headers = "Object.fromEntries(Object.entries($json.headers).filter(([name]) => name.startsWith('x-chatwoot-')))"
    webhook = canvas.webhook("Webhook de Chatwoot", (0, 0), path)
    receive = canvas.forward(
        RECEIVE,
        (1, 0),
        f"{base}/api/v1/turns",
        headers=expression(f"JSON.stringify({headers})"),
        timeout_ms=_ACCEPT_MS,
    )
    believed = canvas.choice("¿Se acepta?", (2, 0), "$json.statusCode === 200")
    taken = canvas.respond("Responder 200", (3, 0), 200, json_of({"status": "$json.body.status"}))
    refused = canvas.respond(
        "Responder rechazo", (3, 1), expression("$json.statusCode"), expression("JSON.stringify($json.body)")
    )
    # The one status on which Chatwoot sends the webhook of a bot again.
    away = canvas.respond("Responder 500", (2, 1), 500, '{"error": "SmarterOS does not answer", "code": "away"}')
    ours = canvas.choice("¿Hay turno?", (4, 0), f"!!$('{RECEIVE}').first().json.body.turn")
    canvas.connect(webhook, receive)
    canvas.connect(receive, believed, away)
    canvas.connect(believed, taken, refused)
    canvas.connect(taken, ours)
    canvas.connect(ours, RESOLVE, _END)


def _question(canvas: Canvas, base: str, flows: Sequence[Contract]) -> None:
    """Wait for the customer, read his photos, ask the agent."""
    bot = "{{ $json.bot }}" if len(flows) > 1 else flows[0].agent.bot
    resolve = canvas.post(
        RESOLVE, (5, 0), f"{base}/api/v1/turns/resolve", headers=_AUTHORIZED, body=None, timeout_ms=_RESOLVE_MS
    )
    asks = canvas.choice("¿Hay que decidir?", (6, 0), "$json.status === 'decide'")
    decide = canvas.post(
        DECIDE,
        (7, 0),
        f"={base}/api/v1/workspaces/{{{{ $json.workspace_id }}}}/bots/{bot}/run",
        headers=json_of(
            {
                **_BEARER,
                "X-SMOS-Tenant-ID": "$json.request.tenant_id",
                "X-SMOS-Conversation-ID": "String($json.request.conversation_id)",
                "X-SMOS-Channel": "$json.request.channel",
                "X-Chatwoot-Signature": "$('Webhook de Chatwoot').first().json.headers['x-chatwoot-signature']",
                "X-SMOS-User-Role": "'end_user'",
            }
        ),
        body=expression("JSON.stringify($json.request)"),
        timeout_ms=_DECIDE_MS,
    )
    next_node = "¿Qué flujo?" if len(flows) > 1 else "¿Pide herramientas?"
    canvas.connect(resolve, asks, _END)
    canvas.connect(asks, decide, _END)
    canvas.connect(decide, next_node, _GIVE_UP)


def _by_flow(canvas: Canvas, base: str, flows: Sequence[Contract]) -> None:
    """One output for each contract: the flow of the photo, else the one that owns the intent."""
    outputs: dict[str, str] = {}
    targets: list[str] = []
    by_photo_first = sorted(flows, key=lambda each: not each.entry.attachments)
    for row, flow in enumerate(by_photo_first):
        owned = any_of(flow.entry.intents, "$json.intent")
        photo = f"{_ASKED}.request.message.type === 'image_with_text' || " if flow.entry.attachments else ""
        outputs[flow.flow_id] = photo + owned
        targets.append(_tools(canvas, base, f"{CALL_TOOLS} {flow.flow_id}", row, [flow]) if flow.tools else REPLY)
    canvas.switch("¿Qué flujo?", (8, 0), outputs)
    canvas.connect("¿Qué flujo?", *targets, REPLY)


def _by_need(canvas: Canvas, base: str, flow: Contract) -> None:
    """What this flow hands to another one may need tools even where its own messages need none."""
    canvas.choice("¿Pide herramientas?", (8, 0), "($json.actions ?? []).length > 0")
    canvas.connect("¿Pide herramientas?", _tools(canvas, base, CALL_TOOLS, 0, [flow]), REPLY)


def _tools(canvas: Canvas, base: str, name: str, row: int, flows: Sequence[Contract]) -> str:
    tools = [tool for flow in flows for tool in flow.tools.values()]
    node = canvas.post(
        name,
        (9, row),
        f"{base}/api/v1/turns/call_tools",
        headers=_AUTHORIZED,
        body=json_of({"story": _STORY, "decision": "$json"}),
        timeout_ms=_PLACE_MS + sum(tool.timeout_ms * (tool.retries + 1) for tool in tools),
    )
    canvas.connect(node, REPLY, _GIVE_UP)
    return node


def _end(canvas: Canvas, base: str) -> None:
    decision = f"$('{DECIDE}').first().json"
    reply = canvas.post(
        REPLY,
        (10, 0),
        f"{base}/api/v1/turns/reply",
        headers=_AUTHORIZED,
        body=json_of({"story": f"$json.story ?? {_STORY}", "decision": decision}),
        timeout_ms=_REPLY_MS,
    )
    give_up = canvas.post(
        _GIVE_UP,
        (10, 1),
        f"{base}/api/v1/turns/give_up",
        headers=_AUTHORIZED,
        body=json_of({"story": _STORY}),
        timeout_ms=_REPLY_MS,
    )
    canvas.node("nothing", _END, (11, 0), {})
    canvas.connect(reply, _END, give_up)
    canvas.connect(give_up, _END, None)


def _notes(canvas: Canvas, path: str, flows: Sequence[Contract]) -> None:
    canvas.note("Nota: qué hace", (-0.1, -2.5), (860, 400), _about(path, flows))
    canvas.note("Nota: recibir", (-0.1, 1.9), (860, 260), _NOTE_RECEIVE)
    canvas.note("Nota: conversar", (4.7, 1.9), (620, 260), _NOTE_TALK)
    canvas.note("Nota: si algo falla", (8.2, 3.0), (700, 260), _NOTE_FAULTS)
    for column, flow in enumerate(flows):
        canvas.note(f"Nota: {flow.flow_id}", (4.7 + column * 2.3, -2.5), (520, 400), _of_flow(flow))


def _about(path: str, flows: Sequence[Contract]) -> str:
    return (
        f"## SmarterOS · {path}\n\n"
        "n8n lleva el turno y SmarterOS hace cada paso: *receive, resolve, decide, call_tools, reply*.\n\n"
        f"- **URL para Chatwoot:** `https://<tu n8n>/webhook/{path}`\n"
        f"- **Flujos:** {', '.join(f'`{flow.flow_id}` {flow.version}' for flow in flows)}\n"
        "- **Aquí no hay secretos ni credenciales:** la respuesta a un webhook bien firmado trae la llave de ese turno "
        "y de ningún otro.\n"
        "- **Activar:** `smos tenant orchestrate TENANT --by n8n`, y publicar este workflow.\n\n"
        "Generado por `smos contract export n8n`: cambia el contrato y vuelve a exportar."
    )


def _of_flow(flow: Contract) -> str:
    tools = ", ".join(f"`{name}` ({tool.timeout_ms} ms)" for name, tool in flow.tools.items()) or "ninguna"
    return (
        f"### {flow.flow_id}\n\n{flow.description.es}\n\n"
        f"- **Intenciones:** {', '.join(flow.entry.intents)}\n"
        f"- **Bot:** `{flow.agent.bot}`; se le cree desde {flow.agent.thresholds.answer:.2f}\n"
        f"- **Herramientas:** {tools}\n"
        f"- **Promesa:** p95 < {flow.slo.latency_p95_ms} ms, éxito > {flow.slo.success_rate:.0%}"
    )


_NOTE_RECEIVE = (
    "### Recibir\n\n"
    "Los bytes del webhook pasan tal cual. SmarterOS revisa la firma (si no calza: **401**), encuentra la tienda y "
    "guarda el mensaje **una sola vez**: repetido, no trae turno.\n\n"
    "Pasan todos los eventos, no solo los mensajes: así se sabe cuándo una persona toma la conversación. "
    "A Chatwoot se le responde antes de trabajar."
)
_NOTE_TALK = (
    "### Conversar\n\n"
    "**resolve** espera a que el cliente termine de escribir y lee sus fotos.\n\n"
    "**decide** es el lugar para tu propio agente: recibe el mismo JSON y devuelve la misma decisión "
    "(intent, confidence, route, actions, reply). Precios, fechas y links que nadie buscó en este turno no salen."
)
_NOTE_FAULTS = (
    "### Si algo falla\n\n"
    "Cada paso se intenta tres veces. Después **give_up** le pide a SmarterOS que responda solo, de inmediato. "
    "Y si n8n se cae a medio camino, SmarterOS toma el turno a los segundos: nada se pierde y nada se responde dos "
    "veces, porque **reply** publica con marca y nunca encima de una persona."
)
