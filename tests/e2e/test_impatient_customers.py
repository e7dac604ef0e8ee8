"""A customer loses his patience: from the signed webhook through the flow to those who are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import RunningStack
from tests.e2e.test_humans_first import SHOES, Shop
from tests.e2e.world import Customer, World
from tests.paging import Told, receivers
from tests.support import postgres_below, until

from smarteros.alerts.courier import Courier
from smarteros.alerts.rounds import AlertRounds
from smarteros.alerts.sinks import open_sinks
from smarteros.contracts.loader import load_contracts
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.settings import default_contracts_dir
from smarteros.store.database import Database, owner_engine
from smarteros.store.locks import OneProcess
from smarteros.tenants.directory import TenantDirectory

ANGRY = "Llevo tres semanas esperando y nadie me responde, son unos estafadores"


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with receivers() as everybody:
        yield everybody


@pytest.fixture(scope="module")
def look(stack: RunningStack, told: Told, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], None]]:
    """One more process of the installation, which tells the receivers; while it lives the demo's own loop rests."""
    owner_url = postgres_below(stack.data_dir)
    database = Database(owner_url, owner_url.replace("postgres@", "smos_app@"))
    watching, http = OneProcess(owner_engine(owner_url), "alerts"), HttpClient()
    sinks = open_sinks(told.settings(), http, Path(tmp_path_factory.mktemp("mails")), SystemClock())
    shops = TenantDirectory(database)
    rounds = AlertRounds(
        database,
        lambda: (shops.get(SHOES),),
        load_contracts(default_contracts_dir()),
        Courier(sinks, told.settings()),
        SystemClock(),
        lambda: None,
        watches=False,  # what other tests do to the shop is none of ours
    )
    until(watching.is_this)
    rounds.run_once()
    told.clear()
    yield rounds.run_once
    watching.close()
    http.close()
    database.dispose()


def angry(world: World, customer: Customer) -> None:
    """The customer writes; Chatwoot signs its webhook, and the turn ends with a person."""
    turn = customer.turn_of(customer.write(ANGRY))
    assert (turn["outcome"], turn["rule"]) == ("escalated", "frustration")


def test_an_angry_customer_is_told_of_in_slack_and_by_mail_once_a_conversation(
    world: World, look: Callable[[], None], told: Told
) -> None:
    first, second = world.customer(SHOES, name="Camila Soto Vergara"), world.customer(SHOES)
    shop = Shop(world, first)
    angry(world, first)
    look()

    (message,), (mail,) = told.http.slack, told.mail.mails
    assert f"conversación {first.conversation_id}" in message["text"]
    assert f"conversación {first.conversation_id}" in mail["subject"]
    assert not [word for word in ("Camila", "estafadores") if word in str(message) + mail.as_string()]
    assert (told.http.pagerduty, told.http.whatsapp) == ([], [])

    shop.reply("Hola, soy Marta, te ayudo yo")
    shop.set_status("resolved")
    angry(world, first)  # the bot's again, and no better
    look()
    assert (len(told.http.slack), len(told.mail.mails)) == (1, 1)

    angry(world, second)
    look()
    assert (len(told.http.slack), len(told.mail.mails)) == (2, 2)
    assert f"conversación {second.conversation_id}" in told.http.slack[1]["text"]
