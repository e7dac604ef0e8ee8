"""What of a customer's words leaves the house, and how what comes back is made whole again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from smarteros.domain.decisions import AgentRequest
from smarteros.kit.redaction import Redactor
from smarteros.kit.text import fold, strip_controls
from smarteros.kit.untrusted import plain_text

LONGEST_MESSAGE = 1500
_EARLIER_MESSAGES = 3


class DiscardedError(Exception):
    """What somebody outside said is not used; ``reason`` is a stable word for the metrics."""

    def __init__(self, reason: str, *details: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


def redactor_of(request: AgentRequest) -> Redactor:
    """Return what hides the personal data of a request, and the ids that tell whose it is."""
    contact = request.contact
    workspace = f"ws_{request.tenant_id.lower()}"
    return Redactor(always=(request.tenant_id, workspace, contact.phone or "", contact.email or ""))


def shown(redactor: Redactor, text: str, most: int = LONGEST_MESSAGE) -> str:
    """Return at most so many characters of a text as a stranger may read it."""
    return redactor.hide(plain_text(text, most))


def shown_earlier(redactor: Redactor, request: AgentRequest) -> list[str]:
    """Return the customer's messages before this one as a stranger may read them, oldest first."""
    return [shown(redactor, text, LONGEST_MESSAGE // 3) for text in _earlier(request)]


def words_of(request: AgentRequest) -> str:
    """Return the customer's words as far as a stranger is shown them, nothing hidden."""
    return "\n".join((*_earlier(request), request.message.content))


def occurs(value: str, text: str) -> bool:
    """Tell whether a value is in a text as whole words, however it is capitalised."""
    return re.search(rf"(?<!\w){re.escape(fold(value))}(?!\w)", fold(text)) is not None


def own_size(size: str | None, words: str, found: Iterable[str | None]) -> str | None:
    """Return the size somebody outside names when we found it ourselves or it is a word of the customer, else None.

    A size may be said back to the customer without anybody having looked it up, so it must be his.
    """
    return size if size in (None, *found) or occurs(size, words) else None


def restored(redactor: Redactor, text: str) -> str:
    """Put the hidden values back. DiscardedError when a placeholder stands for nothing that was hidden."""
    whole = redactor.restore(strip_controls(text).strip())
    if whole is None:
        raise DiscardedError("placeholder")
    return whole


def _earlier(request: AgentRequest) -> tuple[str, ...]:
    return request.context.history[-_EARLIER_MESSAGES:]
