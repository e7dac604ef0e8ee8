"""Is the customer losing patience? A Chilean word list, shouting, bad news twice, asking the same again and again.

Sentiment models trained on tweets do not transfer to support chats, so the signs are written down. A strong sign is
enough; a mild one ("todavía nada", "no me sirve") counts when an earlier message had one too, with capitals, or when
the question is a repeated one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from smarteros.agents.normalise import normalise
from smarteros.kit.text import fold

_SIGNS = re.compile(
    r"\b(?:sernac|estaf(?:a|as|ador|adora|adores|aron|ado|ada)|verguenza|inaceptable|indignad[oa]s?|indignante|"
    r"pesim[oa]s?|"
    r"chat[oa] (?:de|con|ya)|tienen chat[oa]|(?:tienen|tiene) (?:aburrid[oa]|harto|harta|podrid[oa]|enferm[oa])|"
    r"hart[oa] (?:de|ya)|"
    r"choread[oa]|enojad[oa]|molest[oa] con|furios[oa]|(?:que|una|me da|tengo) rabia|ladron(?:es)?|mentiros[oa]s?|"
    r"mentiras|"
    r"irresponsables?|sinverguenzas?|descarad[oa]s?|chantas?|frescos de raja|son unos frescos|puro chamullo|"
    r"nadie (?:me|nos) atiende|"
    r"nadie (?:me |nos )?(?:responde|contesta|ayuda|da (?:la cara|respuesta|solucion)|se hace (?:cargo|responsable))|"
    r"(?:no|nunca|jamas) (?:me )?(?:responden|contestan)(?: nunca)?|"
    r"falta de respeto|una burla|tomadura de pelo|tomado el pelo|"
    r"los voy a (?:denunciar|demandar|funar)|denuncia(?:r|re)?|"
    r"demandar(?:los)?|funar(?:los)?|el colmo|me cagaron|"
    r"la peor (?:tienda|atencion|experiencia)|el peor (?:servicio|trato)|lo peor que|mierda|ctm|csm|weones|aweonaos?|"
    r"qlos|"
    r"culiaos|hijos de|"
    r"hasta cuando (?:con|van|me|espero|tengo)|unacceptable|scam(?:mers?)?|fraud|furious|ridiculous|outrageous|livid|"
    r"worst (?:service|store|experience|company)|nobody (?:answers|replies|responds|cares|helps)|"
    r"(?:i'm|i am|im) (?:really |so |very )?(?:angry|mad|fed up)|fed up|rip ?off|disgusting|"
    r"terrible (?:service|experience))\b|[😡🤬😠]"
)
_MILD = re.compile(
    r"\b(?:no me (?:sirve|entiend(?:es|e)|ayuda(?:s|n)?|lleg(?:a|o)|respondiste|contesta(?:s|n|ste)?|gusta nada)|"
    r"no (?:entiendes|entiende|sirves?|funciona|es lo que (?:pregunte|pedi)|puede ser)|otra vez|de nuevo lo mismo|"
    r"ya (?:te|les|le|se lo) (?:dije|pregunte|escribi|mande)|(?:sigo|aun|todavia|llevo) (?:esperando|nada|sin)|"
    r"(?:y )?(?:aun|todavia) (?:nada|no)|que (?:lata|mala|fome|mal)|mal(?:o|a|isimo|isima)|hasta cuando|"
    r"tercera vez|segunda vez|cuarta vez|ya pues|ya po|respond(?:e|an|eme)|contest(?:a|en|eme|ame)|"
    r"not (?:helping|helpful|working|what i asked)|still (?:nothing|waiting|no)|again|useless|you don't understand|"
    r"already (?:told|asked)|answer me|bad service)\b|[😤👎🙄😒]"
)
_LEAST_SHOUTED_LETTERS = 12
_SHOUTED_SHARE = 0.8
_REPEATS = 2
_LEAST_REPEATED_WORDS = 3
_SAME = 90.0  # of 100, rapidfuzz: the same question with another typing error
_LOOKED_BACK = 4


def is_frustrated(text: str, history: Sequence[str] = (), *, complains: bool = False) -> bool:
    """Tell whether a person should take over for the mood's sake.

    ``complains``: the classifier is sure of a complaint. Capitals alone are no sign (many people write so), with
    exclamation marks or a mild sign they are. The same question a third time is; a second time with a mild sign.
    """
    folded = fold(text)
    if complains or _SIGNS.search(folded):
        return True
    mild = _MILD.search(folded) is not None
    if _is_shouted(text) and (mild or text.count("!") >= 2):
        return True
    earlier = history[-_LOOKED_BACK:]
    if mild and any(_SIGNS.search(fold(said)) or _MILD.search(fold(said)) for said in earlier):
        return True
    repeats = _repeats(text, history)
    return repeats >= _REPEATS or (repeats > 0 and (mild or _is_shouted(text) or "??" in text or "!!" in text))


def _is_shouted(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    shouted = sum(character.isupper() for character in letters) >= _SHOUTED_SHARE * max(1, len(letters))
    return shouted and len(letters) >= _LEAST_SHOUTED_LETTERS


def _repeats(text: str, history: Sequence[str]) -> int:
    """Count the earlier messages that ask the same, whatever their typing errors."""
    asked = normalise(text).strip("?! ")
    if len(asked.split()) < _LEAST_REPEATED_WORDS:
        return 0
    return sum(fuzz.ratio(normalise(said).strip("?! "), asked) >= _SAME for said in history)
