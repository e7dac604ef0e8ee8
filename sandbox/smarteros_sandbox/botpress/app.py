"""The stand-in Botpress as an ASGI app. Its faults are told in ``misbehaviour``."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import Route

from smarteros_sandbox.botpress.bots import SandboxBot
from smarteros_sandbox.botpress.cloud import ChatApi
from smarteros_sandbox.botpress.v12 import ConverseApi
from smarteros_sandbox.faults import Faults


def create_botpress_app(bots: Sequence[SandboxBot], faults: Faults) -> Starlette:
    """The app for these bots: each speaks both dialects, v12 below ``/api/v1``, the cloud's below its webhook id."""
    by_id = {bot.bot_id: bot for bot in bots}
    converse = ConverseApi(by_id, faults)
    path = "/api/v1/bots/{bot}/converse/{user}"
    return Starlette(
        routes=[
            Route(path, converse.open, methods=["POST"]),
            Route(f"{path}/secured", converse.secured, methods=["POST"]),
            *ChatApi(by_id, faults).routes(),
        ]
    )
