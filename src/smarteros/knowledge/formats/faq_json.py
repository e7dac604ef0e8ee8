"""FAQ exports in JSON, in the many shapes they have.

A list of entries at any depth, with keys in Spanish or English ({question, answer}, {pregunta, respuesta},
{title, content}), a mapping of questions to answers, entries grouped by category, schema.org's FAQPage, and entries
in two languages ({"question_es", "answer_es", "question_en", ...} or {"question": {"es", "en"}}).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast, get_args

from smarteros.domain.decisions import Language
from smarteros.domain.knowledge import Approval, Category, Document, Section
from smarteros.kit.text import fold, strip_controls
from smarteros.knowledge.categories import category_named
from smarteros.knowledge.formats.html_page import html_to_markdown
from smarteros.knowledge.formats.plain import as_text
from smarteros.knowledge.markdown import MAX_DOCUMENT_CHARS, rejected
from smarteros.knowledge.words import approval_named, day_named, language_named, language_of

MAX_DEPTH = 12
MAX_SECTIONS = 5_000
_LONGEST_TITLE = 300
_QUESTIONS = (
    "question", "pregunta", "q", "p", "questions", "preguntas", "consulta", "title", "titulo", "heading", "encabezado",
    "name", "nombre", "prompt", "label", "tema", "topic", "short_code", "shortcode",
)  # fmt: skip
_ANSWERS = (
    "answer", "respuesta", "a", "r", "accepted_answer", "acceptedanswer", "answers", "respuestas", "text", "texto",
    "content", "contenido", "body", "cuerpo", "markdown", "html", "description", "descripcion", "reply", "response",
    "mensaje", "message", "passage", "pasaje",
)  # fmt: skip
_ALSO = (
    "also", "aliases", "alias", "variants", "variantes", "alternatives", "alternativas", "otras_preguntas",
    "sinonimos", "synonyms", "examples", "ejemplos", "utterances", "keywords", "palabras_clave", "similar_questions",
)  # fmt: skip
_CATEGORY = (
    "category",
    "categoria",
    "intent",
    "intencion",
    "section",
    "seccion",
    "area",
    "group",
    "grupo",
    "tema",
    "topic",
)
_LANGUAGE = ("language", "idioma", "lang", "locale", "lengua", "inlanguage")
_FROM = ("valid_from", "vigente_desde", "valido_desde", "desde", "start_date", "fecha_inicio", "valid_since")
_UNTIL = ("valid_until", "valid_to", "vigente_hasta", "valido_hasta", "hasta", "end_date", "fecha_termino", "expires")
_APPROVAL = (
    "approval",
    "status",
    "estado",
    "approved",
    "aprobado",
    "aprobada",
    "published",
    "publicado",
    "active",
    "activo",
)
_FIGURES = ("_days", "_months", "_purchases")
_CONTAINER_TITLES = ("title", "titulo", "name", "nombre")
_SPELLED = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class _Around:
    """What the containers of an entry say about it."""

    category: Category | None = None
    language: Language | None = None
    approval: Approval | None = None
    valid_from: date | None = None
    valid_until: date | None = None


def read_json(name: str, data: bytes) -> Document:
    """Read one JSON file; RejectedInputError when it is none, too deep, or has no question with an answer."""
    text = as_text(name, data)
    try:
        loaded: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise rejected(name, f"it is not JSON ({error})") from error
    return _document(name, loaded)


def read_json_lines(name: str, data: bytes) -> Document:
    """Read a file of one JSON entry a line."""
    entries: list[Any] = []
    for number, line in enumerate(as_text(name, data).splitlines(), start=1):
        if line.strip():
            try:
                entries.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise rejected(name, f"line {number} is not JSON ({error})") from error
    return _document(name, entries)


def sections_in(name: str, loaded: object) -> tuple[Section, ...]:
    """Collect every question with an answer, in their order."""
    sections: list[Section] = []
    for section in _walk(name, loaded, _Around(), 0):
        sections.append(section)
        if len(sections) > MAX_SECTIONS:
            raise rejected(name, f"it has more than {MAX_SECTIONS} entries")
    return tuple(sections)


def _document(name: str, loaded: object) -> Document:
    sections = sections_in(name, loaded)
    if not sections:
        raise rejected(name, "it has no entry with a question and an answer")
    if sum(len(section.text) + len(section.title) for section in sections) > MAX_DOCUMENT_CHARS:
        raise rejected(name, f"it has more than {MAX_DOCUMENT_CHARS} characters")
    fields = _spelled(cast(dict[str, Any], loaded)) if isinstance(loaded, dict) else {}
    facts = {k: v for k, v in fields.items() if k.endswith(_FIGURES) and type(v) is int and v >= 0}
    title = next((str(fields[key]) for key in _CONTAINER_TITLES if isinstance(fields.get(key), str)), None)
    languages = [section.language for section in sections]
    main: Language = "en" if languages.count("en") > len(languages) / 2 else "es"
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return Document(name=name, title=title or stem, language=main, sections=sections, facts=facts, source="json")


def _walk(name: str, value: object, around: _Around, depth: int) -> Iterator[Section]:
    if depth > MAX_DEPTH:
        raise rejected(name, f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        for each in cast(list[object], value):
            yield from _walk(name, each, around, depth + 1)
    elif isinstance(value, dict):
        original = cast(dict[str, Any], value)
        fields = _spelled(original)
        around = _narrowed(around, fields)
        entries = list(_entries(fields, around))
        if entries:
            yield from entries
            return
        for key, below in original.items():
            if isinstance(below, str) and key.rstrip().endswith("?") and below.strip():
                yield from _section(key, below, (), around)
            elif isinstance(below, list | dict):
                named = category_named(key) or category_named(str(_first(fields, _CONTAINER_TITLES) or ""))
                yield from _walk(
                    name, cast(object, below), replace(around, category=around.category or named), depth + 1
                )


def _entries(fields: dict[str, Any], around: _Around) -> Iterator[Section]:
    """Read an entry: once, or once for each language it is written in."""
    also = tuple(_texts(_first(fields, _ALSO)))
    for language in get_args(Language):
        question = _in_language(fields, _QUESTIONS, language)
        answer = _in_language(fields, _ANSWERS, language)
        if question and answer:
            yield from _section(question, answer, (), replace(around, language=language))
    question_value = _first(fields, _QUESTIONS)
    questions = _texts(question_value)
    answers = _texts(_first(fields, _ANSWERS, but=question_value))
    if questions and answers:
        yield from _section(questions[0], "\n\n".join(answers), (*questions[1:], *also), around)


def _section(question: str, answer: str, also: tuple[str, ...], around: _Around) -> Iterator[Section]:
    title = " ".join(strip_controls(question).split())[:_LONGEST_TITLE]
    text = strip_controls(answer).replace("\r\n", "\n").strip()
    if re.search(r"</?(?:p|br|ul|li|div|strong|a|ol|table|span)\b[^>]{0,200}>", text, re.I):
        text = html_to_markdown(text)
    if title and text:
        yield Section(
            title=title,
            # A "# ..." in an answer must not cut it in two; sections are not cut at headings.
            text=re.sub(r"(?m)^#{1,6}[ \t]+", "", text),
            category=around.category,
            language=around.language or language_of(f"{title} {text}"),
            approval=around.approval,
            valid_from=around.valid_from,
            valid_until=around.valid_until,
            also=tuple(each[:_LONGEST_TITLE] for each in also[:50]),
        )


def _narrowed(around: _Around, fields: dict[str, Any]) -> _Around:
    """Take over what a container or entry says itself."""
    language = _first(fields, _LANGUAGE)
    approval = _first(fields, _APPROVAL)
    return _Around(
        category=_category(fields) or around.category,
        language=(language_named(str(language)) if language is not None else None) or around.language,
        approval=(approval_named(approval) if approval is not None else None) or around.approval,
        valid_from=_day(fields, _FROM) or around.valid_from,
        valid_until=_day(fields, _UNTIL) or around.valid_until,
    )


def _category(fields: dict[str, Any]) -> Category | None:
    for key in _CATEGORY:
        for text in _texts(fields.get(key)):
            category = category_named(text)
            if category is not None:
                return category
    return None


def _day(fields: dict[str, Any], keys: tuple[str, ...]) -> date | None:
    value = _first(fields, keys)
    return day_named(value) if isinstance(value, str) else None


def _first(fields: dict[str, Any], keys: tuple[str, ...], *, but: object = None) -> object:
    for key in keys:
        value = fields.get(key)
        if value not in (None, "", [], {}) and (but is None or value is not but):
            return value
    return None


def _in_language(fields: dict[str, Any], keys: tuple[str, ...], language: Language) -> str | None:
    """Read ``question_es`` or ``question: {es: ...}``."""
    for key in keys:
        for value in (fields.get(f"{key}_{language}"), _mapping(fields.get(key)).get(language)):
            if isinstance(value, str) and value.strip():
                return value
    return None


def _texts(value: object) -> list[str]:
    """Read a text, a list of texts, or {"text": ...} as schema.org writes an accepted answer."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, list):
        return [text for each in cast(list[object], value)[:100] for text in _texts(each)]
    if isinstance(value, dict):
        return _texts(_first(_mapping(cast(object, value)), ("text", "texto", "name", "content", "value")))
    return []


def _mapping(value: object) -> dict[str, Any]:
    return _spelled(cast(dict[str, Any], value)) if isinstance(value, dict) else {}


def _spelled(fields: dict[str, Any]) -> dict[str, Any]:
    """Bring keys to one spelling: "Respuesta Corta" and "respuesta-corta" are respuesta_corta."""
    return {_SPELLED.sub("_", fold(str(key))).strip("_"): value for key, value in fields.items()}
