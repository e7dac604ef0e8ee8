"""Our copies of the shops' catalogues and what their webhooks told; created by migration 0010."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

catalogue_products = sa.Table(
    "catalogue_products",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("product_id", sa.Text, primary_key=True),
    # A CatalogueProduct.
    sa.Column("product", JSONB, nullable=False),
    # Folded words: of title, kind, maker and tags; of the kind and the title's first; all of them with the text's.
    sa.Column("names", ARRAY(sa.Text), nullable=False),
    sa.Column("kinds", ARRAY(sa.Text), nullable=False),
    sa.Column("words", TSVECTOR, nullable=False),
    # What its variants are: "s:42", "c:azul". A search by them finds too much rather than too little.
    sa.Column("facets", ARRAY(sa.Text), nullable=False),
    sa.Column("variant_ids", ARRAY(sa.Text), nullable=False),
    sa.Column("in_stock", sa.Boolean, nullable=False),
    sa.Column("lowest_price", sa.Numeric, nullable=False),
    sa.Column("highest_price", sa.Numeric, nullable=False),
    # The full reading that saw it last: what a later one does not see is gone.
    sa.Column("seen_in", sa.BigInteger, nullable=False),
    sa.Index("catalogue_products_by_word", "words", postgresql_using="gin"),
)

catalogue_copies = sa.Table(
    "catalogue_copies",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # Counts changes: another process sees by it that the words it knows are old.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    # Counts full readings.
    sa.Column("reading", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("read_at", INSTANT),
    # The last comparison with the shop, full or of what changed; and when one was begun last, by any process.
    sa.Column("compared_at", INSTANT),
    sa.Column("begun_at", INSTANT),
    sa.Column("problem", sa.Text),
)

shop_webhooks = sa.Table(
    "shop_webhooks",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("received_at", INSTANT, nullable=False, server_default=sa.func.now()),
)

conversions = sa.Table(
    "conversions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("conversation_id", sa.BigInteger, nullable=False),
    sa.Column("order_name", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("ordered_at", INSTANT, nullable=False),
    sa.Index("conversions_by_conversation", "tenant_id", "conversation_id"),
)

TENANT_TABLES = (catalogue_products, catalogue_copies, shop_webhooks, conversions)
