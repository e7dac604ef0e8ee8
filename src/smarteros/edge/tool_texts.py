"""Tool results in words, for callers from outside: a short Spanish text of what was found, or why nothing was."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

import yaml
from jinja2 import TemplateError
from pydantic import BaseModel, ValidationError

from smarteros.contracts.expressions import compile_text
from smarteros.domain.model import Model
from smarteros.domain.tools import ToolOutcome, ToolResult


class FailureWords(Model):
    """What happened, and what the caller can do about it: a sentence each."""

    message: str
    hint: str


class Failure(FailureWords):
    """Why a tool gave nothing. ``code`` is for machines."""

    code: str

    @property
    def sentences(self) -> str:
        """Both sentences."""
        return f"{self.message} {self.hint}"


class _Failures(Model):
    codes: dict[str, FailureWords]
    outcomes: dict[ToolOutcome, FailureWords]


class _Texts(Model):
    results: dict[str, str]
    failures: _Failures


def in_words(result: ToolResult, output_model: type[BaseModel]) -> str:
    """Say what a tool found. A tool without a text of its own, or a result unlike its model, is given as JSON."""
    source = _texts().results.get(result.tool)
    if source is not None:
        try:
            text = compile_text(source).render(result=output_model.model_validate(result.data))
            return text.strip()
        except (TemplateError, ValidationError, TypeError, ValueError):
            pass
    return json.dumps(result.data, ensure_ascii=False, separators=(",", ":"))


def failure_of(result: ToolResult) -> Failure:
    """Say why a tool found nothing."""
    failures = _texts().failures
    code = result.error_code or result.outcome
    words = failures.codes.get(code) or failures.outcomes.get(result.outcome) or failures.outcomes["error"]
    return Failure(code=code, **words.model_dump())


@lru_cache(maxsize=1)
def _texts() -> _Texts:
    return _Texts.model_validate(
        yaml.safe_load(files("smarteros.edge").joinpath("data", "tool_texts.yml").read_text("utf-8"))
    )
