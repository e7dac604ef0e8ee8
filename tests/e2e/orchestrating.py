"""Putting another orchestrator in the place of our workers, as the operator does it."""

from __future__ import annotations

import time
from datetime import datetime

from tests.conftest import RunningStack
from tests.e2e.test_webhooks import hook, text_message
from tests.e2e.world import PATIENCE_S, World, as_bytes
from typer.testing import CliRunner

from smarteros.cli.main import app
from smarteros.flow.workflow import HEAD_START_S


def orchestrate(stack: RunningStack, tenant_id: str, *by: str) -> None:
    """Run the command; what it points Chatwoot at is the demo unless another webhook is said."""
    where = ["--public-url", stack.url, "--data-dir", str(stack.data_dir)]
    done = CliRunner().invoke(app, ["tenant", "orchestrate", tenant_id, *by, *where])
    assert done.exit_code == 0, f"{done.output}{done.exception!r}"


def until_known(world: World, tenant_id: str) -> None:
    """Wait until the demo, which looks at a tenant's settings again after some seconds, gives a turn away."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        body = as_bytes(text_message(world, tenant_id))
        if world.post_webhook(f"{world.url}/api/v1/turns", body, hook(world, tenant_id)[1]).json()["turn"]:
            return
        time.sleep(0.25)
    raise AssertionError("no turn is given to orchestrators")


def back_to_our_workers(stack: RunningStack, world: World, tenant_id: str) -> None:
    """End what ``orchestrate`` began, and wait until no turn of the shop is held back for somebody else any more.

    A turn that is held back looks again when its customer goes on writing, so he does.
    """
    orchestrate(stack, tenant_id, "--by", "smarteros")
    customer = world.customer(tenant_id)
    deadline = time.monotonic() + 3 * PATIENCE_S
    while time.monotonic() < deadline:
        customer.write("¿Cuál es el horario de atención?")
        for turn in world.turns(tenant_id, customer.conversation_id):
            took = datetime.fromisoformat(turn["finished_at"]) - datetime.fromisoformat(turn["received_at"])
            if took.total_seconds() < HEAD_START_S:
                return
        time.sleep(0.25)
    raise AssertionError("turns are still held back")
