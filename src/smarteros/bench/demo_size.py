"""What the whole demo takes: until it is ready, and in memory before and after its first photo."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from smarteros.bench.photos import take_photo
from smarteros.bench.processes import Process, proportional_memory_mb
from smarteros.bench.report import DemoSize
from smarteros.demo.customer import DemoCustomer
from smarteros.scenarios.stack import Stack

_SHOP = "TENANT_DEMO"
_QUESTION = "¿Cuál es el horario de atención?"
_WITH_PHOTO = "¿Tiene garantía?"


def measure_demo(folder: Path) -> DemoSize:
    """Start the demo in an empty folder and have a question and a photo answered."""
    data_dir, picture = folder / "demo", folder / "boleta.jpg"
    picture.write_bytes(take_photo(0).jpeg)
    with ExitStack() as stack:
        demo = stack.enter_context(Process("demo", "--port", "0", "--data-dir", str(data_dir)))
        running = Stack(demo.url)
        stack.callback(running.close)
        customer = DemoCustomer(running, data_dir)
        # A turn first: what every turn loads belongs to the memory of a demo without photos.
        customer.say(_QUESTION, _SHOP, "whatsapp", None, new=True)
        before = proportional_memory_mb([demo.pid])
        customer.say(_WITH_PHOTO, _SHOP, "whatsapp", picture, new=True)
        return DemoSize(
            ready_s=round(demo.start_s, 2),
            memory_mb=round(before, 1),
            memory_with_models_mb=round(proportional_memory_mb([demo.pid]), 1),
        )
