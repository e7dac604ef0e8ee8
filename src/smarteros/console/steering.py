"""What people do to conversations from the console: every act is in the tenant's audit, with who did it."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from smarteros.console.access import Visitor
from smarteros.console.journal import note
from smarteros.console.parts import ConsoleParts
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import turn_id as own_id
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import TurnRecord, TurnStart
from smarteros.store.conversation_list import account_of, reply_was_tried
from smarteros.store.events import release_messages
from smarteros.store.turns import mute, unmute

# Holds until the bot is given the conversation back, here or in the channel.
MUTED_BY_CONSOLE = "console"
# The name by which a contract's section ``hand_over`` marks what was handed over here.
HANDED_OVER = "handed_over_in_console"


class Steering:
    """Silences the bot, gives it a conversation back, hands over, and has a failed turn tried again."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts

    def mute(self, visitor: Visitor, tenant: Tenant, conversation_id: int) -> None:
        """Let the bot be silent in a conversation; what it was about to say is not said."""
        now = self._parts.clock.now()
        with self._parts.database.tenant(tenant.scope) as connection:
            mute(connection, tenant.tenant_id, conversation_id, MUTED_BY_CONSOLE, now)
            self._note(connection, visitor, tenant, conversation_id, "console_muted")

    def give_back(self, visitor: Visitor, tenant: Tenant, conversation_id: int) -> None:
        """Let the bot lead again. While the channel shows a person's sign it steps aside again at the next message."""
        now = self._parts.clock.now()
        with self._parts.database.tenant(tenant.scope) as connection:
            unmute(connection, tenant.tenant_id, conversation_id, now)
            self._note(connection, visitor, tenant, conversation_id, "console_given_back")

    def hand_over(self, visitor: Visitor, tenant: Tenant, conversation_id: int, reason: str) -> None:
        """Give a conversation to the shop's people in the channel, with a private note.

        Raises what the channel raises; nothing is written down then.
        """
        with self._parts.database.tenant(tenant.scope) as connection:
            account_id = account_of(connection, tenant.tenant_id, conversation_id)
        said = f"**Desde la consola** ({visitor.person.called})\n{reason}".rstrip()
        self._parts.hand_overs.outside_a_turn(
            self._parts.database, tenant, conversation_id, said, account_id=account_id, rule=HANDED_OVER
        )
        with self._parts.database.tenant(tenant.scope) as connection:
            self._note(connection, visitor, tenant, conversation_id, "console_handed_over")

    def may_retry(self, tenant: Tenant, record: TurnRecord) -> bool:
        """Tell whether a turn may be tried again: it failed, and nothing of it can have reached the customer."""
        with self._parts.database.tenant(tenant.scope) as connection:
            return _failed_unheard(connection, record)

    def retry(self, visitor: Visitor, tenant: Tenant, record: TurnRecord) -> str:
        """Answer the messages of a failed turn in a new one; returns its id.

        RejectedInputError when the turn did not fail, or its reply may have been posted.
        """
        first = own_id(record.tenant_id, record.conversation_id, record.message_id)
        start = TurnStart(
            turn_id=f"{first}:retry:{uuid.uuid4().hex[:8]}",
            tenant_id=tenant.tenant_id,
            account_id=tenant.chatwoot_account_ids[0],
            conversation_id=record.conversation_id,
            message_id=record.message_id,
            received_at=self._parts.clock.now(),
        )
        with self._parts.database.tenant(tenant.scope) as connection:
            if not _failed_unheard(connection, record):
                raise RejectedInputError("retry_refused", "Only a failed turn nobody has read is tried again.")
            account_id = account_of(connection, tenant.tenant_id, record.conversation_id)
            release_messages(connection, tenant.tenant_id, record.turn_id)
            self._parts.engine.accept(
                connection, start if account_id is None else start.model_copy(update={"account_id": account_id})
            )
            self._note(connection, visitor, tenant, record.conversation_id, "console_retried", turn=record.turn_id)
        return start.turn_id

    def _note(
        self,
        connection: sa.Connection,
        visitor: Visitor,
        tenant: Tenant,
        conversation_id: int,
        kind: str,
        **details: Any,
    ) -> None:
        note(
            connection,
            self._parts.clock.now(),
            kind,
            visitor.person,
            tenant_id=tenant.tenant_id,
            conversation_id=conversation_id,
            **details,
        )


def _failed_unheard(connection: sa.Connection, record: TurnRecord) -> bool:
    return record.outcome == "failed" and not reply_was_tried(connection, record.turn_id)
