"""Is the customer losing patience? A Chilean word list, shouting, and asking the same thing again and again.

Sentiment models trained on tweets do not transfer to support chats, so the signs are written down.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smarteros.agents.normalise import normalise
from smarteros.kit.text import fold

_SIGNS = re.compile(
    r"\b(?:sernac|estaf(?:a|as|ador|adores|aron)|verguenza|inaceptable|indignad[oa]s?|indignante|pesim[oa]s?|"
    r"chat[oa] (?:de|con|ya)|tienen chat[oa]|tienen (?:aburrid[oa]|harto|harta|podrid[oa])|hart[oa] (?:de|ya)|"
    r"enojad[oa]|molest[oa] con|furios[oa]|rabia|ladron(?:es)?|mentiros[oa]s?|mentiras|irresponsables?|"
    r"nadie (?:me|nos) atiende|"
    r"nadie (?:me |nos )?(?:responde|contesta|ayuda|da (?:la cara|respuesta|solucion)|se hace cargo)|"
    r"falta de respeto|una burla|tomadura de pelo|los voy a (?:denunciar|demandar)|denuncia(?:r|re)?|demandar(?:los)?|"
    r"la peor (?:tienda|atencion|experiencia)|el peor (?:servicio|trato)|lo peor que|mierda|ctm|weones|qlos|culiaos|"
    r"hasta cuando (?:con|van|me|espero|tengo)|unacceptable|scam(?:mers?)?|fraud|furious|ridiculous|outrageous|"
    r"worst (?:service|store|experience|company)|nobody (?:answers|replies|responds|cares|helps)|"
    r"(?:i'm|i am|im) (?:really |so |very )?(?:angry|mad|fed up)|fed up|rip ?off|disgusting|"
    r"terrible (?:service|experience))\b"
)
_LEAST_SHOUTED_LETTERS = 14
_SHOUTED_SHARE = 0.8
_REPEATS = 2
_LEAST_REPEATED_WORDS = 3


def is_frustrated(text: str, history: Sequence[str] = (), *, complains: bool = False) -> bool:
    """Tell whether a person should take over for the mood's sake.

    ``complains``: the classifier is sure of a complaint. Capitals alone are no sign (many people write so), with
    exclamation marks they are. The same question a third time is.
    """
    if complains or _SIGNS.search(fold(text)):
        return True
    letters = [character for character in text if character.isalpha()]
    shouted = sum(character.isupper() for character in letters) >= _SHOUTED_SHARE * max(1, len(letters))
    if shouted and len(letters) >= _LEAST_SHOUTED_LETTERS and text.count("!") >= 2:
        return True
    asked = normalise(text).strip("?! ")
    if len(asked.split()) < _LEAST_REPEATED_WORDS:
        return False
    return sum(normalise(earlier).strip("?! ") == asked for earlier in history) >= _REPEATS
