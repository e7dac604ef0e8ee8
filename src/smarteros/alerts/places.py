"""Where our console shows what an alert is about."""

from __future__ import annotations

from smarteros.domain.alerts import Alert, Signal
from smarteros.store.database import NO_TENANT

_OF_TEXTS = frozenset[Signal]({"kb_change_waits", "kb_source_failed"})


def page_about(alert: Alert) -> str:
    """Return the path of the console's page: the conversation, the shop's texts, else its alerts."""
    if alert.signal == "escalation" and alert.subject:
        return f"/console/conversations/{alert.tenant_id}/{alert.subject}"
    page = "knowledge" if alert.signal in _OF_TEXTS else "alerts"
    return f"/console/{page}" if alert.tenant_id == NO_TENANT else f"/console/{page}?tenant={alert.tenant_id}"
