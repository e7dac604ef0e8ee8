"""Take the console's pictures from a running demo.

``uv run python docs/images/take_console.py LINK``, with the link the demo prints after ``console``, once customers
have written (``smos contract test --url`` has many of them), something is amiss (``POST /sandbox/faults``) and an alert
is silenced.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent


def take(link: str) -> None:
    """Sign in by the one-time link and keep some pages as pictures of few colours."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--headless", "--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="es-CL")
        page.goto(link)
        page.wait_for_url("**/console/conversations")
        page.locator("a.conversation").first.wait_for()
        keep(page, "console-conversations")
        page.get_by_text("talla 42").first.click()
        page.get_by_role("link", name="¿Por qué respondió esto?").last.click()
        page.locator(".times").wait_for()
        keep(page, "console-turn", whole=True)
        page.goto(urljoin(link, "/console/alerts"))
        keep(page, "console-alerts")
        page.emulate_media(color_scheme="dark")
        page.goto(urljoin(link, "/console/knowledge"))
        page.locator("input[type=search]").press_sequentially("horario de atención")
        page.locator(".hits").wait_for()
        keep(page, "console-knowledge-dark")
        page.goto(urljoin(link, "/console/promises"))
        keep(page, "console-promises-dark")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(urljoin(link, "/console/conversations"))
        page.locator("a.conversation").first.wait_for()
        keep(page, "console-phone")
        browser.close()


def keep(page: Page, name: str, *, whole: bool = False) -> None:
    """Write one picture; 128 colours are enough for pages and make it small. A whole one is as high as its page."""
    before = page.viewport_size
    if whole and before is not None:
        high = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": before["width"], "height": high})
    picture = Image.open(BytesIO(page.screenshot()))
    if before is not None:
        page.set_viewport_size(before)
    picture.convert("RGB").quantize(128).save(HERE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    take(sys.argv[1])
