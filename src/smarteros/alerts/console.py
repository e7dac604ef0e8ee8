"""The log of the process: the sink that is always there, and the last one anything falls back to."""

from __future__ import annotations

import structlog

from smarteros.alerts.protocol import Notice

_log = structlog.get_logger()


class ConsoleAlertSink:
    """Writes one line of the log for each alert, as an error while it lasts."""

    def send(self, notice: Notice) -> None:
        """Write."""
        for news in notice.news:
            tell = _log.warning if news.kind == "resolved" else _log.error
            alert = news.alert
            tell(
                "alert",
                kind=news.kind,
                name=alert.name,
                tenant=alert.tenant_id,
                flow=alert.flow_id,
                severity=alert.severity,
                text=news.text,
                notes=notice.notes,
            )
