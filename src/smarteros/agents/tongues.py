"""Which language a customer asks for in so many words, and Portuguese, which we understand but do not speak."""

from __future__ import annotations

import re

from smarteros.domain.decisions import Language
from smarteros.kit.text import fold

_ENGLISH = re.compile(
    r"\b(?:in english|english,? (?:please|pls|plz)"
    r"|(?:speak|talk|write|answer|reply|continue|understand)(?: to me)?(?: in)? english"
    r"|(?:en|habla(?:s|r|n)?|hable(?:n)?|responde(?:me|r)?|escribe(?:me)?|cambia(?:r)? a(?:l)?)(?: en)? ingles)\b"
    r"|^english\??$"
)
_SPANISH = re.compile(
    r"\b(?:in spanish|spanish,? (?:please|pls)|(?:speak|talk|write|answer|reply|continue)(?: to me)?(?: in)? spanish"
    r"|(?:en|habla(?:s|r|n)?|hable(?:n)?|responde(?:me|r)?|escribe(?:me)?|cambia(?:r)? a(?:l)?)(?: en)?"
    r" (?:espanol|castellano))\b"
    r"|^(?:spanish|espanol|castellano)\??$"
)
# A message of nothing but these and the wish repeats no question: the earlier one is meant.
_AROUND = re.compile(
    r"[^a-z]|\b(?:hi|hello|hola|sorry|perdon|disculpa|can|could|may|we|you|do|would|i|please|pls|plz|por|favor|porfa|"
    r"puedes|puede|podrias|podemos|me|no|not|but|pero|speak|talk|write|answer|reply|continue|switch|to|hablas?|hablar|hablan|hable|"
    r"responde|responder|contestar|escribe|seguir|prefer|prefiero|want|quiero|need|in|en|the|language|idioma|a|al|only|solo|"
    r"don't|entiendo|understand|es|is|it|possible|posible|gracias|thanks|spanish|english|ingles|espanol|castellano|cambiar?)\b"
)
_PORTUGUESE = re.compile(
    r"\b(?:voces?|nao|obrigad[oa]|bom dia|boa (?:tarde|noite)|precos?|cartao|cartoes|lojas?|quanto custa|"
    r"onde ficam?|tudo bem|entregam|devolucao|ate que horas|aceitam|qual e|meu pedido|minha compra|"
    r"gostaria|preciso de um|preciso trocar|trocar|estao|sao|muito|endereco|chegou|ainda|comprei|posso pagar|"
    r"tem algum)\b"
)
_HINTS = frozenset(
    [
        "tem",
        "uma",
        "um",
        "com",
        "meu",
        "minha",
        "ficam",
        "posso",
        "quero",
        "trabalham",
        "aberto",
        "abertos",
        "isso",
        "voltar",
        "fica",
        "ola",
        "oi",
        "sim",
        "tamanho",
        "sapato",
        "sapatos",
        "preta",
        "preto",
        "branco",
        "branca",
        "vermelho",
        "pra",
        "pro",
        "dinheiro",
        "boleto",
        "pelo",
        "pela",
        "do",
        "ao",
        "onde",
        "quando",
        "quanto",
        "cor",
        "numero",
        "chegar",
        "entrega",
        "frete",
        "desconto",
    ]
)
_WORD = re.compile(r"(?<![@.\w])[a-z]+(?![@\w])")
_ONLY_SPANISH = re.compile(
    r"[ñ¿¡]|\b(?:el|los|las|y|hay|tienen|donde|cuando|cuanto|quiero|hola|gracias|pero|con|mi|estoy|una|del|usted|ustedes)\b"
)


def language_asked_for(text: str) -> Language | None:
    """Return the language a message asks to be answered in: "in english please", "en español por favor"."""
    folded = fold(text)
    if _ENGLISH.search(folded):
        return "en"
    return "es" if _SPANISH.search(folded) else None


def only_asks_for_language(text: str) -> bool:
    """Tell whether a message asks for a language and for nothing else."""
    return language_asked_for(text) is not None and not _AROUND.sub("", fold(text))


def is_portuguese(text: str) -> bool:
    """Tell whether a message is written in Portuguese rather than in Spanish. One word in doubt is Spanish."""
    lowered, folded = text.casefold(), fold(text)
    signs = 2 * len(_PORTUGUESE.findall(folded)) + 2 * sum(character in "ãõç" for character in lowered)
    signs += sum(word in _HINTS for word in _WORD.findall(folded))
    against = len(_ONLY_SPANISH.findall(lowered)) + ("ñ" in lowered)
    return signs >= 3 and signs > 2 * against
