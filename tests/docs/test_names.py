"""Commands, options and settings that a page names in passing are there; its blocks are run by `test_commands`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from tests.docs.blocks import ROOT, pages
from typer.core import TyperCommand, TyperGroup

from smarteros.cli.main import app

# Pages written from the code need no look; decisions tell of what was.
OURS = [page for page in pages() if not {"reference", "decisions"} & set(page.relative_to(ROOT).parts)]
_CODE = re.compile(r"`([^`\n]+)`|^ *((?:uv run )?smos .*)$", re.MULTILINE)
# Commands by name, some of them side by side (`smos brain show|set`), and what follows them.
_COMMAND = re.compile(r"(?:uv run )?smos ((?:[a-z][a-z|-]*(?: +|$))+)(.*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
# Where another command, or a remark, begins.
_ENDS = re.compile(r" #|;| && |\| (?!--)")
_SETTING = re.compile(r"\bSMOS_[A-Z0-9_]*[A-Z0-9]\b(?!…|_?\*)")


Command = TyperCommand | TyperGroup


def commands(path: tuple[str, ...], command: Command) -> Iterator[tuple[tuple[str, ...], Command]]:
    yield path, command
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from commands((*path, name), below)


KNOWN = dict(commands((), typer.main.get_command(app)))
SETTINGS = set(_SETTING.findall((ROOT / "docs/reference/settings.md").read_text("utf-8")))


def unknown(words: list[str], options: set[str]) -> Iterator[str]:
    """Say which of the words is no command, and which option none of the commands has."""
    found: list[tuple[str, ...]] = [()]
    for word in words:
        groups = [path for path in found if isinstance(KNOWN[path], TyperGroup)]
        if not groups:  # from here on they are arguments
            break
        found = [(*path, name) for path in groups for name in word.split("|")]
        if missing := [path for path in found if path not in KNOWN]:
            yield " ".join(missing[0])
            return
    had = {name for path in found for each in KNOWN[path].params for name in (*each.opts, *each.secondary_opts)}
    yield from options - had - {"--help"}


def commands_of(text: str) -> Iterator[tuple[str, list[str], set[str]]]:
    for quoted, typed in _CODE.findall(text.replace("\\\n", " ").replace("\\|", "|")):
        if named := _COMMAND.fullmatch(quoted or typed):
            yield named[0], named[1].split(), set(_OPTION.findall(_ENDS.split(named[2])[0]))


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_commands_options_and_settings_a_page_names_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    wrong = [(line, word) for line, words, options in commands_of(text) for word in unknown(words, options)]
    assert wrong == []
    assert set(_SETTING.findall(text)) - SETTINGS == set()


def test_a_command_an_option_or_a_setting_that_is_gone_would_be_noticed() -> None:
    text = "`smos brain show|forget --tenant ID`, `smos backup --into FILE`, `smos kb search Q`; SMOS_NOTHING"
    wrong = [word for _, words, options in commands_of(text) for word in unknown(words, options)]
    assert wrong == ["brain forget", "--into"]
    assert set(_SETTING.findall(text)) - SETTINGS == {"SMOS_NOTHING"}
