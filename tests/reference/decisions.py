"""The list of decisions."""

from __future__ import annotations

from pathlib import Path

from tests.reference.tables import page, text_of

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"


def decisions_page() -> str:
    """Write the page."""
    titles = {
        path.name: path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        for path in sorted(FOLDER.glob("[0-9]*.md"))
    }
    return text_of(
        [
            *page("Decisions", "What binds others, with the reasons. A number that is missing was never given away."),
            *(f"- [{title}]({name})" for name, title in titles.items()),
        ]
    )
