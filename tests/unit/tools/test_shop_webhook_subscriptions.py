"""The shop's webhooks are subscribed to by ourselves, once, at the address this installation has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from tests.unit.tools.shop_world import SHOES, World, open_world

from smarteros.domain.errors import ConfigError
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.tools.shopify.subscriptions import TOPICS, WebhookSubscriber
from smarteros_sandbox.shops.loader import load_shops

HERE, MOVED = "https://bot.tienda.cl", "https://otro.tienda.cl/"


@pytest.fixture
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    with open_world(postgres, load_shops(date(2026, 11, 1))[:1]) as opened:
        scope, spec = opened.tenants[SHOES].scope, opened.shops[SHOES].spec
        opened.secrets.write(scope, "shopify/client_secret", spec.client_secret)
        yield opened


def subscriber(world: World, public_url: str | None = HERE) -> WebhookSubscriber:
    return WebhookSubscriber(world.keeper.client, public_url)


def test_every_topic_is_subscribed_to_once(world: World) -> None:
    tenant = world.tenants[SHOES]
    before = subscriber(world).look(tenant)
    assert before.missing == TOPICS
    assert "products/create" in before.told
    made = subscriber(world).ensure(tenant)
    assert (made.made, made.missing, made.problem) == (TOPICS, (), None)
    assert f"{HERE}/webhooks/shopify/{tenant.tenant_key}" in made.told
    again = subscriber(world).ensure(tenant)
    assert (again.made, again.missing) == ((), ())


def test_subscriptions_move_with_our_address_and_are_not_doubled(world: World) -> None:
    tenant = world.tenants[SHOES]
    subscriber(world).ensure(tenant)
    assert subscriber(world, MOVED).ensure(tenant).made == TOPICS
    assert subscriber(world, MOVED).look(tenant).missing == ()
    assert subscriber(world).look(tenant).missing == TOPICS


@pytest.mark.parametrize(
    ("public_url", "said"), [(None, "SMOS_PUBLIC_URL is not set"), ("http://bot.tienda.cl", "not an https address")]
)
def test_an_installation_shopify_cannot_reach_says_so(world: World, public_url: str | None, said: str) -> None:
    found = subscriber(world, public_url).ensure(world.tenants[SHOES])
    assert said in (found.problem or "")
    assert "within ten minutes" in found.told


def test_what_shopify_has_against_an_address_is_told(world: World) -> None:
    found = subscriber(world, "https://127.0.0.1").ensure(world.tenants[SHOES])
    assert found.missing == TOPICS
    assert "internal domain" in (found.problem or "")


def test_a_shop_whose_webhooks_could_not_be_believed_is_not_subscribed_to(world: World) -> None:
    world.secrets.values.pop((SHOES, "shopify/client_secret"))
    assert "shopify/client_secret" in (subscriber(world).ensure(world.tenants[SHOES]).problem or "")


def test_a_refused_token_is_an_error_for_whoever_asked(world: World) -> None:
    world.faults.set("shopify", "revoked_token")
    with pytest.raises(ConfigError):
        subscriber(world).ensure(world.tenants[SHOES])
