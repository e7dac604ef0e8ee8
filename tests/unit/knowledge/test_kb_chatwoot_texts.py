"""What the shop's people wrote in Chatwoot: ready-made answers and the help centre, read from the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.channels.conftest import Site
from tests.unit.knowledge.upkeep_world import Upkept
from tests.unit.reconcile.conftest import chatwoot_behind_switch

from smarteros.domain.errors import PermanentError, TransientError
from smarteros.domain.knowledge import Passage
from smarteros.kit.http import HttpClient
from smarteros.store.database import Database
from smarteros_sandbox.chatwoot.seeding import CANNED_RESPONSES


@pytest.fixture
def shop(tmp_path: Path, database: Database, http: HttpClient, site: Site) -> Iterator[Upkept]:
    with chatwoot_behind_switch(tmp_path) as (stand, _, url):
        for code, content in CANNED_RESPONSES:
            stand.api("POST", "/canned_responses", json={"short_code": code, "content": content})
        yield Upkept(database, http, site, stand=stand, chatwoot_url=url)


def write(shop: Upkept, code: str, content: str) -> int:
    assert shop.stand is not None
    return shop.stand.ok("POST", "/canned_responses", json={"short_code": code, "content": content})["id"]


def passages(shop: Upkept) -> dict[str, Passage]:
    return {passage.title: passage for passage in shop.knowledge.passages(shop.tenant.scope)}


def test_ready_made_answers_become_texts_but_not_those_for_a_person_to_fill_in(shop: Upkept) -> None:
    write(shop, "despacho-regiones", "El despacho a regiones tarda de 3 a 5 días hábiles y cuesta $4.990.")
    write(shop, "payment", "You can pay by debit or credit card in our shop.")
    shop.add("canned", "respuestas")
    assert shop.sync("respuestas") == "activated"
    found = passages(shop)
    assert {title: passage.approval for title, passage in found.items()} == {
        "espera": "draft",
        "despedida": "draft",
        "despacho regiones": "approved",
        "payment": "approved",
    }  # fmt: skip - "saludo" has places to fill in, "boleta" only asks
    assert found["payment"].language == "en"
    assert shop.answer("cuánto tarda el despacho a regiones") == found["despacho regiones"].text
    assert shop.sync("respuestas") == "unchanged"


def test_all_of_them_answer_when_the_shop_says_so(shop: Upkept) -> None:
    shop.add("canned", "respuestas", approved=True)
    shop.sync("respuestas")
    assert {passage.approval for passage in passages(shop).values()} == {"approved"}


def test_an_answer_that_was_removed_in_chatwoot_answers_no_more(shop: Upkept) -> None:
    number = write(shop, "estacionamiento", "El estacionamiento es gratis para clientes.")
    shop.add("canned", "respuestas")
    shop.sync("respuestas")
    assert shop.stand is not None
    shop.stand.ok("DELETE", f"/canned_responses/{number}")
    shop.sync("respuestas")
    assert "estacionamiento" not in passages(shop)


def test_published_articles_of_all_pages_become_texts(shop: Upkept) -> None:
    stand = shop.stand
    assert stand is not None
    stand.help_center("ayuda", {f"¿Pregunta {number}?": f"Respuesta {number}." for number in range(30)})
    stand.help_center("viejo", {"¿Y antes?": "Antes no."}, archived=True)
    heading = {"name": "Shipping", "slug": "shipping", "locale": "en"}
    category = stand.ok("POST", "/portals/ayuda/categories", json={"category": heading})["payload"]["id"]
    article = {"title": "Where do you ship?", "content": "---\nEverywhere.", "author_id": 11, "status": "published"}
    article |= {"category_id": category}
    number = stand.ok("POST", "/portals/ayuda/articles", json={"article": article})["payload"]["id"]
    stand.ok("POST", "/portals/ayuda/articles", json={"article": article | {"title": "Draft", "status": "draft"}})
    shop.add("helpcenter", "ayuda")
    assert shop.sync("ayuda") == "activated"
    found = passages(shop)
    assert len(found) == 31
    assert (found["Where do you ship?"].language, found["Where do you ship?"].category) == ("en", "envios")
    assert found["Where do you ship?"].document == f"source:ayuda/ayuda/{number}"
    assert shop.answer("pregunta 17") == "Respuesta 17."
    stand.ok("PATCH", f"/portals/ayuda/articles/{number}", json={"article": {"status": "archived"}})
    assert (shop.sync("ayuda"), "Where do you ship?" in passages(shop)) == ("activated", False)


def test_a_portal_that_is_not_there_is_told(shop: Upkept) -> None:
    shop.add("helpcenter", "ayuda", "otra")
    with pytest.raises(PermanentError) as caught:
        shop.sync("ayuda")
    assert caught.value.code == "portal_unknown"


def test_a_chatwoot_that_is_away_takes_no_text_away(shop: Upkept) -> None:
    write(shop, "despacho-regiones", "El despacho a regiones tarda de 3 a 5 días hábiles y cuesta $4.990.")
    shop.add("canned", "respuestas")
    shop.sync("respuestas")
    assert shop.stand is not None
    shop.stand.faults.set("chatwoot", "api_500", times=1)
    with pytest.raises(TransientError):
        shop.sync("respuestas")
    assert "despacho regiones" in passages(shop)
