"""Numbers of cards are taken out of what comes in, before any of it is kept."""

from __future__ import annotations

import re
from typing import Any

from smarteros.channels.chatwoot.events import InboundEvent
from smarteros.domain.tenants import TenantScope
from smarteros.kit.redaction import CARD_MASK, card_pieces, is_card_piece, mask_cards
from smarteros.store.database import Database
from smarteros.store.events import edit_message, said_lately

# A number that is typed in pieces comes within so many seconds.
_TYPED_WITHIN_S = 180.0
_ADDRESS = re.compile(r"https?://\S+")


def without_cards(event: InboundEvent) -> InboundEvent:
    """A card's number is never stored: whatever a stranger wrote freely is looked through before anything is kept."""
    draft = event.draft
    if draft is not None:
        contact = draft.contact.model_copy(update={"name": _masked(draft.contact.name)})
        draft = draft.model_copy(update={"text": mask_cards(draft.text), "contact": contact})
    said = {"edited_text": _masked(event.edited_text), "external_error": _masked(event.external_error)}
    return event.model_copy(update={"draft": draft, **said})


def without_pieces(database: Database, scope: TenantScope, event: InboundEvent) -> InboundEvent:
    """Mask a card's number that comes in several messages: the one that completes it, and those before it."""
    draft = event.draft
    if draft is None or not is_card_piece(draft.text):
        return event
    with database.tenant(scope) as connection:
        before = said_lately(connection, scope.tenant_id, draft.conversation_id, _TYPED_WITHIN_S)
        said = sorted((before | {draft.id: draft.text}).items())
        pieces = {said[at][0] for at in card_pieces([text for _, text in said])}
        for message_id in pieces - {draft.id}:
            edit_message(connection, scope.tenant_id, draft.conversation_id, message_id, CARD_MASK)
    if draft.id not in pieces:
        return event
    return event.model_copy(update={"draft": draft.model_copy(update={"text": CARD_MASK})})


def _masked(text: str | None) -> str | None:
    return None if text is None else mask_cards(text)


def cards_masked(value: Any) -> Any:
    """Mask cards in every text of a body but addresses of files, whose digits are nobody's card."""
    if isinstance(value, str):
        return value if _ADDRESS.fullmatch(value) else mask_cards(value)
    if isinstance(value, dict):
        return {key: cards_masked(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [cards_masked(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
