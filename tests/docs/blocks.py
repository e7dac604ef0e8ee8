"""What a reader may type: the command blocks of the pages, and what the page says of them.

A block is fenced as ``sh``. A comment above it says what is not plain:

- ``<!-- not run: why -->``: it cannot be run here.
- ``<!-- goes on -->``: it runs until Ctrl-C, in a terminal of its own; it is ready when it prints ``ready``.

A block of the language ``text`` below ``<!-- prints -->`` is what the block before it prints: each line of it, in that
order, with ``…`` for whatever is different each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGE = "sh"
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_COMMENT = re.compile(r"<!-- (?P<said>[^\n]*?) -->\s*\Z")
_NOT_RUN = "not run: "


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, its text without the indent, its line, and what the comment above it says."""

    language: str
    text: str
    line: int
    said: str

    @property
    def not_run(self) -> str | None:
        """Why it is not run; None when it is."""
        return self.said.removeprefix(_NOT_RUN) if self.said.startswith(_NOT_RUN) else None

    @property
    def goes_on(self) -> bool:
        """Whether it runs until it is stopped."""
        return self.said == "goes on"

    @property
    def prints(self) -> bool:
        """Whether it is what the block before it prints."""
        return self.said == "prints"


def pages() -> tuple[Path, ...]:
    """Return every page a stranger may follow."""
    return (*sorted(ROOT.glob("README*.md")), ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))


def fences(page: Path) -> Iterator[Fence]:
    """Walk over the fenced blocks of a page."""
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        above = _COMMENT.search(text, 0, found.start())
        indent = found["indent"]
        yield Fence(
            language=found["language"],
            text="".join(line.removeprefix(indent) for line in found["body"].splitlines(keepends=True)),
            line=text.count("\n", 0, found.start()) + 1,
            said=above["said"] if above else "",
        )


def is_printed(expected: str, printed: str) -> bool:
    """Tell whether each line is there, in that order; ``…`` stands for anything within a line."""
    lines = [line for line in expected.splitlines() if line.strip(" …")]
    pattern = ".*?".join(".*?".join(re.escape(part.strip()) for part in line.split("…")) for line in lines)
    return re.search(pattern, printed, re.DOTALL) is not None
