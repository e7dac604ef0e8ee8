"""A shop moves to an installation of its own while its customers write, and the command that moves it keeps dying."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from tests.conftest import RunningStack
from tests.e2e.test_backup import be_slow, smos
from tests.e2e.world import Customer, World, as_bytes
from tests.support import free_port, postgres_below, serving, until
from typer.testing import CliRunner

from smarteros.bootstrap import open_runtime, open_services
from smarteros.bootstrap.dedicated import opened_side
from smarteros.cli.main import app
from smarteros.dedicated.installing import own_settings
from smarteros.dedicated.moving import Mover, Step
from smarteros.dedicated.passing_on import PassingOn
from smarteros.dedicated.sides import Side
from smarteros.domain.audit_chain import ChainReport
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.settings import Settings
from smarteros.store.audit_chain import verify_chain
from smarteros.store.database import NO_TENANT

pytestmark = pytest.mark.skipif(
    not os.environ.get("SMOS_PROVE_DEDICATED"), reason="takes a minute: `just prove-dedicated`"
)
SHOP = "TENANT_RUT_78987654"
QUESTION = "¿Cuál es el horario de atención?"
AT_ONCE = 12
CARD = "mi tarjeta es 4111 1111 1111 1111"


class Killed(BaseException):
    """The command ends here, without a word."""


@dataclass
class Writer:
    """New customers of a shop, one after the other, until the block ends."""

    world: World
    sent: dict[Customer, int] = field(default_factory=dict[Customer, int])
    _ending: threading.Event = field(default_factory=threading.Event)

    def one(self) -> None:
        customer = self.world.customer(SHOP)
        self.sent[customer] = customer.write(QUESTION)

    @contextmanager
    def writing(self) -> Iterator[None]:
        def write() -> None:
            while not self._ending.wait(0.5):
                self.one()

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join()


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The shop's own installation at work, by the settings that were made for it."""
    quick = settings.model_copy(update={"brain": "words", "warm_documents": False})
    with (
        open_services(quick) as services,
        open_runtime(services) as runtime,
        serving(runtime.app, port=settings.port) as url,
    ):
        services.agent.wait_until_ready()
        yield url


def tenants_in(url: str) -> set[str]:
    """Whose rows are in any table of a database that has rows of tenants."""
    having = (
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'smos' AND column_name = 'tenant_id'"
    )
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        tables = connection.scalars(sa.text(having)).all()
        union = " UNION ".join(f'SELECT tenant_id FROM smos."{table}"' for table in tables)
        found = set(connection.scalars(sa.text(union)))
    engine.dispose()
    return found - {NO_TENANT}


def contents(url: str) -> dict[str, str]:
    """A fingerprint of the other shops' rows, by table; of what nobody touches while nobody writes to them."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = {
            table: connection.execute(
                sa.text(
                    f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM smos.{table} t"
                    " WHERE tenant_id <> :id"
                ),
                {"id": SHOP},
            ).scalar_one()
            for table in ("tenants", "received_events", "turns", "replies", "conversations", "kb_documents", "contacts")
        }
    engine.dispose()
    return found


@dataclass(frozen=True)
class Story:
    """What was seen of a move, whose command died before every step but the first, and of the way back."""

    prepared: dict[str, Any]
    deaths: list[str]
    moved: dict[str, Any]
    replies: list[int]
    known: list[int]
    audit: tuple[ChainReport, ChainReport]
    secrets: tuple[dict[str, Any], dict[str, Any]]
    tenants_there: set[str]
    others: tuple[dict[str, str], dict[str, str]]
    refused_here: str
    resumed: str
    late: dict[str, Any]
    bots_there: set[str]
    back: dict[str, Any]
    bots_here: set[str]


@pytest.fixture(scope="module")
def story(stack: RunningStack, world: World, tmp_path_factory: pytest.TempPathFactory) -> Story:
    new, own_url = tmp_path_factory.mktemp("dedicated") / "new", f"http://127.0.0.1:{free_port()}"
    here_settings = Settings(data_dir=stack.data_dir, public_url=stack.url)
    old_database = postgres_below(stack.data_dir)
    new_database = another_database(old_database)
    known, scope = world.customer(SHOP), TenantScope(tenant_id=SHOP)
    known.ask(QUESTION)
    command = ("tenant", "dedicate", SHOP, "--to", str(new), "--data-dir", str(stack.data_dir), "--json")

    def asked(*options: str, stdin: str | None = None) -> dict[str, Any]:
        done = CliRunner(env={"SMOS_PUBLIC_URL": stack.url}).invoke(app, (*command, *options), input=stdin)
        assert done.exit_code == 0, done.output or done.exception
        return json.loads(done.stdout)

    further = f"SMOS_DATABASE_URL='{new_database}'\nSMOS_APP_DATABASE_URL='{as_app(new_database)}'\n"
    port = own_url.rpartition(":")[2]
    prepared = asked("--public-url", own_url, "--port", port, "--settings", "-", stdin=further)
    others = contents(old_database)
    own = own_settings(here_settings, new, SHOP, None, None, None)
    with served(own), opened_side(here_settings) as here, opened_side(own) as there:
        writer = Writer(world)
        be_slow(world, SHOP, 0.4)
        for _ in range(AT_ONCE):
            writer.one()
        with writer.writing():
            deaths = [die_before(step, here, there) for step in get_args(Step)[1:]]
            world.http.delete(f"{world.url}/sandbox/faults").raise_for_status()
            moved = asked()
        known.reply_to(known.write(QUESTION))
        until(lambda: all(customer.replies() for customer in writer.sent))
        audit_there = audit_of(there)
        late = late_webhook(world, here, scope) | {"came": came(new_database)}
        seen: dict[str, Any] = {
            "secrets": (values(here, scope), values(there, scope)),
            "tenants_there": tenants_in(new_database),
            "others": (others, contents(old_database)),
            "refused_here": refusal(old_database),
            "resumed": str(smos("tenant", "resume", SHOP, "--data-dir", str(stack.data_dir)).exception),
            "bots_there": bots(world),
        }
        back = asked("--back")
        known.reply_to(known.write(QUESTION))
        return Story(
            prepared=prepared,
            deaths=deaths,
            moved=moved,
            replies=[len(customer.replies()) for customer in writer.sent],
            known=[len(known.replies())],
            audit=(audit_there, audit_of(here)),
            late=late,
            back=back,
            bots_here=bots(world),
            **seen,
        )


def another_database(url: str) -> str:
    """Make a second database beside the first one's server; returns its owner's address."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE dedicated")
    engine.dispose()
    return sa.make_url(url).set(database="dedicated").render_as_string(hide_password=False)


def die_before(step: Step, here: Side, there: Side) -> str:
    """Run the command until it is killed; returns before which step that was."""
    http, clock = HttpClient(), SystemClock()

    def tell(begun: Step) -> None:
        if begun == step:
            raise Killed(begun)

    def nobody(*_: object) -> None:
        raise AssertionError("a command takes no webhooks")

    passing = PassingOn(here.database, here.tenants, here.secrets, http, clock, nobody)
    try:
        Mover(here, there, http, clock, passing, tell).move(SHOP)
    except Killed as killed:
        return str(killed)
    finally:
        http.close()
    return "never"


def as_app(url: str) -> str:
    return sa.make_url(url).set(username="smos_app").render_as_string(hide_password=False)


def audit_of(side: Side) -> ChainReport:
    with side.database.tenant(TenantScope(tenant_id=SHOP)) as connection:
        return verify_chain(connection, SHOP, side.seal, SystemClock().now())


def bots(world: World) -> set[str]:
    """To which installations the shop's Chatwoot posts."""
    with World(world.url) as now:
        return {hook["url"].partition("/webhooks")[0] for hook in now.shop(SHOP)["webhooks"]}


def values(side: Side, scope: TenantScope) -> dict[str, Any]:
    return {entry.path: side.secrets.accepted(scope, entry.path) for entry in side.secrets.entries(scope)}


def refusal(url: str) -> str:
    """What the database says to whoever changes the shop's rows, even to its owner."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(sa.text("UPDATE smos.received_events SET event = event WHERE tenant_id = :id"), {"id": SHOP})
    engine.dispose()
    return str(refused.value)


def late_webhook(world: World, here: Side, scope: TenantScope) -> dict[str, Any]:
    """Let Chatwoot send one more to the old address; returns the answer and the event's key."""
    tenant = here.tenant(SHOP)
    assert tenant is not None
    account = world.shop(SHOP)["account_id"]
    body = as_bytes({"event": "conversation_updated", "account": {"id": account}, "id": 987654, "note": CARD})
    url = f"{world.url}/webhooks/chatwoot/{tenant.tenant_key}"
    answer = world.post_webhook(url, body, here.secrets.read(scope, "chatwoot/hmac_secret"))
    return answer.json() | {"http": answer.status_code}


def came(url: str) -> bool:
    """Whether that webhook arrives in the other installation's database."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)

    def there() -> bool:
        found = "SELECT count(*) FROM smos.received_events WHERE event = 'conversation_updated'"
        found += " AND conversation_id = 987654"
        with engine.connect() as connection:
            return connection.execute(sa.text(found)).scalar_one() == 1

    until(there)
    engine.dispose()
    return True


def test_the_first_command_prepares_an_installation_and_the_shop_goes_on_working(story: Story) -> None:
    assert (story.prepared["state"], story.moved["state"]) == ("prepared", "moved")
    assert story.prepared["rows"] > 0


def test_every_message_has_exactly_one_reply_wherever_the_command_was_killed(story: Story) -> None:
    assert story.deaths == list(get_args(Step)[1:])
    assert len(story.replies) > AT_ONCE
    assert set(story.replies) == {1}


def test_a_conversation_goes_on_in_the_new_place_and_again_in_the_old_one(story: Story) -> None:
    assert story.known == [3]


def test_the_audit_is_whole_in_either_place_and_goes_on_where_it_was(story: Story) -> None:
    there, back_here = story.audit
    assert (there.findings, back_here.findings) == ((), ())
    assert back_here.position > there.position > len(story.replies)


def test_the_secrets_are_opened_in_the_new_place(story: Story) -> None:
    here, there = story.secrets
    assert len(here) > 5
    assert there == here


def test_no_row_of_another_shop_is_in_the_new_database(story: Story) -> None:
    assert story.tenants_there == {SHOP}


def test_the_other_shops_stay_untouched(story: Story) -> None:
    before, after = story.others
    assert after == before


def test_the_rows_that_were_left_stand_still(story: Story) -> None:
    assert "has moved to another installation" in story.refused_here
    assert "lives in" in story.resumed


def test_chatwoot_sends_to_the_new_place_and_what_comes_to_the_old_one_is_passed_on(story: Story) -> None:
    assert story.bots_there == {story.moved["url"]}
    assert (story.late["http"], story.late["reason"], story.late["came"]) == (200, "kept", True)


def test_the_shop_comes_back_with_what_has_happened_since(story: Story) -> None:
    assert story.back["state"] == "moved"
    assert story.bots_here == {story.back["url"]}
    assert story.back["rows"] > story.prepared["rows"]
