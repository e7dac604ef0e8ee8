"""The dead-man's switch: an address outside that warns when it does not hear from us any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from smarteros.alerts.refusals import TIMEOUT_S
from smarteros.alerts.settings import AlertSettings
from smarteros.kit.http import HttpClient, HttpFault

_log = structlog.get_logger()
_EVERY = timedelta(seconds=55)


class DeadMansSwitch:
    """Presses it about once a minute, however often it is asked to; without an address it does nothing."""

    def __init__(self, http: HttpClient, settings: AlertSettings) -> None:
        self._http = http
        self._url = settings.deadman_url
        self._pressed_at: datetime | None = None

    def press(self, now: datetime) -> bool:
        """Say that all is watched; False when that could not be said."""
        if self._url is None or (self._pressed_at is not None and now - self._pressed_at < _EVERY):
            return True
        try:
            self._http.request("GET", self._url.get_secret_value(), timeout_s=TIMEOUT_S)
        except HttpFault as fault:  # its URL is a secret
            _log.warning("deadman_switch_not_pressed", status=fault.status)
            return False
        self._pressed_at = now
        return True
