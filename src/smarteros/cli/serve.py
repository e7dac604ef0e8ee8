"""``smos serve``: one process of an installation; any number of them work on one PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack, suppress
from typing import Annotated

import typer

from smarteros.cli.options import DataDir, settings_with
from smarteros.domain.errors import ConfigError
from smarteros.settings import Role, Settings

_LISTEN_QUEUE = 1024
# Beside an edge on the same machine a worker is what can wait: Chatwoot waits 5 s for a webhook's answer.
_WORKER_NICENESS = 5


def serve(
    role: Annotated[
        Role, typer.Option(help="edge: take webhooks and requests in; worker: run turns; all: both.")
    ] = "all",
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535, show_default="8080")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; prints ``ready <url>`` once requests are answered.

    The database is SMOS_DATABASE_URL and SMOS_APP_DATABASE_URL, or the embedded server of the data directory, which
    several processes of one machine share. A worker serves only /health and /metrics. At the end running turns may
    finish for SMOS_DRAIN_S seconds; those that do not are taken up by the other workers.
    """
    settings = settings_with(data_dir)
    address = (settings.host if host is None else host, settings.port if port is None else port)
    # Like Ctrl-C; uvicorn raises the signal again when it has ended, and everything is closed in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if role == "worker":
        os.nice(_WORKER_NICENESS)
    left_over = 0
    with suppress(KeyboardInterrupt), _listener(*address) as listener:
        left_over = _run(settings, role, listener)
    if left_over:
        # Their threads would keep the process alive; ending it is what frees these turns for the other workers.
        os._exit(0)


def _run(settings: Settings, role: Role, listener: socket.socket) -> int:
    """Serve on the listener; returns how many turns were still running after the drain."""
    import uvicorn

    from smarteros.bootstrap import open_runtime, open_services
    from smarteros.bootstrap.console import first_console_link

    host, port = listener.getsockname()[:2]
    with ExitStack() as stack:
        services = stack.enter_context(open_services(settings))
        runtime = stack.enter_context(open_runtime(services, role=role, drain_s=settings.drain_s))
        if role != "edge":  # an edge must take webhooks again at once: Chatwoot does not send them twice
            services.agent.wait_until_ready()
        server = uvicorn.Server(
            uvicorn.Config(
                runtime.app, log_level="warning", access_log=False, timeout_graceful_shutdown=3, lifespan="off"
            )
        )
        # Announced before the loop runs: the socket listens already, so a request made now only waits for it.
        typer.echo(f"ready http://{host}:{port}")
        if role != "worker" and (link := first_console_link(services, settings.public_url or f"http://{host}:{port}")):
            typer.echo(f"console {link} (makes the first operator; for three days)")
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    return runtime.engine.running_turns


def _listener(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle off only then; with it every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_LISTEN_QUEUE)
    except OSError as error:
        listener.close()
        raise ConfigError(
            "port_in_use", f"Cannot listen on {host}:{port} ({error.strerror}); choose another with --port."
        ) from error
    return listener
