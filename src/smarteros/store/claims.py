"""Documents that customers have shown: a timbre can be copied, and the copy verifies as well."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.messages import IncomingMessage
from smarteros.store.claim_tables import document_claims


def claim_document(connection: sa.Connection, message: IncomingMessage, document_key: str) -> bool:
    """Remember the message's sender as the one who showed a document; False when somebody else did so before.

    The first to show it has it; showing it again is no other claim.
    """
    customer = f"{message.account_id}:{message.contact.id}"
    claim = insert(document_claims).values(
        tenant_id=message.tenant_id,
        document_key=document_key,
        customer=customer,
        conversation_id=message.conversation_id,
    )
    connection.execute(claim.on_conflict_do_nothing())
    held = sa.select(document_claims.c.customer).where(
        document_claims.c.tenant_id == message.tenant_id, document_claims.c.document_key == document_key
    )
    return connection.execute(held).scalar_one() == customer
