"""The list of attacks in docs/security.md and the tests that make them are the same."""

from __future__ import annotations

import re
from pathlib import Path

_TESTS = Path(__file__).parents[1]
_PAGE = _TESTS.parent / "docs" / "security.md"
_FILE = re.compile(r"`((?:attacks|e2e|unit)/[\w/]+\.py)")
# A test by its own name, or by an end or a beginning of it ("…" stands for the rest); rules of a class by class.rule.
_TEST = re.compile(r"`(?:[\w/]+\.py::|…)(\w+)…?`|`[A-Z]\w+\.(\w+)`")


def listed() -> str:
    return _PAGE.read_text().partition("## The attacks")[2].partition("\n## ")[0]


def test_every_test_the_list_names_is_there() -> None:
    files = {_TESTS / name for name in _FILE.findall(listed())}
    assert [path for path in files if not path.exists()] == []
    source = "\n".join(path.read_text() for path in files)
    names = {of_test or rule for of_test, rule in _TEST.findall(listed())}
    assert len(names) > 20
    assert [name for name in sorted(names) if not re.search(rf"(?:def|class) \w*{name}", source)] == []


def test_every_attack_is_on_the_list() -> None:
    named = set(_FILE.findall(listed()))
    missing = {f"attacks/{path.name}" for path in (_TESTS / "attacks").glob("test_*.py")} - named
    assert missing == set()
