"""What a bot can be made to do wrong (service "botpress", scope = tenant id); a real one does some of it unasked.

``slow`` (seconds before the answer), ``hang`` (seconds, then 504), ``http_500``, ``http_429``, ``redirect`` (to the
value), ``huge`` (so many megabytes, default 10), ``error_in_200`` (the cloud's bridge: an error under a 200), ``says``
(the bot says the value in the place of its answer), ``silent`` (the bot never answers).
"""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from smarteros_sandbox.botpress.bots import SandboxBot
from smarteros_sandbox.botpress.records import ApiError
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.wire import WireJson, hang_as_told, wait_as_told

SERVICE = "botpress"
_MEGABYTE = 1024 * 1024


async def misbehave(faults: Faults, tenant_id: str) -> Response | None:
    """The wrong answer to a request that the bot is told to give; None to go on rightly. Raises ApiError."""
    await wait_as_told(faults, SERVICE, tenant_id)
    if await hang_as_told(faults, SERVICE, tenant_id):
        raise ApiError(504, "OperationTimeout", "The operation timed out.")
    if faults.take(SERVICE, "http_500", tenant_id):
        raise ApiError(500, "Internal", "An internal error occurred")
    if faults.take(SERVICE, "http_429", tenant_id):
        raise ApiError(429, "RateLimited", "The request has been rate limited.")
    if faults.take(SERVICE, "error_in_200", tenant_id):
        error = ApiError(403, "Forbidden", "The integration is disabled.")
        return WireJson(error.body)
    if away := faults.take(SERVICE, "redirect", tenant_id):
        return RedirectResponse(str(away.value), 307)
    if large := faults.take(SERVICE, "huge", tenant_id):
        return WireJson({"responses": [], "messages": [], "filling": "x" * int(large.number(10) * _MEGABYTE)})
    return None


def words_of(faults: Faults, bot: SandboxBot) -> str | None:
    """The words the bot is told to say in the place of its answer; None when it may say what it likes."""
    told = faults.take(SERVICE, "says", bot.tenant_id)
    return None if told is None else str(told.value)
