"""The tenants' knowledge base documents."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from smarteros.domain.knowledge import Document, KnowledgeVersion
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.knowledge_tables import kb_versions
from smarteros.store.locks import lock_transaction
from smarteros.store.tables import kb_documents, kb_revisions

KEPT_VERSIONS = 20


class PostgresDocumentStore:
    """Keeps documents by tenant; every import raises the tenant's revision and leaves a version."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, scope: TenantScope, documents: tuple[Document, ...], *, note: str = "") -> None:
        """Replace all documents of the tenant."""
        tenant_id = scope.tenant_id
        written = [d.model_dump(mode="json") for d in documents]
        rows = [
            {"tenant_id": tenant_id, "name": d.name, "position": at, "document": document}
            for at, (d, document) in enumerate(zip(documents, written, strict=True))
        ]
        raised = insert(kb_revisions).values(tenant_id=tenant_id, revision=1)
        with self._database.tenant(scope) as connection:
            # Raising the revision first makes a second import wait until this one has ended.
            revision = connection.execute(
                raised.on_conflict_do_update(
                    index_elements=["tenant_id"], set_={"revision": kb_revisions.c.revision + 1}
                ).returning(kb_revisions.c.revision)
            ).scalar_one()
            _keep_what_was_there(connection, tenant_id, revision - 1)
            connection.execute(sa.delete(kb_documents).where(kb_documents.c.tenant_id == tenant_id))
            if rows:
                connection.execute(sa.insert(kb_documents), rows)
            version = {"tenant_id": tenant_id, "revision": revision, "documents": written, "note": note}
            connection.execute(sa.insert(kb_versions).values(**version))
            connection.execute(
                sa.delete(kb_versions).where(
                    kb_versions.c.tenant_id == tenant_id, kb_versions.c.revision <= revision - KEPT_VERSIONS
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

    def versions(self, scope: TenantScope) -> tuple[KnowledgeVersion, ...]:
        """List the versions that are kept, newest first."""
        columns = kb_versions.c
        statement = (
            sa.select(
                columns.revision,
                columns.saved_at,
                columns.note,
                sa.func.jsonb_array_length(columns.documents).label("documents"),
                kb_revisions.c.revision.label("newest"),
            )
            .join(kb_revisions, kb_revisions.c.tenant_id == columns.tenant_id)
            .where(columns.tenant_id == scope.tenant_id)
            .order_by(columns.revision.desc())
        )
        with self._database.tenant(scope) as connection:
            rows = connection.execute(statement).all()
        return tuple(
            KnowledgeVersion(
                revision=row.revision,
                saved_at=row.saved_at,
                note=row.note,
                documents=row.documents,
                current=row.revision == row.newest,
            )
            for row in rows
        )

    def load_version(self, scope: TenantScope, revision: int) -> tuple[Document, ...] | None:
        """Return the documents of a version; None when it is not kept."""
        statement = sa.select(kb_versions.c.documents).where(
            kb_versions.c.tenant_id == scope.tenant_id, kb_versions.c.revision == revision
        )
        with self._database.tenant(scope) as connection:
            found = connection.execute(statement).scalar_one_or_none()
        if found is None:
            return None
        return tuple(Document.model_validate(document) for document in cast(list[Any], found))


def _keep_what_was_there(connection: sa.Connection, tenant_id: str, revision: int) -> None:
    """Keep documents that were imported before versions were kept."""
    documents = kb_documents.c
    connection.execute(
        insert(kb_versions)
        .from_select(
            ["tenant_id", "revision", "documents"],
            sa.select(
                sa.literal(tenant_id),
                sa.literal(revision, sa.BigInteger),
                sa.func.jsonb_agg(aggregate_order_by(documents.document, documents.position)),
            )
            .where(documents.tenant_id == tenant_id)
            .having(sa.func.count() > 0),
        )
        .on_conflict_do_nothing()
    )


def lock_documents(connection: sa.Connection, tenant_id: str) -> None:
    """Let nobody else who asks for it change the tenant's documents until the transaction ends.

    For whoever reads them, changes something and saves them all.
    """
    lock_transaction(connection, f"answers:{tenant_id}")
