"""A reply's text made safe for the way it travels."""

from __future__ import annotations

import re

from smarteros.domain.messages import ChannelName

# Characters a channel delivers in one message (Chatwoot 4.16 ``message_length_limit.rb``); it neither splits
# nor refuses longer ones.
LIMIT_OF_CHANNEL: dict[ChannelName, int] = {"whatsapp": 4096, "webwidget": 10_000, "email": 25_000}
_LIQUID_OPENING = re.compile(r"\{(?=[{%])")
_URL = re.compile(r"https?://[^\s<>\"]+")
_SENTENCE_END = re.compile(r"[.!?…:](?=\s)|\n")
_ZERO_WIDTH_SPACE = "\u200b"


def ready_to_post(text: str, limit: int) -> str:
    """The text as it may be given to Chatwoot: no Liquid, no ``*`` in URLs, not longer than ``limit``."""
    return cut_at_sentence(encode_stars(neutralise_liquid(text)), limit)


def neutralise_liquid(text: str) -> str:
    """Break ``{{`` and ``{%``: Chatwoot runs Liquid over every outgoing message, whoever wrote its words."""
    return _LIQUID_OPENING.sub("{" + _ZERO_WIDTH_SPACE, text)


def encode_stars(text: str) -> str:
    """Percent-encode ``*`` inside URLs: WhatsApp's Markdown renderer takes two of them for emphasis and eats them.

    Stars at the very end are the closing of ``**bold**`` around the URL and stay.
    """

    def encode(match: re.Match[str]) -> str:
        url = match.group()
        bare = url.rstrip("*")
        return bare.replace("*", "%2A") + url[len(bare) :]

    return _URL.sub(encode, text)


def cut_at_sentence(text: str, limit: int) -> str:
    """Shorten a text to ``limit`` characters at the end of a sentence, or else between words."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    ends = [match.end() for match in _SENTENCE_END.finditer(text[:limit])]
    last_end = max((end for end in ends if limit // 2 <= end < limit), default=0)
    if not last_end:
        last_end = max(head.rfind(" "), head.rfind("\n"))
    return head[: last_end if last_end > 0 else limit - 1].rstrip() + "…"
