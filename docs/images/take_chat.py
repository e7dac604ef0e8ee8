"""Take ``chat.png`` from a running demo: ``uv run python docs/images/take_chat.py http://127.0.0.1:8080``."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

QUESTIONS = ("¿Cuál es el horario?", "¿Tienen zapatillas talla 42?")


def take(url: str, path: Path) -> None:
    """Play a customer with two questions and keep what the visitor then sees."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--headless", "--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="es-CL")
        page.goto(url)
        for number, question in enumerate(QUESTIONS, start=1):
            page.get_by_label("Escribe un mensaje").fill(question)
            page.keyboard.press("Enter")
            page.locator(".message.bot .how").nth(number - 1).wait_for()
        page.locator(".step.total").wait_for()
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1], Path(__file__).with_name("chat.png"))
