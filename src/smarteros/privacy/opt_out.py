"""A customer's wish to be left alone: the words that say it and what is said to it are data (``data/opt_out.yml``)."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, cast

import yaml

from smarteros.domain.decisions import Language
from smarteros.kit.text import fold, strip_controls

RULE = "opt_out"
_LONGEST = 500  # a long story that contains such words somewhere is for the agent, who may hand it over
_ENGLISH = re.compile(
    r"\b(?:please|unsubscribe|opt out|more (?:messages|texts|emails)|don'?t|do not|(?:stop|quit) \w+ing)\b"
)


def opts_out(text: str) -> bool:
    """Tell whether a message says that its writer wants no more messages.

    Only what says so plainly: "¿la zapatilla de caña baja?" and "no me escriban más tarde" are no such wish.
    """
    if not text or len(text) > _LONGEST:
        return False
    words = _words(text)
    plain = re.sub(r"[^\w' ]+", " ", words)
    return _whole().fullmatch(" ".join(plain.split())) is not None or _within().search(words) is not None


def confirmation(text: str, language: Language | None) -> str:
    """Return what is answered, once, in the customer's language: known from before, or by the words of the wish."""
    spoken = language or ("en" if _ENGLISH.search(_words(text)) else "es")
    return cast("dict[str, str]", _data()["confirmation"])[spoken]


def note_for_people(text: str, *, asked: bool) -> str:
    """Return the private note: the wish was just said (``asked``), or its writer was blocked before."""
    notes = cast("dict[str, str]", _data()["note"])
    return notes["asked" if asked else "blocked"].format(text=text or "(sin texto)")


def _words(text: str) -> str:
    return fold(strip_controls(text)).replace("’", "'")


@cache
def _data() -> dict[str, Any]:
    return yaml.safe_load(files("smarteros.privacy").joinpath("data/opt_out.yml").read_text("utf-8"))


@cache
def _whole() -> re.Pattern[str]:
    data = _data()
    courtesy = f"(?:{data['courtesies']})"
    return re.compile(rf"(?:{courtesy} )*(?:{'|'.join(data['whole'])})(?: {courtesy})*")


@cache
def _within() -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{pattern})" for pattern in _data()["within"]))
