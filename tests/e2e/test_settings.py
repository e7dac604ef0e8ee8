"""What an operator may set: inboxes that start open, a second agent that decides along, how late an answer may come."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.e2e.process import DemoProcess
from tests.e2e.test_humans_first import Shop
from tests.e2e.test_reconcile import reconcile
from tests.e2e.test_webhooks import as_bytes, text_message
from tests.e2e.world import Customer, World
from tests.support import postgres_below, until

from smarteros.bootstrap import open_services
from smarteros.domain.tenants import InboxSettings
from smarteros.reconcile.catch_up import APOLOGY
from smarteros.settings import Settings, default_contracts_dir

SHOES, CLOTHES = "TENANT_DEMO", "TENANT_RUT_77123456"
HOURS, A_PERSON = "¿Cuál es el horario de atención?", "Quiero hablar con una persona"
RIDDLE = "el zorzal canta en el canelo"


@dataclass
class Installation:
    """A demo of our own, with settings of its own."""

    data_dir: Path
    world: World
    admin: dict[str, Any]

    def chatwoot(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the shoe shop's Chatwoot as its administrator."""
        base = f"{self.world.info['base_urls']['chatwoot']}/api/v1/accounts/{self.admin['account_id']}"
        token = {"api_access_token": self.admin["tokens"]["chatwoot_administrator"]}
        answer = self.world.http.request(method, f"{base}{path}", json=body, headers=token).raise_for_status()
        return answer.json() if answer.content else None

    def forget_looks(self, **ago: float) -> None:
        """Let it look as if nobody had looked through the Chatwoots lately."""
        engine = sa.create_engine(postgres_below(self.data_dir), poolclass=sa.NullPool)
        with engine.begin() as connection:
            statement = sa.text("UPDATE smos.reconcile_cursors SET checked_at = checked_at - :ago")
            connection.execute(statement, {"ago": timedelta(**ago)})


def learns_otherwise(folder: Path) -> Path:
    """Copy the contracts into a folder; of a riddle they say that it asks for the opening hours."""
    shutil.copytree(default_contracts_dir(), folder)
    faq = folder / "e2e-faq-quick.yml"
    examples = "    faq_hours:\n" + "".join(f"      - {RIDDLE}{end}\n" for end in ("", "?", "!", " hoy", " mañana"))
    faq.write_text(faq.read_text().replace("    faq_hours:\n", examples, 1))
    return folder


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    data_dir = tmp_path_factory.mktemp("installation")
    contracts = learns_otherwise(tmp_path_factory.mktemp("shadow") / "contracts")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SMOS_SHADOW_CONTRACTS", str(contracts))
        environment.setenv("SMOS_RECONCILE_ANSWER_WITHIN_MIN", "5")
        with DemoProcess(data_dir, "--port", "0") as demo, World(demo.url) as world:
            yield Installation(data_dir, world, world.shop(SHOES))


@pytest.fixture(scope="module")
def open_inbox(installation: Installation) -> Installation:
    """The shoe shop's WhatsApp inbox has no bot any more; the account's webhook tells of it."""
    world = installation.world
    listed = installation.chatwoot("GET", "/inboxes")["payload"]
    inbox_id = next(inbox["id"] for inbox in listed if inbox["channel_type"] == "Channel::Whatsapp")
    installation.chatwoot("POST", f"/inboxes/{inbox_id}/set_agent_bot", {"agent_bot": None})
    url = world.info["smarteros"]["webhook_urls"][SHOES]
    webhook = installation.chatwoot("POST", "/webhooks", {"url": url})["payload"]["webhook"]
    with open_services(Settings(data_dir=installation.data_dir)) as services:
        tenant = services.tenants.get(SHOES)
        others = tuple(inbox for inbox in tenant.inboxes if inbox.inbox_id != inbox_id)
        opened = InboxSettings(inbox_id=inbox_id, channel="whatsapp", starts="open")
        services.tenants.save(tenant.model_copy(update={"inboxes": (*others, opened)}))
        services.secrets.write(tenant.scope, "chatwoot/webhook_secret", webhook["secret"])

    def is_known() -> bool:
        body = text_message(world, SHOES)
        body["inbox"]["id"] = body["conversation"]["inbox_id"] = inbox_id
        body["conversation"]["status"] = "open"
        return world.post_webhook(url, as_bytes(body), webhook["secret"]).json().get("status") == "accepted"

    until(is_known)
    return installation


def conversation_in(installation: Installation) -> tuple[Customer, Shop]:
    customer = installation.world.customer(SHOES)
    shop = Shop(installation.world, customer)
    assert shop.status() == "open"
    return customer, shop


def assign(installation: Installation, customer: Customer, assignee: int | None) -> None:
    path = f"/conversations/{customer.conversation_id}/assignments"
    installation.chatwoot("POST", path, {"assignee_id": assignee})


def delivered(installation: Installation, event: str) -> int:
    """How many webhooks of a kind have reached us from the shoe shop."""
    world, account = installation.world, str(installation.admin["account_id"])
    answer = world.http.get(f"{world.url}/sandbox/webhook-deliveries", params={"account_id": account})
    return sum(entry["event"] == event and entry["status"] == 200 for entry in answer.json()["deliveries"])


def ask_in_silence(installation: Installation, customer: Customer) -> dict[str, Any]:
    """Write something that would be answered; returns what became of it."""
    before = customer.replies()
    turn = customer.turn_of(customer.write(HOURS))
    assert customer.replies() == before
    return turn


def test_a_customer_of_an_open_conversation_is_answered(open_inbox: Installation) -> None:
    customer, shop = conversation_in(open_inbox)

    assert "Lunes a Viernes" in customer.ask(HOURS)
    assert "Zapatilla" in customer.ask("¿Tienen zapatillas talla 42?")
    assert shop.status() == "open"


def test_a_persons_message_silences_the_bot_until_the_conversation_is_resolved(open_inbox: Installation) -> None:
    customer, shop = conversation_in(open_inbox)
    customer.ask(HOURS)
    shop.reply("Hola, soy Marta, te ayudo yo")
    assert ask_in_silence(open_inbox, customer)["outcome"] == "muted"

    before = delivered(open_inbox, "conversation_status_changed")
    shop.set_status("resolved")
    until(lambda: delivered(open_inbox, "conversation_status_changed") > before)
    again = customer.write("¿Tienen zapatillas talla 42?")
    assert "Zapatilla" in customer.reply_to(again)
    assert shop.status() == "open"


def test_an_assignment_silences_the_bot_until_it_is_removed(open_inbox: Installation) -> None:
    customer, _shop = conversation_in(open_inbox)
    customer.ask(HOURS)
    agent = open_inbox.chatwoot("GET", "/agents")[0]["id"]
    assign(open_inbox, customer, agent)
    ignored = customer.write(HOURS)
    open_inbox.world.until_received(SHOES, ignored)
    assert customer.replies(after=ignored) == []

    assign(open_inbox, customer, None)
    assert "Zapatilla" in customer.ask("¿Tienen zapatillas talla 42?")


def test_a_hand_over_leaves_a_note_and_silence(open_inbox: Installation) -> None:
    customer, shop = conversation_in(open_inbox)
    sent = customer.write(A_PERSON)
    customer.reply_to(sent)
    assert customer.turn_of(sent)["outcome"] == "escalated"
    assert any("Resumen" in note for note in shop.notes())
    assert shop.status() == "open"

    turn = ask_in_silence(open_inbox, customer)
    assert (turn["outcome"], turn["reason"]) == ("muted", "handed_over")


def test_an_inbox_with_a_bot_beside_it_works_as_before(open_inbox: Installation) -> None:
    customer = open_inbox.world.customer(SHOES, "webwidget")

    assert "Lunes a Viernes" in customer.ask(HOURS)
    assert len(customer.replies()) == 1
    assert Shop(open_inbox.world, customer).status() == "pending"


def test_a_second_agent_decides_along_and_only_the_operator_hears_of_it(installation: Installation) -> None:
    world = installation.world

    def counted(outcome: str) -> bool:
        line = f'smos_shadow_decisions_total{{outcome="{outcome}",tenant="{CLOTHES}"}}'
        return line in world.http.get(f"{world.url}/metrics").text

    customer = world.customer(CLOTHES)
    sent = customer.write(RIDDLE)
    customer.reply_to(sent)
    assert until(lambda: counted("different"))
    assert customer.turn_of(sent)["decision"]["intent"] != "faq_hours"

    customer.ask(HOURS)
    assert until(lambda: counted("same"))


def test_how_late_an_answer_may_come_is_the_operators_to_say(installation: Installation) -> None:
    world = installation.world
    account = world.shop(CLOTHES)["account_id"]
    fault = {"service": "chatwoot", "kind": "drop", "scope": str(account), "times": 1}
    hold = {"account_id": account, "now": (datetime.now(UTC) - timedelta(minutes=10)).isoformat()}
    customer = world.customer(CLOTHES)
    world.http.post(f"{world.url}/sandbox/faults", json=fault).raise_for_status()
    world.http.post(f"{world.url}/sandbox/clock", json=hold).raise_for_status()
    written = customer.write(HOURS)
    world.http.post(f"{world.url}/sandbox/clock", json=hold | {"now": None}).raise_for_status()
    reconcile(world, CLOTHES)
    installation.forget_looks(minutes=20)
    reconcile(world, CLOTHES)

    assert until(lambda: customer.replies(after=written)) == [APOLOGY["es"]]


def test_the_operator_is_told_of_the_backlog(installation: Installation) -> None:
    world = installation.world
    token = {"Authorization": f"Bearer {world.info['smarteros']['operator_token']}"}

    assert set(world.http.get(f"{world.url}/health", headers=token).json()["backlog"]) == {"waiting", "oldest_s"}
    assert "backlog" not in world.http.get(f"{world.url}/health").json()
