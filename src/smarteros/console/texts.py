"""The console's words in Spanish and English, and how it writes times and figures."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from importlib import resources

import yaml

from smarteros.domain.decisions import Language
from smarteros.kit.clock import in_santiago

_FILES = ("texts.yml", "operating_texts.yml")
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip

Texts = dict[str, dict[Language, str]]


@cache
def texts() -> Texts:
    """Return all texts by name: ``{"nav.audit": {"es": …, "en": …}}``."""
    groups: dict[str, dict[str, list[str]]] = {}
    for name in _FILES:
        groups |= yaml.safe_load(resources.files("smarteros.console").joinpath(f"data/{name}").read_text("utf-8"))
    return {
        f"{group}.{name}": {"es": both[0], "en": both[1]}
        for group, named in groups.items()
        for name, both in named.items()
    }


def say(language: Language, name: str, **values: object) -> str:
    """Return a text with its values. KeyError for a name there is not: a template's mistake."""
    text = texts()[name][language]
    return text.format(**values) if values else text


def say_code(language: Language, group: str, code: object) -> str:
    """Return the text of a code of ours (an outcome, a reason), or the code itself where there is none."""
    known = texts().get(f"{group}.{code}")
    return known[language] if known else str(code).replace("_", " ")


def codes_of(group: str) -> list[str]:
    """List the codes of ours that have a text in a group."""
    return [name.removeprefix(f"{group}.") for name in texts() if name.startswith(f"{group}.")]


def clock_time(instant: datetime) -> str:
    """Write day and time of Chile."""
    return in_santiago(instant).strftime("%d-%m-%Y %H:%M:%S")


def age(language: Language, now: datetime, instant: datetime) -> str:
    """Write how long ago an instant was, in its largest unit."""
    unit, n = _largest_unit(now - instant)
    return say(language, f"age.{unit}", n=n)


def length(language: Language, duration: timedelta) -> str:
    """Write how long something took, in its largest unit."""
    unit, n = _largest_unit(duration)
    return say(language, f"length.{unit}", n=n)


def _largest_unit(duration: timedelta) -> tuple[str, int]:
    seconds = max(0, int(duration.total_seconds()))
    for unit, length_s in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length_s:
            return unit, seconds // length_s
    return "s", seconds


def figure(language: Language, value: float, digits: int = 1) -> str:
    """Write a number with so many decimals, which Spanish sets off with a comma."""
    written = f"{value:.{digits}f}"
    return written.replace(".", ",") if language == "es" else written


def milliseconds(language: Language, duration_ms: float) -> str:
    """Write a duration of a step."""
    if duration_ms >= 1000:
        return f"{figure(language, duration_ms / 1000)} s"
    return f"{figure(language, duration_ms, 0 if duration_ms >= 10 else 1)} ms"


def browser_name(user_agent: str) -> str:
    """Name the browser and system of a User-Agent, as far as people know them by name; else as it is."""
    # Each pretends to be those behind it.
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), None)
    return " · ".join(name for name in (browser, system) if name) or user_agent
