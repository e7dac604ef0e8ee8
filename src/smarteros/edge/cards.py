"""Numbers of cards are taken out of what comes in, before any of it is kept."""

from __future__ import annotations

import re
from typing import Any

from smarteros.channels.chatwoot.events import InboundEvent
from smarteros.kit.redaction import mask_cards

_ADDRESS = re.compile(r"https?://\S+")


def without_cards(event: InboundEvent) -> InboundEvent:
    """A card's number is never stored: whatever a stranger wrote freely is looked through before anything is kept."""
    draft = event.draft
    if draft is not None:
        contact = draft.contact.model_copy(update={"name": _masked(draft.contact.name)})
        draft = draft.model_copy(update={"text": mask_cards(draft.text), "contact": contact})
    said = {"edited_text": _masked(event.edited_text), "external_error": _masked(event.external_error)}
    return event.model_copy(update={"draft": draft, **said})


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
