"""The chat page in a real browser: first on the running stack, then over stand-ins that misbehave on demand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.conftest import RunningStack
from tests.e2e.fake_demo import FakeDemo, fake_demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STEPS = ["receive", "resolve", "decide", "call_tools", "reply", "audit"]
PATIENCE_MS = 60_000
TIME = re.compile(r"\d[\d.,]* (ms|s)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; the package's own browsers are not installed anywhere."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A visitor who never came before."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="es-CL")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def demo() -> Iterator[tuple[FakeDemo, str]]:
    """The page over stand-ins."""
    with fake_demo() as running:
        yield running


@dataclass
class Complaints:
    """What the browser complains of."""

    texts: list[str] = field(default_factory=list[str])

    def listen(self, page: Page) -> None:
        page.on("console", lambda line: self.texts.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.texts.append(str(error)))


def opened(page: Page, url: str, shop: str = "Tienda Demo Calzados") -> Complaints:
    complaints = Complaints()
    complaints.listen(page)
    page.goto(url)
    page.get_by_role("radio", name=shop).check()
    return complaints


def say(page: Page, text: str) -> None:
    box = page.get_by_label("Escribe un mensaje")
    box.fill(text)
    box.press("Enter")


def reply_with(page: Page, text: str) -> str:
    bubble = page.locator(".message.bot .bubble", has_text=text).last
    bubble.wait_for()
    return bubble.inner_text()


def test_a_visitor_asks_for_shoes_and_sees_how_the_turn_was_solved(page: Page, stack: RunningStack) -> None:
    complaints = opened(page, stack.url)

    say(page, "¿Tienen zapatillas talla 42?")

    assert "39990" in reply_with(page, "Zapatilla Running Azul")
    page.locator(".step.total").wait_for()
    steps = page.locator("#turn-steps li[data-step]")
    assert [step.get_attribute("data-step") for step in steps.all()] == STEPS
    for name in STEPS[:-1]:
        assert TIME.search(page.locator(f"[data-step={name}] .step-time").inner_text()), name
    facts = page.locator("#turn-facts").inner_text()
    assert "product_query" in facts
    assert "shopify_search_products" in facts
    assert complaints.texts == []


def test_a_visitor_sends_a_sample_invoice_as_the_person_who_bought_it(page: Page, stack: RunningStack) -> None:
    complaints = opened(page, stack.url)

    page.get_by_role("button", name="Adjuntar la foto de INV-2025-001", exact=True).click()
    page.locator("#staged img").wait_for()
    assert page.get_by_label("Teléfono").input_value() == "+56912345678"
    page.get_by_role("button", name="Enviar", exact=True).click()

    reply_with(page, "garantía")
    assert page.locator(".message.customer img").count() == 1
    page.locator("#turn-facts", has_text="odoo_find_invoice").wait_for(timeout=PATIENCE_MS)
    assert complaints.texts == []


def test_a_reload_continues_the_conversation(page: Page, demo: tuple[FakeDemo, str]) -> None:
    _, url = demo
    opened(page, url)
    say(page, "hola")
    reply_with(page, "Recibí: hola")

    page.reload()

    reply_with(page, "Recibí: hola")
    assert page.locator(".message").count() == 2


def test_text_of_others_is_never_markup(page: Page, demo: tuple[FakeDemo, str]) -> None:
    fake, url = demo
    hostile = (
        "<img src=x onerror=alert(1)> **negrita** [pulsa](javascript:alert(1)) "
        "https://tienda.example/a?b=1&c=<b>. [aquí](https://tienda.example/x)"
    )
    fake.answer = lambda demo, _text: demo.reply(hostile)
    complaints = opened(page, url)
    say(page, "<script>alert(2)</script>")

    text = reply_with(page, "negrita")

    assert "<img src=x onerror=alert(1)>" in text
    assert page.locator(".bubble strong").inner_text() == "negrita"
    links = page.locator(".bubble a").all()
    assert [link.get_attribute("href") for link in links] == [
        "https://tienda.example/a?b=1&c=",
        "https://tienda.example/x",
    ]
    assert all(link.get_attribute("rel") == "noopener noreferrer" for link in links)
    assert page.locator(".log script, .log .text img").count() == 0
    assert complaints.texts == []


def test_a_private_note_is_not_shown_and_a_persons_reply_is(page: Page, demo: tuple[FakeDemo, str]) -> None:
    fake, url = demo

    def hand_over(demo: FakeDemo, _text: str) -> None:
        demo.reply("Te conecto con una persona.", outcome="escalated")
        demo.add("resumen para el equipo", 1, private=True, sender={"type": "agent_bot"})
        demo.add("Hola, soy Carolina", 1, sender={"name": "Carolina Soto", "type": "user"})

    fake.answer = hand_over
    opened(page, url)
    say(page, "quiero hablar con alguien")

    page.locator(".message.person", has_text="Carolina Soto").wait_for()
    page.get_by_text("Una persona de la tienda lleva esta conversación").wait_for()
    assert page.get_by_text("resumen para el equipo").count() == 0


def test_a_server_that_is_away_is_said_and_survived(page: Page, demo: tuple[FakeDemo, str]) -> None:
    fake, url = demo
    opened(page, url)
    say(page, "hola")
    reply_with(page, "Recibí: hola")

    fake.away = True
    page.get_by_text("El servidor de la demo no responde").wait_for()
    say(page, "¿sigues ahí?")
    page.get_by_text("No se pudo enviar").wait_for()
    fake.away = False
    page.get_by_role("button", name="Reintentar").click()

    reply_with(page, "Recibí: ¿sigues ahí?")
    page.get_by_text("El servidor de la demo no responde").wait_for(state="hidden")


def test_an_older_turn_can_be_inspected(page: Page, demo: tuple[FakeDemo, str]) -> None:
    fake, url = demo
    opened(page, url)
    for at, rule in enumerate(("first_rule", "second_rule"), start=1):
        fake.answer = lambda demo, text, rule=rule: demo.reply(f"Recibí: {text}", rule=rule)
        say(page, f"mensaje {at}")
        page.locator("#turn-facts", has_text=rule).wait_for()

    page.get_by_role("button", name="Turno 1, Respondido").click()

    page.locator("#turn-facts", has_text="first_rule").wait_for()
    assert page.locator("#turn-question").inner_text() == "mensaje 1"


def test_a_dropped_photo_goes_with_the_message_and_survives_a_reload(page: Page, demo: tuple[FakeDemo, str]) -> None:
    fake, url = demo
    opened(page, url)
    dropped = page.evaluate_handle(
        """async () => {
          const canvas = new OffscreenCanvas(40, 60);
          canvas.getContext("2d").fillRect(0, 0, 40, 60);
          const transfer = new DataTransfer();
          transfer.items.add(new File([await canvas.convertToBlob()], "boleta.png", { type: "image/png" }));
          return transfer;
        }"""
    )

    page.locator("#panel-chat").dispatch_event("drop", {"dataTransfer": dropped})
    page.locator("#staged img").wait_for()
    say(page, "mira")
    reply_with(page, "Recibí: mira")
    page.reload()

    page.locator(".message.customer img").wait_for()
    assert fake.messages[0]["attachments"][0]["data_url"].endswith("boleta.png")


def test_another_customer_is_another_conversation(page: Page, demo: tuple[FakeDemo, str]) -> None:
    fake, url = demo
    opened(page, url)
    say(page, "hola")
    reply_with(page, "Recibí: hola")

    page.get_by_label("Teléfono").fill("+56 9 8765 4321")
    say(page, "soy otro")
    reply_with(page, "Recibí: soy otro")

    assert page.locator(".message").count() == 2
    assert [contact.get("phone_number") for contact in fake.contacts] == ["+56912345678", "+56987654321"]


def test_everything_can_be_done_with_the_keyboard(page: Page, demo: tuple[FakeDemo, str]) -> None:
    _, url = demo
    opened(page, url)

    page.get_by_role("radio", name="Tienda Demo Calzados").press("ArrowDown")
    page.locator("#chat-shop", has_text="Ropa Brava").wait_for()
    assert page.evaluate("document.activeElement.id") == "shop-TENANT_TWO"
    page.get_by_role("button", name="English").press("Enter")
    page.get_by_role("button", name="What are your opening hours?").press("Enter")

    reply_with(page, "Recibí: What are your opening hours?")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_one_part_at_a_time_without_sideways_scrolling(
    browser: Browser, demo: tuple[FakeDemo, str], scheme: str
) -> None:
    _, url = demo
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(url)
    say(page, "¿Tienen zapatillas talla 42?")
    reply_with(page, "Recibí")

    page.get_by_role("button", name="Ver cómo se resolvió").click()

    page.locator("#turn-facts").wait_for()
    assert not page.locator("#panel-chat").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()
