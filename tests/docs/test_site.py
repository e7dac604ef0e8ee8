"""The docs site builds strictly: every link and anchor leads somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.docs.blocks import ROOT, pages

LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
# What a browser fetches of a link; the others only name an address.
FETCHED = {"stylesheet", "icon", "preload", "preconnect", "manifest", "modulepreload"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the dependency group `docs` is not installed (uv sync --group docs)")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Loaded(HTMLParser):
    """What a browser loads for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        address = known.get(LOADING.get(tag, ""))
        if address and (tag != "link" or FETCHED & set((known.get("rel") or "").split())):
            self.addresses.append(address)


def test_a_browser_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = Loaded()
        loaded.feed(page.read_text("utf-8"))
        assert loaded.addresses
        assert not [address for address in loaded.addresses if re.match(r"(?:https?:)?//", address)], page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text("utf-8")), sheet


def test_a_page_is_there_in_spanish_and_in_english_where_nobody_has_translated_it(site: Path) -> None:
    def heading(page: str) -> str:
        found = re.search(r"<h1[^>]*>(.*?)<a", (site / page / "index.html").read_text("utf-8"), re.DOTALL)
        assert found is not None
        return found[1].strip()

    assert (heading("start/first-day"), heading("es/start/first-day")) == (
        "A shop's first day",
        "El primer día de una tienda",
    )
    assert heading("es/scale") == heading("scale")
    assert '<html lang="es"' in (site / "es/index.html").read_text("utf-8")


def test_links_lead_somewhere_in_the_source_too_where_no_site_is_built(site: Path) -> None:
    for page in (*pages(), ROOT / "CHANGELOG.md"):
        for path, anchor in links(page):
            target = page.parent / path if path else page
            assert target.exists(), f"{page}: {path}"
            if anchor and target.suffix == ".md" and page.parent == ROOT:  # those within docs the build looks at
                assert anchor in anchors(site, target), f"{page}: {path}#{anchor}"


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Return path and anchor of a page's links to files; what stands in blocks is no link."""
    shown = re.sub(r"^( *)```.*?^\1```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in LINK.findall(re.sub(r"`[^`\n]*`", "", shown)):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            yield path, anchor


def anchors(site: Path, page: Path) -> set[str]:
    """Return a page's anchors: of docs as the site has them, of the root as GitHub makes them."""
    if page.is_relative_to(ROOT / "docs"):
        html = (site / page.relative_to(ROOT / "docs").with_suffix("") / "index.html").read_text("utf-8")
        return set(re.findall(r'<h[1-6] id="([^"]+)"', html))
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
