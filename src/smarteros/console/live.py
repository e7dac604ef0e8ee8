"""Telling open pages that their list has changed: one look at the database a second, however many pages are open."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import suppress

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import format_sse_event
from sqlalchemy.exc import SQLAlchemyError

from smarteros.console.parts import ConsoleParts
from smarteros.domain.people import Person
from smarteros.domain.tenants import Tenant
from smarteros.store.conversation_list import state_of_list

_EVERY_S = 1.0
_KEEP_ALIVE_S = 15.0
# The browser comes again by itself; a stream must not outlive the session that opened it by much.
_LONGEST_S = 300.0


class LiveList:
    """Watches the lists of tenants. A look is shared by all streams that ask within a second."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts
        self._looks: dict[str, tuple[float, str]] = {}

    async def changes(self, person: Person) -> AsyncGenerator[bytes]:
        """Yield an event of the stream whenever one of the person's conversations changes.

        It ends when the database does not answer; the browser comes again.
        """
        yield format_sse_event(event="hello", data_str="-", retry=2000)
        with suppress(SQLAlchemyError):
            async for event in self._changes(person):
                yield event

    async def _changes(self, person: Person) -> AsyncGenerator[bytes]:
        seen = await run_in_threadpool(self._state, person)
        began = silent_since = time.monotonic()
        while (now := time.monotonic()) - began < _LONGEST_S:
            await asyncio.sleep(_EVERY_S)
            state = await run_in_threadpool(self._state, person)
            if state != seen:
                seen, silent_since = state, now
                yield format_sse_event(event="changed", data_str=state)
            elif now - silent_since > _KEEP_ALIVE_S:
                silent_since = now
                yield format_sse_event(comment="-")

    def _state(self, person: Person) -> str:
        states = [self._state_of(tenant) for tenant in self._parts.tenants_of(person)]
        return hashlib.sha256("\n".join(states).encode()).hexdigest()[:16]

    def _state_of(self, tenant: Tenant) -> str:
        looked_at, state = self._looks.get(tenant.tenant_id, (0.0, ""))
        if time.monotonic() - looked_at >= _EVERY_S / 2:
            with self._parts.database.tenant(tenant.scope) as connection:
                state = state_of_list(connection, tenant.tenant_id)
            self._looks[tenant.tenant_id] = (time.monotonic(), state)
        return state
