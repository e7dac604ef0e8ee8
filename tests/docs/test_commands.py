"""Every command block of the pages is run as it is written, or says why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.docs.blocks import LANGUAGE, ROOT, Fence, fences, is_printed, pages
from tests.docs.terminal import Terminal, Typed, environment
from tests.support import free_port

# Its shop is taken on by hand, so it has an installation of its own, and the ports it names.
FIRST_DAY = "docs/start/first-day.md"
SPANISH_FIRST_DAY = "docs/es/start/first-day.md"
PORTS = ("8080", "8101", "8102", "8103", "8104", "8105")
# Languages of what nobody types.
SHOWN = {"text", "json", "yaml", "python", "markdown", "ini", "toml", "dockerfile", "sql"}


def run_on(page: Path) -> list[Fence]:
    return [fence for fence in fences(page) if fence.language == LANGUAGE and fence.not_run is None]


BY_NAME = {page.relative_to(ROOT).as_posix(): page for page in pages()}
# What a translation shows is run where it comes from.
ORIGINALS = {name: name.replace("docs/es/", "docs/").replace("README.es", "README") for name in BY_NAME}
WITH_COMMANDS = [name for name, page in BY_NAME.items() if name == ORIGINALS[name] != FIRST_DAY and run_on(page)]


def has_gone_as_written(page: Path, typed: list[Typed]) -> None:
    for each in typed:
        assert each.well, f"{page.name}:{each.fence.line} failed\n{each.fence.text}\n{each.out}\n{each.err}"
    assert len(typed) == len(run_on(page))
    printed = {each.fence.line: each.out for each in typed}
    before = ""
    for fence in fences(page):
        before = printed.get(fence.line, before)
        if fence.prints:
            assert is_printed(fence.text, before), f"{page.name}:{fence.line} is not what is printed:\n{before}"


@pytest.mark.parametrize("name", BY_NAME)
def test_a_block_says_what_it_is_and_why_it_is_not_run(name: str) -> None:
    for fence in fences(BY_NAME[name]):
        where = f"{name}:{fence.line}"
        assert fence.language == LANGUAGE or fence.language in SHOWN, f"{where}: {fence.language or 'no language'}"
        assert fence.not_run is None or len(fence.not_run) > 10, f"{where} does not say why it is not run"


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_the_commands_of_a_page_run_as_written(
    name: str, demo_terminal: Callable[[Path], Terminal], tmp_path: Path
) -> None:
    has_gone_as_written(BY_NAME[name], demo_terminal(tmp_path).type(run_on(BY_NAME[name])))


def test_a_stranger_gets_a_shop_to_work_by_the_tutorial_alone(programs_at_hand: Path, tmp_path: Path) -> None:
    free = {port: str(free_port()) for port in PORTS}
    page = BY_NAME[FIRST_DAY]
    terminal = Terminal(tmp_path, environment(programs_at_hand, tmp_path), free)
    has_gone_as_written(page, terminal.type(run_on(page)))


@pytest.mark.parametrize("name", [name for name, original in ORIGINALS.items() if name != original])
def test_a_translation_has_no_command_that_its_original_has_not(name: str) -> None:
    known = "".join(fence.text for fence in fences(BY_NAME[ORIGINALS[name]]))
    lines = [line for fence in run_on(BY_NAME[name]) for line in fence.text.splitlines()]
    assert not [line for line in lines if line not in known]


def test_the_tutorial_is_the_same_in_both_languages() -> None:
    english, spanish = ([fence.text for fence in fences(BY_NAME[name])] for name in (FIRST_DAY, SPANISH_FIRST_DAY))
    assert english == spanish
