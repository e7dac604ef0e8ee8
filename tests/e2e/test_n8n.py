"""The generated workflows on a real n8n, between the stand-in Chatwoot and the running stack."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import yaml
from tests.conftest import RunningStack
from tests.e2e.orchestrating import back_to_our_workers, orchestrate, until_known
from tests.e2e.test_webhooks import hook, text_message
from tests.e2e.world import PATIENCE_S, Customer, World, as_bytes
from tests.generated import ROOT
from tests.n8n_server import N8nServer, installed, n8n_home

from smarteros.contracts.exporters.n8n import EVENTS_FILE, FAQ_FILE, OCR_FILE, n8n_files
from smarteros.contracts.loader import load_contracts
from smarteros.scenarios.runner import ScenarioRunner

CONTRACTS = load_contracts(ROOT / "contracts").by_id
SHOP = "TENANT_DEMO"
FILES = (EVENTS_FILE, OCR_FILE, FAQ_FILE)
PATHS = ("chatwoot-events", "chatwoot-ocr", "chatwoot-faq")
# `just prove-n8n`: everything, which takes minutes.
ALL = os.environ.get("SMOS_INSTALL_N8N") == "1"
# Our workers answer a turn that n8n does not begin after eight seconds.
_HIS_PATIENCE_S = 12.0
long = pytest.mark.skipif(not ALL, reason="takes minutes: `just prove-n8n`")


@dataclass(frozen=True)
class Automation:
    """n8n with the workflows published, and what its commands said."""

    server: N8nServer
    said: dict[str, str]

    def webhook(self, path: str = "chatwoot-events") -> str:
        return f"{self.server.url}/webhook/{path}"


@pytest.fixture(scope="module")
def n8n(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Automation]:
    """n8n 2.41.1, set up by its commands as docs/n8n.md says, and running."""
    program = installed()
    folder = tmp_path_factory.mktemp("workflows")
    files = n8n_files(CONTRACTS.values(), stack.url)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    ids = [json.loads(files[name])["id"] for name in (FILES if ALL else (EVENTS_FILE,))]
    with n8n_home(program, tmp_path_factory.mktemp("n8n")) as server:
        said = {"import": server.run("import:workflow", "--separate", f"--input={folder}")}
        said |= {workflow_id: server.run("publish:workflow", f"--id={workflow_id}") for workflow_id in ids}
        with server.serving():
            yield Automation(server, said)


@pytest.fixture(scope="module")
def lead(n8n: Automation, stack: RunningStack, world: World) -> Iterator[Callable[..., None]]:
    """Puts n8n in the place of our workers, for shops and with a workflow; afterwards everything is as it was."""
    led: set[str] = set()

    def by_n8n(path: str = PATHS[0], tenant_ids: tuple[str, ...] = (SHOP,)) -> None:
        for tenant_id in tenant_ids:
            orchestrate(stack, tenant_id, "--by", "n8n", "--webhook-url", n8n.webhook(path))
            led.add(tenant_id)
            until_known(world, tenant_id)

    warm_up(n8n, world)
    yield by_n8n
    for tenant_id in led:
        back_to_our_workers(stack, world, tenant_id)


def warm_up(n8n: Automation, world: World) -> None:
    """Ask it once: its first requests take seconds, in which Chatwoot would give up."""
    for path in PATHS if ALL else PATHS[:1]:
        world.http.post(n8n.webhook(path), json={}, timeout=60)


def replied_by_n8n(world: World) -> float:
    """How many turns of the shop n8n has replied to."""
    sample = f'smos_led_turns_total{{step="replied",tenant="{SHOP}"}} '
    lines = world.http.get(f"{world.url}/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(sample))


def ask(world: World, text: str) -> tuple[Customer, int, str]:
    """Let new customers ask until n8n was quick enough to be the one who replied."""
    deadline = time.monotonic() + 5 * PATIENCE_S
    while time.monotonic() < deadline:
        before, customer = replied_by_n8n(world), world.customer(SHOP)
        sent = customer.write(text)
        with suppress(AssertionError):  # Chatwoot opened the conversation: n8n took longer than it waits
            reply = customer.reply_to(sent, within_s=_HIS_PATIENCE_S)
            customer.turn_of(sent)
            if replied_by_n8n(world) > before:
                return customer, sent, reply
    raise AssertionError("n8n has replied to nobody")


def test_its_nodes_are_those_the_workflows_were_written_for() -> None:
    listed = json.loads((installed().script.parents[2] / "n8n-nodes-base/dist/types/nodes.json").read_text("utf-8"))
    versions: dict[str, set[float]] = {}
    for node in listed:
        versions.setdefault(f"n8n-nodes-base.{node['name'].rpartition('.')[2]}", set()).update(
            node["version"] if isinstance(node["version"], list) else [node["version"]]
        )
    ours = yaml.safe_load((ROOT / "tests/unit/contracts/n8n_node_versions.yml").read_text("utf-8"))

    assert {name: versions[name] for name in ours} == {name: set(listed) for name, listed in ours.items()}


def test_the_commands_of_the_guide_import_and_publish(n8n: Automation) -> None:
    assert "Successfully imported 3 workflows" in n8n.said["import"]


def test_a_customer_is_answered_through_n8n_and_the_audit_knows(
    lead: Callable[..., None], n8n: Automation, world: World
) -> None:
    lead()
    customer, sent, reply = ask(world, "¿Cuál es el horario de atención?")

    assert "Lunes a Viernes" in reply
    turn = customer.turn_of(sent)
    assert (turn["outcome"], turn["decision"]["intent"]) == ("answered", "faq_hours")
    audited = world.audit(SHOP, conversation_id=str(customer.conversation_id))
    assert [event["intent"] for event in audited if event["kind"] == "turn"] == ["faq_hours"]


def test_tools_are_called_through_n8n(lead: Callable[..., None], world: World) -> None:
    lead()
    _, _, reply = ask(world, "¿Tienen zapatillas talla 42?")

    assert "Zapatilla Running Azul — 39990 CLP" in reply


def test_a_wrong_signature_is_401_at_n8n_and_audited_under_nobody(n8n: Automation, world: World) -> None:
    answer = world.post_webhook(n8n.webhook(), as_bytes(text_message(world, SHOP)), "another-secret")

    assert answer.status_code == 401
    assert answer.json() == {"error": "Invalid HMAC signature", "code": "invalid_signature"}
    assert world.audit("")[-1]["details"]["code"] == "invalid_signature"


def test_the_same_message_again_is_answered_once(lead: Callable[..., None], n8n: Automation, world: World) -> None:
    lead()
    customer, sent, _ = ask(world, "¿Dónde quedan?")
    again = text_message(world, SHOP, id=sent)
    again["conversation"]["id"] = customer.conversation_id
    said = [world.post_webhook(n8n.webhook(), as_bytes(again), hook(world, SHOP)[1]) for _ in range(2)]

    assert [(answer.status_code, answer.json()) for answer in said] == [(200, {"status": "duplicate"})] * 2
    later = customer.write("¿Cuál es el horario de atención?")
    customer.reply_to(later)
    assert len(customer.replies()) == 2


@long
def test_what_n8n_was_killed_over_is_answered_once(lead: Callable[..., None], n8n: Automation, world: World) -> None:
    lead()
    customer = world.customer(SHOP)
    sent = customer.write("¿Tienen zapatillas talla 42?")
    world.until_received(SHOP, sent)
    with n8n.server.killed():
        reply = customer.reply_to(sent, within_s=90)
    # Chatwoot has given this conversation to people: n8n was not there for its webhooks.
    warm_up(n8n, world)
    other = world.customer(SHOP)
    other.reply_to(other.write("¿Cuál es el horario de atención?"))

    assert "Zapatilla" in reply
    assert len(customer.replies()) == len(other.replies()) == 1


@long
@pytest.mark.parametrize(
    ("path", "flows"), [(PATHS[0], None), (PATHS[1], "e2e_ocr_support"), (PATHS[2], "e2e_faq_quick")]
)
def test_the_contracts_scenarios_pass_through_n8n(
    path: str, flows: str | None, lead: Callable[..., None], world: World
) -> None:
    tenants = tuple(shop["tenant_id"] for shop in world.info["tenants"])
    lead(path, tenants)
    runner = ScenarioRunner(world.url)
    played = [CONTRACTS[flows]] if flows else list(CONTRACTS.values())
    failed = {result.scenario: result.failures for result in runner.run_all(played) if not result.passed}
    runner.close()

    assert failed == {}
