"""Messages found too late for an answer: the customer is told once, and a person gets the conversation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from smarteros.channels.chatwoot.events import InboundEvent
from smarteros.channels.chatwoot.history import ListedConversation
from smarteros.channels.protocol import Channel
from smarteros.domain.decisions import Language
from smarteros.domain.errors import PermanentError
from smarteros.domain.messages import IncomingMessage, OutgoingReply, seen_in_state
from smarteros.domain.tenants import Tenant
from smarteros.flow.hand_overs import HandOvers
from smarteros.reconcile.catch_up import APOLOGY, NOTE_APOLOGISED, NOTE_LEFT, NOTE_UNTOLD, when_in_words
from smarteros.store.database import Database
from smarteros.store.events import ReceivedEvent, store_event
from smarteros.store.reconcile import created_key
from smarteros.store.turns import Remembered, remembered

TOO_OLD = "too_old"


@dataclass(frozen=True)
class LateDesk:
    """Does what is done instead of answering. All of it can be repeated: what was said is found by its marker."""

    database: Database
    channel: Channel
    hand_overs: HandOvers

    def apologise(self, tenant: Tenant, conversation: ListedConversation, newest: IncomingMessage) -> bool:
        """Apologise to the customer and hand over; False when a person has the conversation already."""
        account_id, number = conversation.account_id, conversation.conversation_id
        now = self.channel.conversation(tenant, number, account_id=account_id)
        if now.led_by_person is not None or self._led_unseen(tenant, number):
            return False
        told = now.can_reply and self._told(tenant, newest)
        note = (NOTE_APOLOGISED if told else NOTE_UNTOLD).format(when=when_in_words(newest.created_at))
        self.hand_overs.outside_a_turn(self.database, tenant, number, note, account_id=account_id, rule=TOO_OLD)
        return True

    def leave(self, tenant: Tenant, newest: IncomingMessage) -> None:
        """Tell the shop's people in a private note; the customer hears nothing."""
        self._say(tenant, newest, NOTE_LEFT.format(when=when_in_words(newest.created_at)), private=True)

    def close(self, tenant: Tenant, event: InboundEvent, account_id: int) -> bool:
        """Store the event as one that is not answered; False when its webhook came meanwhile.

        A webhook that comes after this is a duplicate.
        """
        assert event.message_id is not None  # noqa: S101 - the history has ids only
        received = ReceivedEvent(
            tenant_id=tenant.tenant_id,
            event_key=created_key(account_id, event.message_id),
            event=event.name,
            delivery_id=None,
            conversation_id=event.conversation_id,
            message_id=event.message_id,
            message=None,
            ignore_reason=TOO_OLD,
        )
        with self.database.tenant(tenant.scope) as connection:
            return store_event(connection, received) is not None

    def _told(self, tenant: Tenant, newest: IncomingMessage) -> bool:
        try:
            self._say(tenant, newest, APOLOGY[self._language(tenant, newest.conversation_id)], private=False)
        except PermanentError:
            return False  # the channel will never take it; a person must know all the more
        return True

    def _say(self, tenant: Tenant, about: IncomingMessage, text: str, *, private: bool) -> None:
        kind = "note" if private else "apology"
        marker = hashlib.sha256(f"late:{kind}:{tenant.tenant_id}:{about.account_id}:{about.id}".encode()).hexdigest()
        reply = OutgoingReply(
            reply_id=marker[:26],
            conversation_id=about.conversation_id,
            account_id=about.account_id,
            text=text,
            private=private,
        )
        # This is rare and nothing is written down before it, so the marker is always looked for first.
        self.channel.post(tenant, reply, maybe_sent=True)

    def _led_unseen(self, tenant: Tenant, conversation_id: int) -> bool:
        """Tell whether a person leads by a sign the channel does not show: his words, or our handing over."""
        reason = self._remembered(tenant, conversation_id).muted_reason
        return reason is not None and not seen_in_state(reason)

    def _language(self, tenant: Tenant, conversation_id: int) -> Language:
        state = self._remembered(tenant, conversation_id).state
        return state.language or ("en" if tenant.language == "en" else "es")

    def _remembered(self, tenant: Tenant, conversation_id: int) -> Remembered:
        with self.database.tenant(tenant.scope) as connection:
            return remembered(connection, tenant.tenant_id, conversation_id)
