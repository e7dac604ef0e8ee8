"""``python -m smarteros_sandbox``: every stand-in server in one process and one event loop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator, Sequence
from datetime import date
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from smarteros_sandbox.botpress import create_botpress_app, shop_bot
from smarteros_sandbox.chatwoot.http.app import create_chatwoot_app
from smarteros_sandbox.chatwoot.installation import Installation
from smarteros_sandbox.chatwoot.profiles import DEFAULT_PROFILE, PROFILES
from smarteros_sandbox.control import Sandbox, create_control_app
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.odoo.app import create_odoo_app
from smarteros_sandbox.shopify.app import create_shopify_app
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.shops.models import DemoShop
from smarteros_sandbox.vision.app import create_vision_app

SERVERS = ("control", "chatwoot", "shopify", "odoo", "vision", "botpress")
GRACE_SECONDS = 1
PARENT_CHECK_SECONDS = 0.5


class QuietServer(uvicorn.Server):
    """A server that leaves the signals to the process, which runs several of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Install no handlers."""
        yield


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="smarteros-sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    for name in SERVERS:
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0: any free port")
    parser.add_argument("--data-dir", type=Path, required=True, help="what Chatwoot remembers lies here")
    parser.add_argument("--profile", choices=sorted(PROFILES), default=DEFAULT_PROFILE, help="Chatwoot version")
    parser.add_argument("--tenants", default="all", help="'all' or tenant ids, comma separated")
    parser.add_argument("--watch-parent", action="store_true", help="stop also when stdin ends")
    return parser.parse_args(arguments)


def first_start_of(data_dir: Path) -> date:
    """The day this data directory was first used; relative invoice dates count from it."""
    path = data_dir / "first_start.txt"
    if not path.exists():
        path.write_text(date.today().isoformat(), "utf-8")
    return date.fromisoformat(path.read_text("utf-8").strip())


def choose_shops(shops: Sequence[DemoShop], wanted: str) -> tuple[DemoShop, ...]:
    """The shops named on the command line."""
    if wanted == "all":
        return tuple(shops)
    names = {name.strip() for name in wanted.split(",")}
    unknown = names - {shop.spec.tenant_id for shop in shops}
    if unknown:
        raise SystemExit(f"unknown tenants: {', '.join(sorted(unknown))}")
    return tuple(shop for shop in shops if shop.spec.tenant_id in names)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the address is known before anything serves it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle off only for sockets that say they are TCP; with it every answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        raise SystemExit(f"cannot listen on {host}:{port}: {problem.strerror}") from None
    return listener


def url_of(host: str, listener: socket.socket) -> str:
    """The address to reach a listener at from this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{listener.getsockname()[1]}"


async def serve(options: argparse.Namespace) -> int:
    """Run until a signal, or until the parent is gone; 1 when a server failed before that."""
    parent = os.getppid()
    listeners = {name: listen(options.host, getattr(options, f"{name}_port")) for name in SERVERS}
    data_dir: Path = options.data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    first_start = first_start_of(data_dir)
    shops = choose_shops(load_shops(first_start), options.tenants)
    urls = {name: url_of(options.host, listener) for name, listener in listeners.items()}
    faults = Faults()
    profile = PROFILES[options.profile]
    chatwoot = Installation(shops, faults, data_dir, profile=profile, base_url=urls["chatwoot"])
    apps: dict[str, ASGIApp] = {
        "chatwoot": create_chatwoot_app(chatwoot),
        "shopify": create_shopify_app(shops, faults),
        "odoo": create_odoo_app(shops, faults),
        "vision": create_vision_app(shops, faults),
        "botpress": create_botpress_app([shop_bot(shop) for shop in shops], faults),
        "control": create_control_app(Sandbox(shops, faults, chatwoot, first_start, urls)),
    }
    servers = {name: _server(app) for name, app in apps.items()}
    stop = asyncio.Event()
    _stop_on_signal(stop)
    if options.watch_parent:
        _stop_at_end_of_input(stop)
    tasks = [asyncio.create_task(server.serve(sockets=[listeners[name]])) for name, server in servers.items()]
    announcer = asyncio.create_task(_announce(list(servers.values()), urls))
    await _until_stopped(stop, tasks, parent)
    failed = any(task.done() for task in tasks)
    announcer.cancel()
    for server in servers.values():
        server.should_exit = True
    await asyncio.gather(*tasks, announcer, return_exceptions=True)
    return int(failed)


def _server(app: ASGIApp) -> QuietServer:
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        lifespan="auto",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return QuietServer(config)


async def _announce(servers: Sequence[QuietServer], urls: dict[str, str]) -> None:
    """Print the one line a parent waits for."""
    while not all(server.started for server in servers):
        await asyncio.sleep(0.01)
    print("ready " + json.dumps(urls), flush=True)


async def _until_stopped(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]], parent: int) -> None:
    """Until a signal, the end of the parent, or the failure of a server."""
    while not stop.is_set() and os.getppid() == parent and not any(task.done() for task in tasks):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PARENT_CHECK_SECONDS)


def _stop_on_signal(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


def _stop_at_end_of_input(stop: asyncio.Event) -> None:
    """A parent that dies closes the pipe to our stdin, however it dies."""
    loop = asyncio.get_running_loop()

    def read_to_the_end() -> None:
        # os.read and not sys.stdin: a daemon thread inside the latter blocks the interpreter's shutdown.
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=read_to_the_end, name="watch-parent", daemon=True).start()


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script; ends the process."""
    status = asyncio.run(serve(parse_arguments(arguments)))
    # All is closed and written. The interpreter would spend seconds on taking the schemas apart.
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
