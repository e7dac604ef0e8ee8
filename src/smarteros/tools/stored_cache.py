"""A ToolCache in PostgreSQL: what was seen is there after a restart, and for every worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.tables import tool_cache
from smarteros.tools.cache import RECENT_LIMIT, Seen

_log = structlog.get_logger()


class PostgresToolCache:
    """Keeps JSON objects by tenant and key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, scope: TenantScope, key: str, data: dict[str, Any], seen_at: datetime) -> None:
        """Keep what was seen."""
        values = {"data": data, "seen_at": seen_at}
        statement = insert(tool_cache).values(tenant_id=scope.tenant_id, cache_key=key, **values)
        keep = statement.on_conflict_do_update(index_elements=["tenant_id", "cache_key"], set_=values)
        try:
            with self._database.tenant(scope) as connection:
                connection.execute(keep)
        except SQLAlchemyError as error:  # a memory that fails must not fail the call it remembers
            _log.warning("tool_cache_unavailable", error=type(error).__name__)

    def latest(self, scope: TenantScope, key: str, not_before: datetime) -> Seen | None:
        """Return what is kept under the key, if it is recent enough."""
        found = self._select(scope, tool_cache.c.cache_key == key, not_before, 1)
        return found[0] if found else None

    def recent(
        self, scope: TenantScope, prefix: str, not_before: datetime, limit: int = RECENT_LIMIT
    ) -> tuple[Seen, ...]:
        """Return what was seen lately under keys that start so, the newest first."""
        return self._select(scope, tool_cache.c.cache_key.startswith(prefix, autoescape=True), not_before, limit)

    def _select(
        self, scope: TenantScope, where: sa.ColumnElement[bool], not_before: datetime, limit: int
    ) -> tuple[Seen, ...]:
        statement = (
            sa.select(tool_cache.c.data, tool_cache.c.seen_at)
            .where(tool_cache.c.tenant_id == scope.tenant_id, where, tool_cache.c.seen_at >= not_before)
            .order_by(tool_cache.c.seen_at.desc())
            .limit(limit)
        )
        try:
            with self._database.tenant(scope) as connection:
                return tuple(Seen(row.data, row.seen_at) for row in connection.execute(statement))
        except SQLAlchemyError as error:
            _log.warning("tool_cache_unavailable", error=type(error).__name__)
            return ()
