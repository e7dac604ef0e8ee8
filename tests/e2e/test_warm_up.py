"""The reading of photos is made ready in the background: nobody waits for it who does not send one."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import psutil
from tests.attacks.hostile_documents import receipt
from tests.e2e.process import DemoProcess
from tests.e2e.world import World

SHOES = "TENANT_DEMO"


def reading_processes(demo: DemoProcess) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in demo.family():
        with contextlib.suppress(psutil.Error):
            if "smarteros.documents.worker" in process.cmdline():
                found.append(process)
    return found


def the_reading_process(demo: DemoProcess) -> psutil.Process:
    """Wait until it is started, without any photo having been sent."""
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        if found := reading_processes(demo):
            return found[0]
        threading.Event().wait(0.05)
    raise AssertionError("nothing was warmed up")


def test_questions_are_answered_while_the_models_load_and_photos_afterwards(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, "--port", "0", SMOS_WARM_DOCUMENTS="true") as demo, World(demo.url) as world:
        loading = the_reading_process(demo)
        loading.suspend()  # a machine on which loading takes for ever
        try:
            assert "Lunes a Viernes" in world.customer(SHOES).ask("¿Cuál es el horario de atención?")
            assert world.http.get(f"{world.info['smarteros']['url']}/health").status_code == 200
        finally:
            loading.resume()
        customer = world.customer(SHOES)
        assert customer.turn_of(customer.write("¿tiene garantía?", receipt("PNG")))["outcome"] == "answered"
        assert 1 <= len(reading_processes(demo)) <= 2
