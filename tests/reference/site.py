"""What the docs site needs besides mkdocs' own (a hook of ``mkdocs.yml``)."""

from __future__ import annotations

import re

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([A-Z][A-Za-z.]*\.md)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Name the files of the source tree that pages link to: on the site they are not there."""
    return _OUTSIDE.sub(r"\1 (`\2` of the source)", markdown)
