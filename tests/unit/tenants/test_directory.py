"""The directory of tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
import sqlalchemy as sa

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant
from smarteros.store.database import Database
from smarteros.tenants.directory import FRESH_FOR_S, TenantDirectory


def tenant(tenant_id: str, account_id: int, chatwoot_url: str = "https://crm.uno.cl") -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name="Tienda",
        rut="76192083-9",
        tenant_key=f"key-of-{tenant_id.lower()}-0123456789",
        chatwoot_url=chatwoot_url,
        chatwoot_account_ids=(account_id,),
    )


def test_a_tenant_is_found_by_id_key_and_account(database: Database) -> None:
    directory = TenantDirectory(database)
    shop = tenant("DIR_ONE", 9001)
    directory.save(shop)

    assert directory.get("DIR_ONE") == shop
    assert directory.by_key(shop.tenant_key) == shop
    assert directory.by_account(9001) == (shop,)


def test_an_unknown_tenant_is_a_config_error(database: Database) -> None:
    with pytest.raises(ConfigError) as unknown:
        TenantDirectory(database).get("DIR_NOBODY")
    assert unknown.value.code == "tenant_unknown"


def test_one_account_belongs_to_one_tenant_of_the_same_chatwoot(database: Database) -> None:
    directory = TenantDirectory(database)
    directory.save(tenant("DIR_TWO", 9002))

    with pytest.raises(ConfigError) as taken:
        directory.save(tenant("DIR_THREE", 9002))
    assert taken.value.code == "account_taken"

    elsewhere = tenant("DIR_FOUR", 9002, "https://crm.dos.cl")
    directory.save(elsewhere)
    assert {t.tenant_id for t in directory.by_account(9002)} == {"DIR_TWO", "DIR_FOUR"}


def test_a_change_by_another_process_is_seen_after_two_seconds(database: Database) -> None:
    now = 0.0
    ours = TenantDirectory(database, monotonic=lambda: now)
    ours.save(tenant("DIR_FIVE", 9005))
    assert ours.get("DIR_FIVE").active
    changed = tenant("DIR_FIVE", 9005).model_copy(update={"active": False})
    TenantDirectory(database).save(changed)

    assert ours.get("DIR_FIVE").active
    now += FRESH_FOR_S + 0.1
    assert not ours.get("DIR_FIVE").active


def test_todays_signature_once_seen_is_remembered_for_good(database: Database) -> None:
    directory = TenantDirectory(database)
    directory.save(tenant("DIR_SIX", 9006))
    assert not directory.v1_signature_seen("DIR_SIX")
    directory.mark_v1_signature_seen("DIR_SIX")

    assert TenantDirectory(database).v1_signature_seen("DIR_SIX")


class DatabaseWithNews:
    """Something happens between the reading of tenants and their way to the reader."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.news: list[Callable[[], None]] = []

    @contextmanager
    def installation(self) -> Iterator[sa.Connection]:
        with self._database.installation() as connection:
            yield connection
        if self.news:
            self.news.pop()()


def test_what_was_read_while_a_tenant_changed_is_not_remembered(database: Database) -> None:
    slow = DatabaseWithNews(database)
    directory = TenantDirectory(cast("Any", slow))
    directory.save(tenant("DIR_SIX", 9006, "https://old.cl"))
    slow.news.append(lambda: directory.save(tenant("DIR_SIX", 9006, "https://new.cl")))

    assert directory.get("DIR_SIX").chatwoot_url == "https://old.cl"
    assert directory.get("DIR_SIX").chatwoot_url == "https://new.cl"
