"""From a shop owner's Markdown file to a Document.

A file starts with optional YAML front matter: ``title``, ``category``, ``language``, ``valid_from``, ``valid_until``,
``approval`` (or their Spanish names) and policy figures whose names end in ``_days``, ``_months`` or ``_purchases``.
Then ``# Title`` and one ``## heading`` per question; ``**¿Question?**`` and ``P: ... R: ...`` are read as well.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, get_args

import yaml

from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Approval, Category, Document, Source
from smarteros.kit.text import strip_controls
from smarteros.knowledge.categories import category_named
from smarteros.knowledge.passages import HEADING, without_markup
from smarteros.knowledge.words import approval_named, day_named, language_named

MAX_DOCUMENT_CHARS = 400_000
_LONGEST_FRONT_MATTER = 10_000

_FACT_UNITS = ("_days", "_months", "_purchases")
_NAMES = {
    "titulo": "title", "categoria": "category", "intent": "category", "idioma": "language", "lang": "language",
    "vigente_desde": "valid_from", "valido_desde": "valid_from", "desde": "valid_from",
    "vigente_hasta": "valid_until", "valido_hasta": "valid_until", "hasta": "valid_until", "valid_to": "valid_until",
    "estado": "approval", "status": "approval",
}  # fmt: skip

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_BOLD_QUESTION = re.compile(r"^[ \t]*(?:\*\*|__)((?:(?!\*\*|__).){3,300}\?)[ \t]*(?:\*\*|__)[ \t]*$")
_ASKED = re.compile(
    r"^[ \t]*(?:\*\*)?(?:p|q|pregunta|question)(?:[ \t]*\d{1,3})?[.:)][ \t]*(?:\*\*)?[ \t]*(\S.*?)(?:\*\*)?[ \t]*$",
    re.I,
)
_ANSWERED = re.compile(r"^[ \t]*(?:\*\*)?(?:r|a|respuesta|answer)[.:)][ \t]*(?:\*\*)?[ \t]*(\S.*)$", re.I)


def parse_markdown(name: str, source: str, *, kind: Source = "markdown") -> Document:
    """Read one file; RejectedInputError names the file and what is wrong with it."""
    if len(source) > MAX_DOCUMENT_CHARS:
        raise rejected(name, f"it has {len(source)} characters, the limit is {MAX_DOCUMENT_CHARS}")
    text = strip_controls(source.replace("\r\n", "\n").replace("\r", "\n"))
    front: dict[str, Any] = {}
    found = _FRONT_MATTER.match(text)
    if found:
        front, text = _front_matter(name, found.group(1)), text[found.end() :]
    body = _with_headings(text.strip())
    title = front.pop("title", None) or _first_heading(body) or name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return Document(
        name=name,
        title=str(title),
        category=_category(name, front.pop("category", "otros")),
        language=_language(name, front.pop("language", "es")),
        valid_from=_day(name, "valid_from", front.pop("valid_from", None)),
        valid_until=_day(name, "valid_until", front.pop("valid_until", None)),
        approval=_approval(name, front.pop("approval", "approved")),
        markdown=body,
        facts=_facts(name, front),
        source=kind,
    )


def rejected(name: str, reason: str) -> RejectedInputError:
    """Make the error that says which file is refused and why."""
    return RejectedInputError("kb_document_invalid", f"{name}: {reason}")


def _front_matter(name: str, source: str) -> dict[str, Any]:
    if len(source) > _LONGEST_FRONT_MATTER or re.search(r"(?m)[:\-\[,][ \t]*[&*]\w", source):
        raise rejected(name, "its front matter is too long or uses YAML anchors")
    try:
        loaded: Any = yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise rejected(name, f"its front matter is not YAML ({error})") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise rejected(name, "its front matter is not a list of 'key: value' lines")
    return {_NAMES.get(str(key), str(key)): value for key, value in loaded.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _category(name: str, value: object) -> Category:
    category = category_named(str(value))
    if category is None:
        raise rejected(name, f"category {value!r} is not one of {', '.join(get_args(Category))}")
    return category


def _language(name: str, value: object) -> Language:
    language = language_named(str(value))
    if language is None:
        raise rejected(name, f"language {value!r} is not one of {', '.join(get_args(Language))}")
    return language


def _approval(name: str, value: object) -> Approval:
    approval = approval_named(value)
    if approval is None:
        raise rejected(name, f"approval {value!r} is not one of {', '.join(get_args(Approval))}")
    return approval


def _day(name: str, key: str, value: object) -> date | None:
    if value is None or value == "":
        return None
    day = day_named(value)
    if day is None:
        raise rejected(name, f"{key} {value!r} is not a day like 2026-12-31")
    return day


def _facts(name: str, front: dict[str, Any]) -> dict[str, int]:
    for key, value in front.items():
        if not key.endswith(_FACT_UNITS):
            raise rejected(name, f"front matter key {key!r} is unknown")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise rejected(name, f"{key} must be a whole number, not {value!r}")
    return dict(front)


def _first_heading(body: str) -> str | None:
    for line in body.splitlines():
        found = HEADING.match(line)
        if found:
            return without_markup(found.group(2)).strip()
    return None


def _with_headings(body: str) -> str:
    """Write questions that are only bold, or marked "P:", as headings; the mark of their answers goes."""
    lines: list[str] = []
    asked = False
    for line in body.splitlines():
        question = _BOLD_QUESTION.match(line) or _ASKED.match(line)
        answer = _ANSWERED.match(line) if asked else None
        if question:
            lines += ["", f"## {question.group(1).strip()}", ""]
        else:
            lines.append(answer.group(1) if answer else line)
        asked = bool(question) or (asked and not line.strip())
    return "\n".join(lines).strip()
