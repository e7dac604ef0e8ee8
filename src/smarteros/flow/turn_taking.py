"""How long to wait for the customer to finish. Pure.

People type in bursts: "hola", "una consulta", "tienen zapatillas talla 42?". A complete sentence is answered at once;
after a fragment the turn is given back to the customer for a moment, never longer than ``MOST_PATIENCE_S`` after the
last message nor ``MOST_BURST_S`` after the first one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smarteros.domain.decisions import DialogueState
from smarteros.domain.messages import IncomingMessage
from smarteros.kit.text import fold

MOST_PATIENCE_S = 2.5
# From then on a customer who goes on writing is answered nevertheless; the reply's fence uses the same bound.
MOST_BURST_S = 5.0

_AFTER_GREETING_S = 1.5
_AFTER_FEW_WORDS_S = 1.2
_AFTER_PHOTO_S = 1.0
_RHYTHM = 1.5  # whoever takes 1 s from message to message is given 1.5 s for the next one
_SENTENCE_WORDS = 3

_WORD = re.compile(r"[a-z0-9]+(?:[.,]\d+)*")
_CLOSED = re.compile(r"\?[\s\"'»)!?]*$")
_OPEN_END = re.compile(r"(?:,|\.\.+|…|:|;|-)\s*$")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONNECTORS = _words(
    "y o e de del el la los las un una unos unas con para por en que pero porque sin mi tu su es son al como "
    "and or the a an of for with but to in my your is because"
)
_GREETINGS = _words(
    "hola holaa holi ola alo wena wenas buena buenas buenos buen dia dias tarde tardes noche noches oye hey hi hello "
    "good morning afternoon evening there estimados estimado estimada estimadas que tal como estas esta estan "
    "saludos amigo amiga disculpa disculpe perdon sorry excuse me porfa favor por"
)
_ANNOUNCED_QUESTION = _words(
    "una consulta consultita pregunta preguntita duda dudita tengo quiero quisiera queria hacer hacerle hacerles "
    "preguntar consultar saber algo te les le cosa otra a question i have quick one tell ask"
)
_SHORT_ANSWERS = _words(
    "si sip sipo sipi no nop nopo ok oka okey okay dale ya bueno bien listo perfecto claro obvio gracias muchas mil "
    "thanks thank you yes yep yeah sure chao chau adios bye nada mas ninguno ninguna genial bacan super vale eso todo "
    "xs s m l xl xxl xxxl primero primera segundo segunda tercero tercera ambos humano persona ejecutivo"
)
_VERBS = _words(
    "busco buscaba quiero quisiera necesito tienen tiene tendran hay venden vende aceptan hacen despachan envian "
    "puedo pueden podria cuesta cuestan vale sale salen queda quedan donde cuando cuanto cuantos cuanta cuantas cual "
    "abren cierran atienden devuelven cambian llego compre want need have where when how what which"
)
_MEDIA_ANNOUNCED = re.compile(
    r"\b(?:(?:te|le|les|se|lo|la) (?:\w+ )?(?:mando|envio|adjunto|paso|dejo|muestro|saco)|(?:mando|envio|adjunto)"
    r"|ahi (?:va|te va|les va|te mando)|voy a (?:mandar|enviar|sacar)\w*|here (?:is|comes|it is)|sending"
    r"|i(?:'ll| will) send)\b(?:.*\b(?:foto|fotos|imagen|boleta|factura|captura|pantallazo|pdf|audio|video|"
    r"comprobante|photo|picture|invoice|receipt|screenshot)\b|$)"
)


def patience_s(messages: Sequence[IncomingMessage], ages_s: Sequence[float], state: DialogueState) -> float:
    """Return how many more seconds to wait for the customer; 0 means answer now.

    ``ages_s`` tells for each message how many seconds ago it was received.
    """
    if not messages:
        return 0.0
    wanted = _wanted_s(messages, state)
    if wanted == 0.0:
        return 0.0
    if len(ages_s) > 1:
        wanted = max(wanted, _RHYTHM * (ages_s[-2] - ages_s[-1]))
    left = min(wanted, MOST_PATIENCE_S) - max(ages_s[-1], 0.0)
    return max(0.0, min(left, MOST_BURST_S - max(ages_s)))


def only_greets(message: IncomingMessage) -> bool:
    """Whether a message says good day and nothing else, so that an answer to a later one has answered it too."""
    return not message.attachments and is_greeting(message.text)


def is_greeting(text: str) -> bool:
    """Whether a text says good day and nothing else."""
    words = _WORD.findall(fold(text))
    return bool(words) and all(word in _GREETINGS for word in words)


def _wanted_s(messages: Sequence[IncomingMessage], state: DialogueState) -> float:
    """How long the customer may stay silent after his last message before it counts as all he had to say."""
    last = messages[-1]
    if last.channel == "email":  # nobody writes a mail in pieces
        return 0.0
    if last.attachments:
        said = any(message.text.strip() for message in messages)
        return 0.0 if said or state.pending == "invoice_photo" else _AFTER_PHOTO_S
    text = fold(last.text)
    words = _WORD.findall(text)
    if _CLOSED.search(text) or not words:
        return 0.0
    if _MEDIA_ANNOUNCED.search(text) or _OPEN_END.search(text) or words[-1] in _CONNECTORS:
        return MOST_PATIENCE_S
    if _is_answer(words, state) or any("?" in message.text for message in messages):
        return 0.0
    return _after_opening_s(words, text)


def _is_answer(words: list[str], state: DialogueState) -> bool:
    """Whether the words are a whole answer: to our own question, or by what they are."""
    if all(word in _SHORT_ANSWERS for word in words) or any(any(c.isdigit() for c in word) for word in words):
        return True
    asked = state.pending is not None or state.clarifications > 0
    # A verb alone ("tienen") is no answer to an offer: its object is still to come.
    return asked and not _opens_only(words) and not (len(words) == 1 and words[0] in _VERBS)


def _after_opening_s(words: list[str], text: str) -> float:
    if all(word in _GREETINGS for word in words):
        return _AFTER_GREETING_S
    if _opens_only(words):
        return MOST_PATIENCE_S
    # A verb alone ("tienen") has its object still to come.
    asks = len(words) > 1 and any(word in _VERBS for word in words)
    if len(words) >= _SENTENCE_WORDS or text.endswith((".", "!")) or asks:
        return 0.0
    return _AFTER_FEW_WORDS_S


def _opens_only(words: list[str]) -> bool:
    return all(word in _GREETINGS or word in _ANNOUNCED_QUESTION for word in words)
