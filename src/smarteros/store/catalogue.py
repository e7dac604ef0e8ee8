"""Our copies of the shops' catalogues in PostgreSQL: written product by product, searched by word, size and colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, insert

from smarteros.store.catalogue_tables import catalogue_copies, catalogue_products, conversions, shop_webhooks

_SEEN_FOR = timedelta(days=7)
"""How long a webhook's id is kept. Shopify repeats one for four hours (facts of its webhooks)."""


@dataclass(frozen=True)
class ProductRow:
    """One product as it is kept. ``product`` is a CatalogueProduct; the rest is what searches look at."""

    product_id: str
    product: dict[str, Any]
    names: Sequence[str]
    kinds: Sequence[str]
    texts: Sequence[str]
    facets: Sequence[str]
    variant_ids: Sequence[str]
    in_stock: bool
    lowest_price: Decimal
    highest_price: Decimal


class CopyState(NamedTuple):
    """How a copy stands. ``read_at``: last full reading; ``compared_at``: last comparison of any kind (aware UTC)."""

    revision: int = 0
    reading: int = 0
    read_at: datetime | None = None
    compared_at: datetime | None = None
    problem: str | None = None


class KnownWords(NamedTuple):
    """The words of a whole catalogue."""

    names: frozenset[str]
    kinds: frozenset[str]
    all: frozenset[str]


class Search(NamedTuple):
    """What is looked for.

    Of each group of ``words`` one must be there (one that ends in ``*`` is a beginning), and one of each group of
    ``facets``. ``by_price``: 1 the cheapest first, -1 the dearest first.
    """

    words: tuple[tuple[str, ...], ...] = ()
    facets: tuple[tuple[str, ...], ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    currency: str | None = None
    by_price: int = 0


def state_of(connection: sa.Connection, tenant_id: str) -> CopyState:
    """Return how the tenant's copy stands; that of an unread shop is the empty state."""
    columns = catalogue_copies.c
    row = connection.execute(
        sa.select(columns.revision, columns.reading, columns.read_at, columns.compared_at, columns.problem).where(
            columns.tenant_id == tenant_id
        )
    ).one_or_none()
    return CopyState() if row is None else CopyState(*row)


def count_products(connection: sa.Connection, tenant_id: str) -> int:
    """Return how many products the copy holds."""
    mine = catalogue_products.c.tenant_id == tenant_id
    return connection.execute(sa.select(sa.func.count()).select_from(catalogue_products).where(mine)).scalar_one()


def currency_of(connection: sa.Connection, tenant_id: str) -> str | None:
    """Return the currency of the copied prices; None of an empty copy. A shop has one, so any product tells it."""
    columns = catalogue_products.c
    statement = sa.select(columns.product["currency"].astext).where(columns.tenant_id == tenant_id)
    return connection.execute(statement.limit(1)).scalar_one_or_none()


def begin(connection: sa.Connection, tenant_id: str, now: datetime, *, unless_within: timedelta) -> CopyState | None:
    """Take on a comparison, unless somebody began one so lately; returns how the copy stood before."""
    before = state_of(connection, tenant_id)
    statement = insert(catalogue_copies).values(tenant_id=tenant_id, begun_at=now)
    columns = catalogue_copies.c
    taken = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id"],
            set_={"begun_at": now},
            # One from the future was begun by a clock that has been set back since.
            where=sa.or_(columns.begun_at.is_(None), columns.begun_at <= now - unless_within, columns.begun_at > now),
        ).returning(columns.tenant_id)
    ).one_or_none()
    return before if taken is not None else None


def put_products(connection: sa.Connection, tenant_id: str, rows: Iterable[ProductRow], reading: int) -> None:
    """Keep products as they are now, seen in a full reading."""
    values = [_values(tenant_id, row, reading) for row in rows]
    if not values:
        return
    connection.execute(_put(), values)
    _count_change(connection, tenant_id)


def drop_products(connection: sa.Connection, tenant_id: str, product_ids: Sequence[str]) -> None:
    """Forget products that are not sold any more."""
    columns = catalogue_products.c
    gone = connection.execute(
        sa.delete(catalogue_products).where(columns.tenant_id == tenant_id, columns.product_id.in_(product_ids))
    )
    if gone.rowcount:
        _count_change(connection, tenant_id)


def end_reading(connection: sa.Connection, tenant_id: str, reading: int, now: datetime) -> int:
    """Note a full reading as done and forget what it did not see; returns how many products were forgotten."""
    columns = catalogue_products.c
    gone = connection.execute(
        sa.delete(catalogue_products).where(columns.tenant_id == tenant_id, columns.seen_in < reading)
    )
    done = {"reading": reading, "read_at": now, "compared_at": now, "problem": None}
    _update(connection, tenant_id, done)
    _count_change(connection, tenant_id)
    return gone.rowcount


def end_comparison(connection: sa.Connection, tenant_id: str, now: datetime) -> None:
    """Note that what changed in the shop has been read."""
    _update(connection, tenant_id, {"compared_at": now, "problem": None})


def note_problem(connection: sa.Connection, tenant_id: str, problem: str) -> None:
    """Keep why a comparison failed, for the operator."""
    _update(connection, tenant_id, {"problem": problem})


def find_products(connection: sa.Connection, tenant_id: str, search: Search, limit: int) -> list[dict[str, Any]]:
    """Return matching products, those in stock first."""
    columns = catalogue_products.c
    where = [columns.tenant_id == tenant_id]
    if search.words:
        where.append(columns.words.op("@@")(sa.cast(_tsquery(search.words), TSQUERY)))
    where += [columns.facets.op("&&")(sa.cast(list(group), ARRAY(sa.Text))) for group in search.facets]
    in_range = [
        *([columns.highest_price >= search.price_min] if search.price_min is not None else []),
        *([columns.lowest_price <= search.price_max] if search.price_max is not None else []),
    ]
    if in_range and search.currency is not None:
        in_range = [sa.or_(sa.and_(*in_range), columns.product["currency"].astext != search.currency)]
    where += in_range
    order: list[sa.ColumnElement[Any]] = [columns.in_stock.desc()]
    if search.by_price:
        order.append(columns.lowest_price.asc() if search.by_price > 0 else columns.highest_price.desc())
    order.append(columns.product_id)
    statement = sa.select(columns.product).where(*where).order_by(*order).limit(limit)
    return list(connection.execute(statement).scalars())


def find_product(connection: sa.Connection, tenant_id: str, any_id: str) -> dict[str, Any] | None:
    """Return a product by its id or that of one of its variants."""
    columns = catalogue_products.c
    statement = sa.select(columns.product).where(
        columns.tenant_id == tenant_id, sa.or_(columns.product_id == any_id, columns.variant_ids.contains([any_id]))
    )
    return connection.execute(statement.limit(1)).scalar_one_or_none()


def words_of_catalogue(connection: sa.Connection, tenant_id: str) -> KnownWords:
    """Return the words of the tenant's whole catalogue."""
    columns = catalogue_products.c

    def all_of(words: sa.ColumnElement[Any]) -> frozenset[str]:
        statement = sa.select(sa.func.unnest(words)).where(columns.tenant_id == tenant_id).distinct()
        return frozenset(connection.execute(statement).scalars())

    texts = sa.func.tsvector_to_array(columns.words, type_=ARRAY(sa.Text))
    return KnownWords(all_of(columns.names), all_of(columns.kinds), all_of(texts))


def is_new_webhook(connection: sa.Connection, tenant_id: str, event_id: str, topic: str, now: datetime) -> bool:
    """Remember a webhook's event; False when it came before. Old ones are forgotten on the way."""
    columns = shop_webhooks.c
    connection.execute(
        sa.delete(shop_webhooks).where(columns.tenant_id == tenant_id, columns.received_at < now - _SEEN_FOR)
    )
    seen = insert(shop_webhooks).values(tenant_id=tenant_id, event_id=event_id, topic=topic, received_at=now)
    added = connection.execute(seen.on_conflict_do_nothing().returning(columns.event_id))
    return added.one_or_none() is not None


def record_conversion(
    connection: sa.Connection,
    tenant_id: str,
    *,
    order_id: str,
    conversation_id: int,
    order_name: str,
    amount: Decimal,
    currency: str,
    ordered_at: datetime,
) -> None:
    """Keep that an order came from a conversation; told again, it stays what it was."""
    row = insert(conversions).values(
        tenant_id=tenant_id,
        order_id=order_id,
        conversation_id=conversation_id,
        order_name=order_name,
        amount=amount,
        currency=currency,
        ordered_at=ordered_at,
    )
    connection.execute(row.on_conflict_do_nothing())


@cache
def _put() -> sa.Insert:
    """Return the statement that keeps one product; its parameters are those of ``_values``."""
    lexemes = sa.bindparam("lexemes", type_=ARRAY(sa.Text))
    columns: dict[str, Any] = {
        column.name: sa.bindparam(column.name) for column in catalogue_products.c if column.name != "words"
    }
    statement = insert(catalogue_products).values(**columns, words=sa.func.array_to_tsvector(lexemes))
    kept = {name: statement.excluded[name] for name in (*columns, "words") if name not in {"tenant_id", "product_id"}}
    return statement.on_conflict_do_update(index_elements=["tenant_id", "product_id"], set_=kept)


def _values(tenant_id: str, row: ProductRow, reading: int) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "product_id": row.product_id,
        "product": row.product,
        "names": list(row.names),
        "kinds": list(row.kinds),
        "lexemes": sorted({*row.names, *row.texts}),
        "facets": list(row.facets),
        "variant_ids": list(row.variant_ids),
        "in_stock": row.in_stock,
        "lowest_price": row.lowest_price,
        "highest_price": row.highest_price,
        "seen_in": reading,
    }


def _tsquery(groups: tuple[tuple[str, ...], ...]) -> str:
    """Write groups of words as a query, quoted: whatever a word holds is part of it; ``*`` at its end: a beginning."""

    def word(text: str) -> str:
        plain = text.removesuffix("*").replace("\\", "\\\\").replace("'", "''")
        return f"'{plain}'" + (":*" if text.endswith("*") else "")

    return " & ".join("(" + " | ".join(map(word, group)) + ")" for group in groups)


def _update(connection: sa.Connection, tenant_id: str, values: dict[str, Any]) -> None:
    statement = insert(catalogue_copies).values(tenant_id=tenant_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=values))


def _count_change(connection: sa.Connection, tenant_id: str) -> None:
    statement = insert(catalogue_copies).values(tenant_id=tenant_id, revision=1)
    more = {"revision": catalogue_copies.c.revision + 1}
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=more))
