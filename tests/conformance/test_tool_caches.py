"""What every ToolCache must do: remember by tenant, and forget in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.tools.cache import MemoryToolCache, Seen, ToolCache
from smarteros.tools.stored_cache import PostgresToolCache

NOON = datetime(2025, 11, 17, 12, tzinfo=UTC)
CACHES: dict[str, Callable[[pytest.FixtureRequest], ToolCache]] = {
    "memory": lambda _request: MemoryToolCache(),
    "postgres": lambda request: PostgresToolCache(_database(request)),
}


def _database(request: pytest.FixtureRequest) -> Database:
    database: Database = request.getfixturevalue("database")
    return database


@pytest.fixture(params=sorted(CACHES))
def cache(request: pytest.FixtureRequest) -> ToolCache:
    return CACHES[request.param](request)


@pytest.fixture
def scope(request: pytest.FixtureRequest) -> TenantScope:
    return TenantScope(tenant_id=f"TENANT_CACHE_{abs(hash(request.node.nodeid)) % 10**12}")


def test_a_cache_gives_back_what_was_seen_last(cache: ToolCache, scope: TenantScope) -> None:
    cache.put(scope, "products:a", {"n": 1}, NOON)
    cache.put(scope, "products:a", {"n": 2, "name": "Ñuñoa"}, NOON + timedelta(hours=1))
    assert cache.latest(scope, "products:a", NOON) == Seen({"n": 2, "name": "Ñuñoa"}, NOON + timedelta(hours=1))


def test_a_cache_does_not_give_what_is_too_old_or_was_never_seen(cache: ToolCache, scope: TenantScope) -> None:
    cache.put(scope, "products:a", {"n": 1}, NOON)
    assert cache.latest(scope, "products:a", NOON + timedelta(seconds=1)) is None
    assert cache.latest(scope, "products:b", NOON) is None
    assert cache.recent(scope, "products:", NOON + timedelta(seconds=1)) == ()


def test_a_cache_gives_the_newest_of_a_kind_first(cache: ToolCache, scope: TenantScope) -> None:
    for hour in (2, 1, 3):
        cache.put(scope, f"products:{hour}", {"n": hour}, NOON + timedelta(hours=hour))
    cache.put(scope, "other:x", {"n": 9}, NOON + timedelta(hours=9))
    assert [seen.data["n"] for seen in cache.recent(scope, "products:", NOON)] == [3, 2, 1]
    assert [seen.data["n"] for seen in cache.recent(scope, "products:", NOON, limit=1)] == [3]
    assert cache.recent(scope, "product%", NOON) == ()


def test_a_cache_of_another_tenant_is_empty(cache: ToolCache, scope: TenantScope) -> None:
    cache.put(scope, "products:a", {"n": 1}, NOON)
    other = TenantScope(tenant_id="TENANT_CACHE_OTHER")
    assert cache.latest(other, "products:a", NOON) is None
    assert cache.recent(other, "products:", NOON) == ()


def test_the_cache_of_a_process_forgets_what_was_written_longest_ago(scope: TenantScope) -> None:
    cache = MemoryToolCache(entries_per_tenant=2)
    for name in "abc":
        cache.put(scope, name, {}, NOON)
    assert cache.latest(scope, "a", NOON) is None
    assert cache.latest(scope, "c", NOON) is not None
