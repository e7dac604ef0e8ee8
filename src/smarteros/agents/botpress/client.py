"""Bots over HTTP: the dialect of each, and one time limit over everything a question takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from smarteros.agents.botpress.cloud import Cloud
from smarteros.agents.botpress.protocol import BotFault, BotQuestion
from smarteros.agents.botpress.v12 import V12
from smarteros.agents.botpress.wire import Wire
from smarteros.domain.botpress import BotpressSettings
from smarteros.kit.http import HttpClient
from smarteros.tools.deadline import Deadline, DeadlineError, run_within


class HttpBots:
    """Bots by their HTTP APIs; ``http`` decides which addresses may be asked."""

    def __init__(self, http: HttpClient, pause: Callable[[float], None] = time.sleep) -> None:
        wire = Wire(http)
        self._cloud = Cloud(wire, pause)
        self._v12 = V12(wire)

    def ask(
        self, settings: BotpressSettings, key: str | None, question: BotQuestion, timeout_s: float
    ) -> dict[str, Any]:
        """Ask one question; see ``Bots.ask``."""
        if key is not None and not (key.isascii() and key.isprintable()):
            raise BotFault("misconfigured", "the key has characters that no header takes")
        deadline = Deadline.after(timeout_s)
        dialect = self._cloud if settings.dialect == "cloud" else self._v12
        try:
            return run_within(deadline, lambda: dialect.answer(settings, key, question, deadline))
        except DeadlineError as error:
            raise BotFault("timeout", f"no answer within {timeout_s:.2f} s") from error
