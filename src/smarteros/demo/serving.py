"""SmarterOS itself in the demo: services, the shops as tenants, the web application."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from smarteros.bootstrap import open_runtime, open_services
from smarteros.bootstrap.console import demo_console_link
from smarteros.demo.page import demo_router
from smarteros.demo.provision import about_us, provision
from smarteros.settings import Settings

SandboxUrls = Callable[[], dict[str, str]]
Announce = Callable[[str, str], None]


class _AnnouncingServer(uvicorn.Server):
    """Says so when the first request can be answered."""

    announce: Callable[[], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.announce is not None:
            self.announce()


def serve(data_dir: Path, url: str, listener: socket.socket, sandbox_urls: SandboxUrls, announce: Announce) -> None:
    """Serve until the process is interrupted. ``sandbox_urls`` waits until the stand-ins listen.

    ``announce`` gets the URL, and the address that signs the operator in to the console once.
    """
    settings = Settings(data_dir=data_dir, public_url=url)
    with open_services(settings) as services:
        services.agent.learn_soon()  # while the stand-ins start and the shops are set up
        sandbox = sandbox_urls()
        info = services.http.json("GET", f"{sandbox['control']}/sandbox/info")
        provision(services, info, url)
        page = demo_router(services.database, sandbox["control"], sandbox["chatwoot"], lambda: about_us(services, url))
        with open_runtime(services, (page,)) as runtime:
            config = uvicorn.Config(
                runtime.app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, lifespan="off"
            )
            server = _AnnouncingServer(config)
            server.announce = lambda: announce(url, demo_console_link(services, url))
            services.agent.wait_until_ready()
            server.run(sockets=[listener])
