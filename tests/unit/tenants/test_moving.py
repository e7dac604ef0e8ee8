"""A tenant moves between two installations, two real databases with a worker each; only the turns are short."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from tests.unit.tenants.moving_world import PATIENCE_S, STEPS, Killed, World, changes, rows_of, world
from tests.unit.tenants.test_tenant_data import fill, mentions

from smarteros.dedicated.moving import Mover, Step
from smarteros.domain.errors import ConfigError
from smarteros.edge.receive import Receiver
from smarteros.kit.clock import SystemClock
from smarteros.tenants import life
from smarteros.tenants.directory import TenantDirectory

__all__ = ["world"]


def test_a_move_that_is_killed_before_each_of_its_steps_answers_every_message_once(world: World) -> None:
    tenant, neighbour = world.tenant("MOVING_STEPS"), world.tenant("MOVING_NEIGHBOUR")
    world.write(tenant)
    world.write(neighbour)
    world.until_answered(neighbour)
    before = rows_of(world.installation.database.owner_url, neighbour.tenant_id)
    world.customers.begun.clear()
    world.customers.may_end.clear()
    running = world.write(tenant)
    assert world.customers.begun.wait(PATIENCE_S)
    waiting = world.write(tenant, conversation_id=running)  # behind it in its conversation
    for fatal in STEPS:

        def tell(step: Step, fatal: Step = fatal) -> None:
            world.write(tenant)
            if step == fatal:
                raise Killed

        with pytest.raises(Killed):
            world.mover(tell).move(tenant.tenant_id)
    moved = world.move(tenant)
    world.write(tenant)
    answers = world.until_answered(tenant)

    assert set(answers.values()) == {1}
    assert len(answers) > 2 * len(STEPS)
    assert ("here", running) in world.customers.answered
    assert ("there", waiting) in world.customers.answered
    assert (moved.state, moved.kept, moved.by_hand) == ("moved", 0, ())
    assert rows_of(world.installation.database.owner_url, neighbour.tenant_id) == before
    assert mentions(world.new_url, neighbour.tenant_id) == {}


def test_a_tenant_comes_back_with_what_has_happened_and_can_go_again(world: World) -> None:
    tenant = world.tenant("MOVING_BACK")
    world.write(tenant)
    world.move(tenant)
    for _ in range(3):
        world.write(tenant)
    world.until_answered(tenant)
    away = world.audit(tenant, world.there)

    def writes(_: Step) -> None:
        world.write(tenant)

    back = world.mover(writes, comes_back=True).move(tenant.tenant_id)
    answers = world.until_answered(tenant)
    home = world.audit(tenant, world.here)

    assert set(answers.values()) == {1}
    assert (back.state, back.url) == ("moved", world.here.side.url)
    assert {bot.outgoing_url.startswith(world.here.side.url) for bot in world.bots(tenant)} == {True}
    assert (away.findings, home.findings) == ((), ())
    assert home.position > away.position
    assert (world.move(tenant).state, world.audit(tenant, world.there).findings) == ("moved", ())


def test_a_move_that_is_given_up_loses_nothing(world: World) -> None:
    tenant = world.tenant("MOVING_STAYS")

    def tell(step: Step) -> None:
        world.write(tenant)
        if step == "switch":
            raise Killed

    with pytest.raises(Killed):
        world.mover(tell).move(tenant.tenant_id)
    with (
        pytest.raises(DBAPIError, match="has moved to another installation"),
        world.here.engine_connection() as c,
    ):
        c.execute(sa.text("DELETE FROM smos.received_events WHERE tenant_id = :id"), {"id": tenant.tenant_id})
    stayed = world.mover().stay(tenant.tenant_id)
    answers = world.until_answered(tenant)

    assert stayed
    assert set(answers.values()) == {1}
    assert {place for place, message in world.customers.answered if message in answers} == {"here"}


def test_an_edge_that_has_not_heard_of_the_move_keeps_what_comes_and_it_is_passed_on(world: World) -> None:
    tenant, side = world.tenant("MOVING_UNHEARD"), world.here.side
    remembering = TenantDirectory(side.database, monotonic=lambda: 0.0)
    assert remembering.by_key(tenant.tenant_key) is not None
    world.move(tenant)
    late = Receiver(side.database, remembering, side.secrets, world.here.engine, SystemClock())
    number, raw, headers = world.webhook(tenant)

    receipt = late.receive(raw, headers, tenant.tenant_key)
    world.customers.written[tenant.tenant_id] = [number]

    assert (receipt.status, receipt.reason) == ("accepted", "kept")
    assert world.until_answered(tenant) == {number: 1}
    assert ("there", number) in world.customers.answered


def test_every_kind_of_row_moves_and_finished_none_is_left(world: World) -> None:
    tenant, other = world.tenant("DATA_MOVING"), world.tenant("DATA_STAYING")
    old_url = world.installation.database.owner_url
    tables = fill(old_url, tenant.tenant_id)
    fill(old_url, other.tenant_id)
    with world.here.engine_connection() as connection:  # nobody's turns, and webhooks nobody signed
        connection.exec_driver_sql("DELETE FROM smos.waiting_turns WHERE starts_with(tenant_id, 'DATA_')")
        connection.exec_driver_sql("DELETE FROM smos.kept_webhooks WHERE starts_with(tenant_id, 'DATA_')")
    before = rows_of(old_url, other.tenant_id)
    held = {entry.path: world.here.side.secrets.accepted(tenant.scope, entry.path) for entry in world.secrets(tenant)}
    world.move(tenant)
    there = mentions(world.new_url, tenant.tenant_id)
    changeable = {name for name in there if changes(old_url, name, tenant.tenant_id)}
    erased = world.mover().finish(tenant.tenant_id)

    assert set(there) >= tables - {"waiting_turns", "kept_webhooks"}
    assert mentions(world.new_url, other.tenant_id) == {}
    assert {path: world.there.side.secrets.accepted(tenant.scope, path) for path in held} == held
    assert changeable == {"tenants", "outbox", "audit_chains"}
    assert mentions(old_url, tenant.tenant_id) == {"audit_events": 1, "outbox": 1}
    assert erased.secrets == len(held) > 5
    assert rows_of(old_url, other.tenant_id) == before
    assert len(world.bots(tenant)) == 1


def test_a_move_is_refused_where_it_would_mix_two_installations(world: World) -> None:
    tenant, neighbour = world.tenant("MOVING_REFUSED"), world.tenant("MOVING_RIVAL")
    own = world.mover()
    life.suspend(world.here.side.tenants, world.here.side.database, neighbour, "")

    def refused(mover: Mover, name: str = tenant.tenant_id) -> str:
        with pytest.raises(ConfigError) as error:
            mover.move(name)
        return error.value.code

    assert refused(own, neighbour.tenant_id) == "tenant_suspended"
    assert refused(replace(own, target=replace(own.target, store="here"))) == "same_secrets"
    same = replace(own.target, database=own.source.database, tenants=TenantDirectory(own.source.database))
    assert refused(replace(own, target=same)) == "same_database"
    own.target.tenants.save(neighbour)
    assert refused(own) == "not_dedicated"
    own.target.tenants.save(tenant.model_copy(update={"chatwoot_url": "https://another.example.cl"}))
    assert refused(own) == "tenant_id_taken"
