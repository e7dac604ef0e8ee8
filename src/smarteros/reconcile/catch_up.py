"""What to do about a message that was found late. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from smarteros.domain.decisions import Language
from smarteros.domain.model import Model
from smarteros.kit.clock import in_santiago

Late = Literal["answer", "apologise", "leave"]

# Said instead of an answer when too much time has passed: it is in no contract, because no flow was chosen.
APOLOGY: dict[Language, str] = {
    "es": (
        "Disculpa la demora: recibimos tu mensaje, pero no pudimos responderte a tiempo. "
        "Una persona de nuestro equipo lo va a revisar y te contesta por aquí."
    ),
    "en": (
        "Sorry for the delay: we got your message but could not answer it in time. "
        "Somebody from our team will look at it and reply to you here."
    ),
}
# ``{when}`` is when the customer wrote and not how long ago: the note is the same when it is written again.
NOTE_APOLOGISED = (
    "**Mensaje sin responder**\n• El aviso de Chatwoot no llegó; el cliente escribió el {when}.\n"
    "• Era tarde para que respondiera el bot: le pedí disculpas al cliente. Falta responderle."
)
NOTE_UNTOLD = (
    "**Mensaje sin responder**\n• El aviso de Chatwoot no llegó; el cliente escribió el {when}.\n"
    "• Ya no se le puede escribir libremente al cliente, así que no le avisé nada. Falta responderle."
)
NOTE_LEFT = (
    "**Mensaje antiguo sin responder**\n• Es del {when}: el bot ya no lo responde ni molesta al cliente.\n"
    "• Si todavía corresponde, alguien del equipo puede contestarlo."
)


class CatchUpLimits(Model):
    """How late an answer may come. A customer who asked this morning does not want a robot's answer tonight."""

    answer_within: timedelta = timedelta(minutes=30)
    apologise_within: timedelta = timedelta(hours=24)


def catch_up(age: timedelta, limits: CatchUpLimits | None = None) -> Late:
    """Say what becomes of a message found this long after it was written: answered, apologised for, left to people."""
    limits = limits or CatchUpLimits()
    if age <= limits.answer_within:
        return "answer"
    return "apologise" if age <= limits.apologise_within else "leave"


def when_in_words(instant: datetime) -> str:
    """Write an instant for the shop's people, in Chilean time: "22-11-2026 a las 14:05"."""
    return in_santiago(instant).strftime("%d-%m-%Y a las %H:%M")
