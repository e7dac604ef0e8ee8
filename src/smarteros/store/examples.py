"""The tenants' own examples, in versions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import LabelledExample, ModelReport, ModelVersion
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.example_tables import agent_active_models, agent_models
from smarteros.store.locks import lock_transaction

VERSIONS_KEPT = 20


class PostgresExampleStore:
    """ExampleStore in PostgreSQL: one row per version, one that says which is active."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self, scope: TenantScope) -> int:
        """Return a number that changes with every change of the active version."""
        with self._database.tenant(scope) as connection:
            return self._active(connection, scope)[1]

    def active(self, scope: TenantScope) -> ModelVersion | None:
        """Return the active version."""
        with self._database.tenant(scope) as connection:
            version, _ = self._active(connection, scope)
            rows = self._rows(connection, scope, agent_models.c.version == version)
        return _read(rows[0], active=version) if rows else None

    def versions(self, scope: TenantScope) -> tuple[ModelVersion, ...]:
        """List the versions that are kept, newest first."""
        with self._database.tenant(scope) as connection:
            version, _ = self._active(connection, scope)
            rows = self._rows(connection, scope, sa.true())
        return tuple(_read(row, active=version) for row in rows)

    def publish(
        self,
        scope: TenantScope,
        examples: tuple[LabelledExample, ...],
        report: ModelReport,
        *,
        note: str,
        revision: int,
    ) -> ModelVersion:
        """Make and activate a new version; the oldest ones beyond the bound go."""
        with self._database.tenant(scope) as connection:
            self._lock(connection, scope)
            if self._active(connection, scope)[1] != revision:
                raise RejectedInputError("examples_changed", "The examples were changed meanwhile; try again")
            newest = sa.select(sa.func.coalesce(sa.func.max(agent_models.c.version), 0))
            mine = agent_models.c.tenant_id == scope.tenant_id
            version = connection.execute(newest.where(mine)).scalar_one() + 1
            row = connection.execute(
                sa.insert(agent_models)
                .values(
                    tenant_id=scope.tenant_id,
                    version=version,
                    examples=[example.model_dump(mode="json") for example in examples],
                    report=report.model_dump(mode="json"),
                    note=note,
                )
                .returning(agent_models)
            ).one()
            connection.execute(sa.delete(agent_models).where(mine, agent_models.c.version <= version - VERSIONS_KEPT))
            self._point(connection, scope, version)
        return _read(row, active=version)

    def activate(self, scope: TenantScope, version: int) -> ModelVersion:
        """Activate a version that is kept."""
        with self._database.tenant(scope) as connection:
            self._lock(connection, scope)
            rows = self._rows(connection, scope, agent_models.c.version == version)
            if not rows:
                raise RejectedInputError("version_unknown", f"There is no version {version} of the examples")
            self._point(connection, scope, version)
        return _read(rows[0], active=version)

    def _lock(self, connection: sa.Connection, scope: TenantScope) -> None:
        """Let one change of a tenant's examples be made at a time."""
        lock_transaction(connection, f"examples:{scope.tenant_id}")

    def _active(self, connection: sa.Connection, scope: TenantScope) -> tuple[int, int]:
        """Return the active version and the revision."""
        found = connection.execute(
            sa.select(agent_active_models.c.version, agent_active_models.c.revision).where(
                agent_active_models.c.tenant_id == scope.tenant_id
            )
        ).one_or_none()
        return (found.version, found.revision) if found else (0, 0)

    def _rows(
        self, connection: sa.Connection, scope: TenantScope, which: sa.ColumnElement[bool]
    ) -> list[sa.Row[tuple[Any, ...]]]:
        statement = sa.select(agent_models).where(agent_models.c.tenant_id == scope.tenant_id, which)
        return list(connection.execute(statement.order_by(agent_models.c.version.desc())).all())

    def _point(self, connection: sa.Connection, scope: TenantScope, version: int) -> None:
        first = insert(agent_active_models).values(tenant_id=scope.tenant_id, version=version, revision=1)
        connection.execute(
            first.on_conflict_do_update(
                index_elements=["tenant_id"],
                set_={"version": version, "revision": agent_active_models.c.revision + 1},
            )
        )


def _read(row: sa.Row[tuple[Any, ...]], *, active: int) -> ModelVersion:
    return ModelVersion(
        version=row.version,
        examples=tuple(LabelledExample.model_validate(each) for each in row.examples),
        report=ModelReport.model_validate(row.report),
        note=row.note,
        created_at=row.created_at,
        active=row.version == active,
    )
