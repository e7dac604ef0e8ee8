"""The console in a real browser: every page once, by accessibility rules, in both colours and on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from tests.support import serving
from tests.unit.console.conftest import NOON, SHOES, World, shop
from tests.unit.console.seeds import QUESTION, seed_alert, seed_promises, seed_turn

from smarteros.console.router import console_router
from smarteros.domain.alerts import Silence
from smarteros.domain.gaps import Gap
from smarteros.domain.knowledge import Document
from smarteros.domain.tenants import TenantScope
from smarteros.domain.turns import TurnRecord
from smarteros.domain.upkeep import IMPORT, TextChange
from smarteros.edge.app import create_app
from smarteros.store.alerts import add_silence
from smarteros.store.gaps import note_gap
from smarteros.store.upkeep import replace_questions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# axe-core 4.14.1, MPL-2.0 (vendor/LICENSE-axe-core); used by tests only.
AXE = Path(__file__).with_name("vendor") / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SHOP = "CONSOLE_SEEN"
PATIENCE_MS = 30_000
# What a page asks for by itself once it is there.
LOADED_LATER = {"/console/audit": ".chain .notice:not(.warn)", "/console/tenants": ".bars"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; the package's own browsers are not installed anywhere."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--headless", "--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def turn(running: World) -> TurnRecord:
    """A shop with a conversation, texts, an open question, alerts, a silence and promises kept and broken."""
    parts, tenant = running.parts, shop(SHOP, 11)
    parts.tenants.save(tenant)
    hours = Document(name="horarios.md", title="Horarios", markdown="# Horarios\n\n## ¿Horario?\n\nDe 10 a 19 h.")
    parts.knowledge.replace(tenant.scope, (hours,))
    asked = {"question": "¿Horario?", "titles": ["¿Horario?"], "documents": [], "contains": []}
    gap = Gap(pattern="perro", example="¿Puedo ir con mi perro?", reason="not_in_kb", intent="out_of_scope",
              confidence=0.4)  # fmt: skip
    with parts.database.tenant(tenant.scope) as connection:
        note_gap(connection, SHOP, gap, NOON)
        replace_questions(connection, SHOP, [asked])
        add_silence(connection, Silence(silence_id=0, tenant_id=SHOP, name="faq_slow", reason="Cambiamos los textos",
                                        made_by="Ana", made_at=NOON, until_at=NOON + timedelta(hours=2)))  # fmt: skip
    parts.upkeep.propose(tenant, TextChange(origin=IMPORT, mode="all", documents=()))
    began = NOON - timedelta(hours=3)
    seed_alert(parts.database, SHOP, "sales_slow", began)
    seed_alert(parts.database, SHOP, "faq_slow", began, resolved_at=began + timedelta(minutes=9))
    seed_promises(parts.database, tenant, "e2e_shopify_sales", NOON - timedelta(minutes=9), kept=3, late=1, broken=1)
    return seed_turn(parts.database, tenant, parts.contracts, NOON - timedelta(minutes=5))


def entered(world: World, chromium: Browser, **looks: Any) -> BrowserContext:
    """A browser in which the shop's owner is signed in by a one-time link."""
    context = chromium.new_context(base_url=world.url, locale="es-CL", **looks)
    context.set_default_timeout(PATIENCE_MS)
    browser = world.signed_in("tenant_admin", SHOP)
    context.add_cookies([{"name": "smos_session", "value": browser.http.cookies["smos_session"], "url": world.url}])
    return context


def pages(turn: TurnRecord) -> list[str]:
    return [
        "/console/conversations",
        f"/console/conversations/{SHOP}/{turn.conversation_id}",
        f"/console/turns/{turn.turn_id}",
        "/console/alerts",
        "/console/tenants",
        "/console/promises",
        "/console/knowledge",
        "/console/contracts",
        "/console/contracts/e2e_faq_quick",
        "/console/audit",
        "/console/settings",
        "/console/nowhere",
    ]


async def unavailable(scope: Any, _receive: Any, send: Any) -> None:
    """A proxy whose server is away."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"away"})


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def barriers(page: Page, rules: list[str] = RULES) -> list[str]:
    """What keeps people out, by axe-core's rules of WCAG 2.2 A and AA."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found["violations"]]


@pytest.mark.parametrize(
    ("colours", "width"), [("light", 1280), ("dark", 390)], ids=["light on a desk", "dark on a phone"]
)
def test_every_page_can_be_used_by_everybody_and_fits(
    world: World, chromium: Browser, turn: TurnRecord, colours: Literal["light", "dark"], width: int
) -> None:
    context = entered(world, chromium, color_scheme=colours, viewport={"width": width, "height": 800})
    page, complaints = context.new_page(), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)

    found: dict[str, list[str]] = {}
    for path in pages(turn):
        page.goto(path)
        if path in LOADED_LATER:
            page.locator(LOADED_LATER[path]).wait_for()
        # Colours are all that dark pages have of their own; the rest is asked once.
        found[path] = barriers(page, RULES if colours == "light" else ["color-contrast"])
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
    context.close()

    assert {path: each for path, each in found.items() if each} == {}
    assert complaints == []


def test_what_keeps_people_out_would_be_found(world: World, chromium: Browser) -> None:
    page = chromium.new_context(base_url=world.url).new_page()
    page.goto("/console/sign-in")
    page.evaluate("document.querySelector('main').append(document.createElement('input'), new Image())")

    assert {each.split(":")[0] for each in barriers(page)} == {"label", "image-alt"}
    page.context.close()


def test_a_one_time_link_lets_its_owner_in_and_the_door_can_be_used_by_everybody(
    world: World, chromium: Browser
) -> None:
    _, token = world.parts.invitations.invite("puerta@example.cl", "agent", SHOES)
    page = chromium.new_context(base_url=world.url, locale="es-CL").new_page()
    page.goto(f"/console/welcome/{token}")
    assert barriers(page) == []

    page.get_by_label("Elige una contraseña").fill("una frase muy larga")
    page.get_by_role("button", name="Entrar").click()
    page.wait_for_url("**/console/conversations")
    page.get_by_role("button", name="Salir").click()

    page.wait_for_url("**/console/sign-in")
    assert barriers(page) == []
    page.context.close()


def test_a_link_of_the_demo_signs_in_by_itself(world: World, chromium: Browser) -> None:
    token = world.parts.invitations.enter_as("demo@example.cl", "operator", name="Demo")
    page = chromium.new_context(base_url=world.url).new_page()

    page.goto(f"/console/welcome/{token}")

    page.wait_for_url("**/console/conversations")
    assert page.get_by_text("Demo", exact=True).is_visible()
    page.context.close()


def open_list(page: Page, url: str = "") -> None:
    """Open the list of conversations, and wait until it is told what is new."""
    with page.expect_response("**/conversations/live"):
        page.goto(f"{url}/console/conversations")
    page.get_by_text(QUESTION).first.wait_for()


def test_a_new_message_appears_in_the_open_list_by_itself(world: World, chromium: Browser, turn: TurnRecord) -> None:
    context = entered(world, chromium)
    page = context.new_page()
    open_list(page)

    seed_turn(world.parts.database, world.parts.tenants.get(SHOP), world.parts.contracts, NOON, text="¿Y en rojo?")

    page.get_by_text("¿Y en rojo?").wait_for()
    assert page.evaluate("document.querySelectorAll('.conversations').length") == 1
    context.close()


def test_an_open_list_comes_back_by_itself_after_the_server_was_started_again(
    world: World, chromium: Browser, turn: TurnRecord
) -> None:
    context = entered(world, chromium)
    page = context.new_page()
    console, off = create_app([console_router(world.parts)]), page.locator("#offline")
    with serving(console) as url:
        open_list(page, url)
    off.wait_for()
    with serving(unavailable, port=port_of(url)), page.expect_response(lambda answer: answer.status == 503):
        pass  # what a proxy says meanwhile; a browser by itself asks no more after it

    asked = "¿Y mientras no estaban?"
    seed_turn(world.parts.database, world.parts.tenants.get(SHOP), world.parts.contracts, NOON, text=asked)
    with serving(console, port=port_of(url)):
        page.get_by_text(asked).wait_for()
        off.wait_for(state="hidden")
    context.close()


def test_an_alert_appears_on_the_open_page_by_itself_and_what_is_typed_there_stays(
    world: World, chromium: Browser, turn: TurnRecord
) -> None:
    context = entered(world, chromium)
    page = context.new_page()
    page.clock.install()
    page.goto("/console/alerts")
    page.get_by_label("Motivo").fill("Migramos")

    seed_alert(world.parts.database, SHOP, "sales_failing", NOON, signal="error_rate", value=0.12, threshold=0.05)
    page.clock.run_for(16_000)

    page.get_by_text(f"{SHOP}: e2e_shopify_sales falla en 12 % de los turnos").wait_for()
    assert page.get_by_label("Motivo").input_value() == "Migramos"
    assert page.get_by_role("heading", name="Ahora").count() == 1
    context.close()


def test_bars_that_cannot_be_counted_say_so_and_the_page_stays(
    world: World, chromium: Browser, turn: TurnRecord
) -> None:
    context = entered(world, chromium)
    page = context.new_page()
    page.route("**/bars", lambda route: route.fulfill(status=500, body="<h1>500</h1>"))

    page.goto("/console/tenants")

    page.get_by_text("No se pudieron contar las promesas").wait_for()
    assert page.get_by_role("heading", name="500").count() == 0
    context.close()


def test_a_one_time_link_is_copied_with_one_press(world: World, chromium: Browser) -> None:
    context = chromium.new_context(
        base_url=world.url, locale="es-CL", permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(PATIENCE_MS)
    browser = world.signed_in("operator")
    context.add_cookies([{"name": "smos_session", "value": browser.http.cookies["smos_session"], "url": world.url}])
    page = context.new_page()
    page.goto("/console/people")
    page.get_by_label("Correo").fill("copiada@tienda.cl")
    page.locator("select[name=tenant]").select_option(SHOES)

    page.get_by_role("button", name="Crear el enlace").press("Enter")
    page.get_by_role("button", name="Copiar").press("Enter")

    page.get_by_role("button", name="Copiado").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert world.browser().get(copied.removeprefix(world.url)).status_code == 200
    # The people of all tests are here, and axe looks at each.
    page.evaluate("document.querySelectorAll('.people > li:nth-child(n+4)').forEach((row) => row.remove())")
    assert barriers(page) == []
    context.close()


def test_questions_are_tried_while_they_are_typed(world: World, chromium: Browser, turn: TurnRecord) -> None:
    context = entered(world, chromium)
    page = context.new_page()
    page.goto("/console/knowledge")

    page.locator("input[type=search]").press_sequentially("horario")

    page.locator(".hits").get_by_text("De 10 a 19 h.").wait_for()
    context.close()


def test_the_answer_to_a_question_is_written_and_published_with_the_keyboard(
    world: World, chromium: Browser, turn: TurnRecord
) -> None:
    context = entered(world, chromium)
    page = context.new_page()
    page.goto("/console/knowledge")

    page.locator(".gaps summary", has_text="Escribir la respuesta").first.press("Enter")
    page.locator(".gaps textarea").first.fill("Sí, con correa.")
    page.get_by_role("button", name="Guardar borrador").first.press("Enter")
    page.get_by_role("button", name="Publicar").press("Enter")

    page.get_by_text("Publicada: el bot ya la usa.").wait_for()
    hits = world.parts.knowledge.search(TenantScope(tenant_id=SHOP), "¿puedo ir con mi perro?")
    assert hits[0].passage.text == "Sí, con correa."
    context.close()


def test_the_list_is_walked_and_opened_with_the_keyboard(world: World, chromium: Browser, turn: TurnRecord) -> None:
    context = entered(world, chromium)
    page = context.new_page()
    page.goto("/console/conversations")
    page.locator("a.conversation").first.wait_for()

    page.keyboard.press("j")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/console/conversations/{SHOP}/*")
    context.close()
