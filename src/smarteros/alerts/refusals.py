"""An HTTP sink's faults as errors of ours. The addresses of some sinks are secrets, so no URL is ever quoted."""

from __future__ import annotations

import re
from typing import Any

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.kit.http import HttpClient, HttpFault

TIMEOUT_S = 5.0
# A word or number of the vendor's own vocabulary; anything longer might quote what we sent.
_CODE = re.compile(r"^[A-Za-z0-9_ .-]{1,60}$")
_OPERATORS_FAULT = frozenset({401, 403, 404, 405, 410})


def post(http: HttpClient, sink: str, url: str, body: Any, headers: dict[str, str] | None = None) -> None:
    """POST a message as JSON; any fault is raised as the AlertSink protocol says."""
    try:
        http.request("POST", url, json=body, headers=headers, timeout_s=TIMEOUT_S)
    except HttpFault as fault:
        raise _error(sink, fault) from None  # the fault quotes the URL


def _error(sink: str, fault: HttpFault) -> SmosError:
    if fault.status is None:
        return TransientError("sink_unreachable", f"{sink} did not answer.")
    why = f"HTTP {fault.status}" + (f" {code}" if (code := _code_in(fault.body)) else "")
    if fault.transient:
        return TransientError("sink_unavailable", f"{sink} cannot take messages now: {why}.")
    if fault.status in _OPERATORS_FAULT:
        return ConfigError("sink_not_allowed", f"{sink} refuses us: {why}. Look at its key and address.")
    return PermanentError("sink_refused", f"{sink} refuses this message: {why}.")


def _code_in(body: str) -> str:
    """Slack answers with a bare word, Meta with a number in JSON."""
    found = re.search(r'"code":\s*(\d{1,9})', body)
    text = found.group(1) if found else body.strip()
    return text if _CODE.match(text) else ""
