"""One limit over everything a shop pays by use, whichever of it comes first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from smarteros.agents.llm.protocol import Reservation
from smarteros.agents.llm.stored_ledger import PostgresLlmLedger
from smarteros.documents.vision_books import PostgresVisionBooks
from smarteros.domain.llm import MICRO_USD_PER_CENT, SpendLimit
from smarteros.domain.tenants import TenantScope
from smarteros.domain.vision import FREE_IMAGES, MICRO_USD_PER_IMAGE
from smarteros.store.database import Database
from smarteros.store.spend import SpendCap

MONTH = "2026-11"
ONE_CENT = MICRO_USD_PER_CENT
NO_LIMIT_OF_ITS_OWN = SpendLimit()


class Books:
    """A shop's two books under one limit of so many cents."""

    def __init__(self, database: Database, cents: int) -> None:
        self.scope = TenantScope(tenant_id=f"TENANT_SPEND_{uuid4().hex[:10].upper()}")
        self.told: list[TenantScope] = []
        cap = SpendCap(lambda scope: cents if scope == self.scope else None, self.told.append)
        self.llm = PostgresLlmLedger(database, cap)
        self.vision = PostgresVisionBooks(database, cap)

    def ask_model(self, micro_usd: int = ONE_CENT) -> bool:
        return self.llm.reserve(self.scope, Reservation(MONTH, micro_usd, 10), NO_LIMIT_OF_ITS_OWN)

    def read_image(self) -> bool:
        return self.vision.take(self.scope, MONTH, None)

    def use_up_the_free_images(self, database: Database) -> None:
        with database.tenant(self.scope) as connection:
            connection.exec_driver_sql(
                "INSERT INTO smos.vision_months (tenant_id, month, images) VALUES (%s, %s, %s)",
                (self.scope.tenant_id, MONTH, FREE_IMAGES),
            )


def test_what_the_model_has_cost_is_not_left_for_images(database: Database) -> None:
    books = Books(database, cents=1)
    books.use_up_the_free_images(database)

    assert books.read_image()
    assert books.ask_model(ONE_CENT - MICRO_USD_PER_IMAGE)
    assert not books.read_image()


def test_what_images_have_cost_is_not_left_for_the_model(database: Database) -> None:
    books = Books(database, cents=1)
    books.use_up_the_free_images(database)
    assert books.read_image()

    assert not books.ask_model(ONE_CENT)
    assert books.ask_model(ONE_CENT - MICRO_USD_PER_IMAGE)


def test_free_images_are_read_also_when_all_is_spent(database: Database) -> None:
    books = Books(database, cents=1)
    assert books.ask_model(ONE_CENT)

    assert books.read_image()
    assert books.told == []


def test_the_operator_is_told_when_something_was_not_bought(database: Database) -> None:
    books = Books(database, cents=0)

    assert not books.ask_model(1)
    assert books.told == [books.scope]


def test_another_shop_spends_on(database: Database) -> None:
    books = Books(database, cents=0)
    other = TenantScope(tenant_id=f"{books.scope.tenant_id}_B")

    assert books.llm.reserve(other, Reservation(MONTH, 10**9, 10), NO_LIMIT_OF_ITS_OWN)


@pytest.mark.parametrize("cents", [1, 3])
def test_of_purchases_at_once_no_more_are_made_than_fit(database: Database, cents: int) -> None:
    books = Books(database, cents=cents)
    books.use_up_the_free_images(database)
    start = threading.Barrier(6)

    def buy(number: int) -> int:
        start.wait(timeout=20)
        if number % 2:
            return MICRO_USD_PER_IMAGE if books.read_image() else 0
        return ONE_CENT if books.ask_model() else 0

    with ThreadPoolExecutor(6) as pool:
        spent = sum(pool.map(buy, range(6)))
    assert 0 < spent <= cents * ONE_CENT
