"""Alembic's entry: the connection is handed over by ``store.database.migrate``."""

from __future__ import annotations

from alembic import context

from smarteros.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table_schema="smos")
with context.begin_transaction():
    context.run_migrations()
