"""Alembic migrations of schema ``smos``; run by ``store.database.migrate``."""
