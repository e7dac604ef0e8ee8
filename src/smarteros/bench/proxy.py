"""A PostgreSQL that is further away: a TCP port before its Unix socket that passes requests on a little later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")
_CHUNK = 65_536


class SlowProxy:
    """Delays what goes to the server by ``delay_s``; what comes back is passed on at once."""

    def __init__(self, socket_path: str, delay_s: float) -> None:
        self._socket_path = socket_path
        self._delay_s = delay_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow-proxy", daemon=True)
        self._pipes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def url(self, user: str) -> str:
        """The SQLAlchemy URL through the proxy."""
        port = self._server.sockets[0].getsockname()[1] if self._server else 0
        return f"postgresql+psycopg://{user}@127.0.0.1:{port}/postgres"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._socket_path)
        for pipe in (self._pipe(reader, far_writer, self._delay_s), self._pipe(far_reader, writer, 0.0)):
            task = asyncio.create_task(pipe)
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
        try:
            while data := await reader.read(_CHUNK):
                if delay_s:
                    await asyncio.sleep(delay_s)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()
