"""The tenants' knowledge base documents."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.knowledge import Document
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.tables import kb_documents, kb_revisions


class PostgresDocumentStore:
    """Keeps documents by tenant; every import raises the tenant's revision."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, scope: TenantScope, documents: tuple[Document, ...]) -> None:
        """Replace all documents of the tenant."""
        rows = [
            {"tenant_id": scope.tenant_id, "name": d.name, "position": at, "document": d.model_dump(mode="json")}
            for at, d in enumerate(documents)
        ]
        raised = insert(kb_revisions).values(tenant_id=scope.tenant_id, revision=1)
        with self._database.tenant(scope) as connection:
            connection.execute(sa.delete(kb_documents).where(kb_documents.c.tenant_id == scope.tenant_id))
            if rows:
                connection.execute(sa.insert(kb_documents), rows)
            connection.execute(
                raised.on_conflict_do_update(
                    index_elements=["tenant_id"], set_={"revision": kb_revisions.c.revision + 1}
                )
            )

    def load(self, scope: TenantScope) -> tuple[Document, ...]:
        """Return the tenant's documents in the order of their import."""
        statement = sa.select(kb_documents.c.document).where(kb_documents.c.tenant_id == scope.tenant_id)
        with self._database.tenant(scope) as connection:
            rows = connection.execute(statement.order_by(kb_documents.c.position)).all()
        return tuple(Document.model_validate(row.document) for row in rows)

    def revision(self, scope: TenantScope) -> int:
        """Return a number that changes with every import."""
        statement = sa.select(kb_revisions.c.revision).where(kb_revisions.c.tenant_id == scope.tenant_id)
        with self._database.tenant(scope) as connection:
            return connection.execute(statement).scalar_one_or_none() or 0
