"""Who has shown a document first has it: a copied timbre verifies as well as the original."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tenants import TenantScope
from smarteros.store.claim_tables import document_claims
from smarteros.store.claims import claim_document
from smarteros.store.database import Database

KEY = "76543210-3|39|48213"


@pytest.fixture
def shop() -> str:
    return f"TENANT_CLAIMS_{uuid4().hex[:8].upper()}"


def message(shop: str, contact: int, *, account: int = 1, conversation: int = 5) -> IncomingMessage:
    return IncomingMessage(
        id=1, tenant_id=shop, account_id=account, conversation_id=conversation, inbox_id=1, channel="whatsapp",
        contact=Contact(id=contact), created_at=datetime(2026, 2, 9, tzinfo=UTC),
    )  # fmt: skip


def claim(database: Database, from_whom: IncomingMessage, key: str = KEY) -> bool:
    with database.tenant(TenantScope(tenant_id=from_whom.tenant_id)) as connection:
        return claim_document(connection, from_whom, key)


def test_the_same_customer_may_show_a_document_again(database: Database, shop: str) -> None:
    assert claim(database, message(shop, 7))
    assert claim(database, message(shop, 7, conversation=9))


def test_another_customer_may_not(database: Database, shop: str) -> None:
    assert claim(database, message(shop, 7))
    assert not claim(database, message(shop, 8))
    assert not claim(database, message(shop, 7, account=2)), "contacts are numbered by account"
    assert claim(database, message(shop, 8), "76543210-3|39|48214")


def test_shops_do_not_see_each_others_documents(database: Database, shop: str) -> None:
    assert claim(database, message(shop, 7))
    other = f"{shop}_B"
    assert claim(database, message(other, 8))
    with database.tenant(TenantScope(tenant_id=other)) as connection:
        rows = connection.execute(sa.select(document_claims.c.tenant_id)).scalars().all()
    assert rows == [other]


def test_without_a_scope_there_are_no_claims(database: Database, shop: str) -> None:
    assert claim(database, message(shop, 7))
    with database.installation() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(document_claims)).scalar_one() == 0
